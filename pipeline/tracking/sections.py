"""The sections of a network's run, each made from the files of one stage."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Param, Run

from pipeline.problems.load import Problem
from pipeline.runs import checkpoint as checkpoints
from pipeline.runs import results
from pipeline.runs.checkpoint import Checkpoint
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import experiment_of
from pipeline.tracking import contents, keras_model, runs
from pipeline.tracking.metrics import (
    final_metrics,
    intervals,
    link_to_model,
    log_curves,
    log_metrics,
    make_metrics,
    name_curves,
)
from pipeline.tracking.names import SECONDS
from pipeline.utils import bands, files, paths
from pipeline.utils.errors import InputError

HISTORY = "history"  # name of the figure of learning curves, which every experiment has


class Section(NamedTuple):
    """A section of a run. MLflow's is current if the run has this digest under this name."""

    name: str
    digest: str  # of its files
    write: Callable[[MlflowClient, Run], None]


def network_sections(name: str) -> tuple[Checkpoint, list[Section]]:
    """Return a trained network, and the sections that can be written from the files on disk.

    Training and model come first; evaluation and figures follow if they belong to this training.
    Raises InputError if the network is not trained, or if its files are corrupt.
    """
    checkpoint, digest = checkpoints.load(name), results.checkpoint_digest(name)
    config = checkpoint.config
    model = partial(
        keras_model.log, config, checkpoints.keras_file(name), checkpoints.load_example(name)
    )
    sections = [
        Section("training", digest, partial(_write_training, checkpoint)),
        Section("model", digest, model),
    ]
    if evaluation := _evaluation_digest(name, digest):
        sections.append(Section("evaluation", evaluation, partial(_write_evaluation, config)))
    figures = sorted(paths.figures(experiment_of(name)).glob("*"))
    if figures and _training_of_figures(name) == digest:
        images = [path for steps in pictures(name).values() for path in steps.values()]
        sections.append(
            Section(
                "figures",
                results.digest([*figures, *images]),
                partial(_write_figures, name, figures),
            )
        )
    return checkpoint, sections


def trained_at(name: str) -> int:
    """When a network's training ended, in milliseconds: when its files were written."""
    return (paths.model(name) / "history.npz").stat().st_mtime_ns // 1_000_000


def training_end(name: str, run: Run) -> int | None:
    """When the training of a run ended, in milliseconds; None if its duration is unknown.

    It is unknown if the run was made from files that had been there before.
    """
    end = run.info.end_time if run.info.status == runs.FINISHED else trained_at(name)
    return end if end and end > run.info.start_time else None


def pictures(name: str) -> dict[str, dict[int, Path]]:
    """Return the pictures of a training's progress: {key: {step: path}}, in the order of steps."""
    by_key: dict[str, dict[int, Path]] = {}
    for path in sorted(paths.pictures(name).glob("*/*.png"), key=lambda path: int(path.stem)):
        by_key.setdefault(path.parent.name, {})[int(path.stem)] = path
    return by_key


def _training_of_figures(name: str) -> str | None:
    """Return the digest of the training that the figures show; None if there are no figures."""
    try:
        captions = files.read_json(paths.captions(experiment_of(name)), hint="")
        return captions["checkpoint_digest"][name]
    except (InputError, KeyError, TypeError):  # not drawn yet, or in another format
        return None


def _evaluation_digest(name: str, training: str) -> str | None:
    """Return the digest of a network's evaluation; None if this training is not evaluated."""
    experiment = experiment_of(name)
    evaluation = [paths.metrics(experiment), paths.replicas(experiment)]
    if not all(path.exists() for path in evaluation):
        return None
    try:
        evaluated_training = results.load_aggregates(name).get("checkpoint_digest")
    except InputError:  # the variant was added after the evaluation
        return None
    predictions = paths.predictions(name)
    if predictions.exists():  # in DVC's cache, which a fresh clone lacks; metrics are in git
        evaluation.append(predictions)
    return results.digest(evaluation) if evaluated_training == training else None


def run_contents(checkpoint: Checkpoint, run: Run) -> contents.Contents:
    """The contents of a network's run for the views of its experiment."""
    steps = pictures(checkpoint.config.name)
    last = {runs.last_picture(key): [0] for key in steps}
    return contents.of_run(
        checkpoint.config.experiment.problem,
        run.data.metrics,
        name_curves(bands.bands(checkpoint.history, ~checkpoint.diverged)),
        last | {key: list(images) for key, images in steps.items() if len(images) > 1},
        runs.parameters(checkpoint.config),
        run=checkpoint.config.name,
    )


