"""The parts of a network's run, each made from what a stage left on disk."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Param, Run

from pipeline.runs import checkpoint, results
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import experiment_of
from pipeline.tracking import keras_model, runs
from pipeline.utils import files, paths, statistics
from pipeline.utils.errors import InputError

HISTORY = "history"  # the figure that every experiment has


class Part(NamedTuple):
    """One part of a run: what it is made from, and how it is written."""

    name: str
    digest: str
    write: Callable[[MlflowClient, Run], None]


def of(name: str) -> tuple[RunConfig, list[Part]]:
    """A network's setup, and the parts that there are on disk: the training first, then the model.

    Evaluation and figures only of this very training. InputError if the network is not trained.
    """
    result, experiment = checkpoint.read(name), experiment_of(name)
    digest = results.trained_digest(name)
    parts = [
        Part("training", digest, lambda client, run: _write_training(client, run, result)),
        Part("model", digest, lambda client, run: keras_model.write(client, run, result.config)),
    ]
    if measured := _measured(name, digest):
        write = lambda client, run: _write_evaluation(client, run, result)  # noqa: E731
        parts.append(Part("evaluation", measured, write))
    captions = paths.figures(experiment) / paths.CAPTIONS
    if _drawn_of(captions, name) == digest:
        drawn = [path for path in paths.figures(experiment).iterdir() if path != captions]
        write = lambda client, run: _write_figures(client, run, result.config, drawn)  # noqa: E731
        shown = [path for steps in pictures(name).values() for path in steps]
        parts.append(Part("figures", results.digest([*drawn, *shown]), write))
    return result.config, parts


def pictures(name: str) -> dict[str, list[Path]]:
    """The pictures of a training's progress: the files under each key, as training went on."""
    found: dict[str, list[Path]] = {}
    for path in paths.pictures(name).glob("*/*.png"):
        found.setdefault(path.parent.name, []).append(path)
    return {key: sorted(shown, key=lambda path: int(path.stem)) for key, shown in found.items()}


def _drawn_of(captions: Path, name: str) -> str | None:
    """The digest of the training whose figures stand there, if it says so."""
    try:
        return files.read_json(captions, hint="")["trained"][name]
    except (InputError, KeyError, TypeError):  # none yet, or of an experiment in another form
        return None


def _measured(name: str, digest: str) -> str | None:
    """The digest of what was measured of this very training, if it was, and of its predictions."""
    experiment = experiment_of(name)
    measured = [paths.metrics(experiment), paths.replicas(experiment)]
    if not all(path.exists() for path in measured):
        return None
    try:
        current = results.aggregates(name)["trained"] == digest
    except InputError:  # an arm that was not there yet
        return None
    predictions = paths.predictions(name)  # metrics are in git, predictions in DVC's cache
    measured += [predictions] * predictions.exists()
    return results.digest(measured) if current else None


def _write_training(client: MlflowClient, run: Run, result: checkpoint.Checkpoint) -> None:
    """Parameters, dataset and learning curves of the run, and the curves of its children."""
    client.log_batch(
        run.info.run_id,
        params=[Param(key, str(value)) for key, value in result.config.flat().items()],
    )
    runs.log_dataset(client, run, result.config)
    runs.log_curves(client, run, statistics.bands(result.history, ~result.failed))
    client.log_metric(run.info.run_id, "test/failure_rate", float(result.failed.mean()))
    for replica, child in enumerate(runs.children(client, run, len(result.failed))):
        own = {
            name: curve if curve.ndim == 1 else curve[replica]
            for name, curve in result.history.items()
        }
        runs.log_curves(client, child, own)
        client.set_terminated(child.info.run_id, "FAILED" if result.failed[replica] else "FINISHED")


def _write_evaluation(client: MlflowClient, run: Run, result: checkpoint.Checkpoint) -> None:
    """Final metrics of the run (means over replicas), of its children, their files, and texts."""
    name = result.config.name
    entries = results.aggregates(name)["metrics"].items()
    means = {metric: entry["mean"] for metric, entry in entries if entry["mean"] is not None}
    problem = result.config.experiment.problem
    moment = paths.metrics(experiment_of(name)).stat().st_mtime_ns // 1_000_000
    runs.log_metrics(client, run, runs.finals(run, problem, means, moment=moment))
    rows = results.replica_metrics(name)
    for child, (_, row) in zip(runs.children(client, run, len(rows)), rows.iterrows(), strict=True):
        runs.log_metrics(client, child, runs.finals(child, problem, row, moment=moment))
    experiment = experiment_of(name)
    for path in (paths.metrics(experiment), paths.replicas(experiment)):
        client.log_artifact(run.info.run_id, path, "metrics")
    for key, text in _texts(name).items():
        client.log_text(run.info.run_id, text, f"texts/{key}.txt")


def _texts(name: str) -> dict[str, str]:
    """What is text among a network's predictions: to read, as figures are to look at."""
    path = paths.predictions(name)
    if not path.exists():
        return {}
    arrays, _ = files.read_arrays(path, hint="")
    return {key: str(array) for key, array in arrays.items() if array.dtype.kind == "U"}


def _write_figures(
    client: MlflowClient, run: Run, config: RunConfig, drawn: Sequence[Path]
) -> None:
    """The figures as they stand in the report, and the pictures that the step slider shows.

    MLflow's page that compares runs shows the artifacts that all of them have, side by side, but
    looks for them in no folder: so the last pictures stand outside of any, too.
    """
    for path in drawn:
        client.log_artifact(run.info.run_id, path, "figures")
        if path.stem == HISTORY:
            client.log_artifact(run.info.run_id, path)
    for key, steps in pictures(config.name).items():
        for path in steps:
            image = mlflow.Image(str(path))
            client.log_image(run.info.run_id, image, key=key, step=int(path.stem))
        client.log_image(run.info.run_id, mlflow.Image(str(steps[-1])), f"{key}.png")
    described = runs.description(config, sorted(path.name for path in drawn))
    client.set_tag(run.info.run_id, "mlflow.note.content", described)