def _write_training(checkpoint: Checkpoint, client: MlflowClient, run: Run) -> None:
    """Log parameters, dataset and learning curves of a run, and write its child runs."""
    params = [Param(key, value) for key, value in runs.parameters(checkpoint.config).items()]
    client.log_batch(run.info.run_id, params=params)
    dataset = paths.dataset(checkpoint.config.experiment.dataset)
    runs.log_dataset(client, run, checkpoint.config, results.digest([dataset]))
    log_curves(client, run, bands.bands(checkpoint.history, ~checkpoint.diverged))
    log_metrics(client, run, make_metrics(run, _training_metrics(checkpoint, run)))
    written: list[str] = []
    end = training_end(checkpoint.config.name, run)
    for replica, diverged in enumerate(checkpoint.diverged):
        child = runs.create_child(client, run, replica)
        curves = {
            name: curve if curve.ndim == 1 else curve[replica]
            for name, curve in checkpoint.history.items()
        }
        log_curves(client, child, curves)
        runs.end(client, child, "FAILED" if diverged else runs.FINISHED, end)
        written.append(child.info.run_id)
    # An interrupted attempt leaves child runs, and a request whose response is lost a second one.
    runs.delete_children(client, run, kept=written)


def _training_metrics(checkpoint: Checkpoint, run: Run) -> dict[str, float]:
    """Metrics of the training itself; its duration is known if this process has trained it."""
    metrics = {
        "divergence_rate": float(checkpoint.diverged.mean()),
        "parameter_count": float(sum(weight[0].size for weight in checkpoint.weights)),
    }
    if end := training_end(checkpoint.config.name, run):
        seconds = (end - run.info.start_time) / 1000
        updates = checkpoint.history["updates"][-1] * len(checkpoint.diverged)
        metrics |= {SECONDS: seconds, "updates_per_second": updates / seconds}
    return metrics


def _write_evaluation(config: RunConfig, client: MlflowClient, run: Run) -> None:
    """Log final metrics of a run (means over replicas) and its children, and files with them."""
    name, problem = config.name, config.experiment.problem
    metrics, replicas = paths.metrics(experiment_of(name)), paths.replicas(experiment_of(name))
    timestamp = metrics.stat().st_mtime_ns // 1_000_000
    entries = results.load_aggregates(name)["metrics"]
    means = {metric: entry["mean"] for metric, entry in entries.items()}
    means = {metric: mean for metric, mean in means.items() if mean is not None}
    final = final_metrics(run, problem, means, timestamp=timestamp)
    model = (config.identifier, keras_model.MODEL_TYPE)
    log_metrics(client, run, link_to_model(client, run, final, *model))
    described = {metric: Problem(problem).metrics.describe(metric) for metric in entries}
    compared = {  # the others have no interval, so that there are not too many metrics
        metric: entries[metric]
        for metric, about in described.items()
        if about.headline and about.higher_is_better is not None
    }
    log_metrics(client, run, intervals(run, compared, timestamp))
    rows = results.load_replica_metrics(name)
    for replica, child in runs.children(client, run).items():
        own = final_metrics(child, problem, dict(rows.loc[replica]), timestamp=timestamp)
        log_metrics(client, child, own)
    for path in (metrics, replicas):
        client.log_artifact(run.info.run_id, path, "metrics")
    for key, text in _generated_texts(name).items():
        client.log_text(run.info.run_id, text, f"texts/{key}.txt")


def _generated_texts(name: str) -> dict[str, str]:
    """Return the predictions of a network that are text, by their names."""
    path = paths.predictions(name)
    if not path.exists():
        return {}
    arrays, _ = files.read_arrays(path, hint="")
    return {key: str(array) for key, array in arrays.items() if array.dtype.kind == "U"}


def _write_figures(name: str, figures: Sequence[Path], client: MlflowClient, run: Run) -> None:
    """Log the report's figures, and the pictures that the step slider of the charts shows.

    MLflow's page that compares two runs shows artifacts of the same name side by side, except those
    in folders. So the learning curves are logged outside of folders as well.
    """
    run_id = run.info.run_id
    for path in figures:
        client.log_artifact(run_id, path, "figures")
        if path.stem == HISTORY:
            client.log_artifact(run_id, path)
    for key, steps in pictures(name).items():
        for step, path in steps.items():
            client.log_image(run_id, mlflow.Image(str(path)), key=key, step=step)
        runs.log_last_picture(client, run, key, path)
