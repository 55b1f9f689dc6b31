"""Studies in MLflow: an experiment for each study, and a top-level run for each of its trials.

Runs are made from the trials on disk, and only for those that MLflow lacks. Trials with other
parameters or other code belong to another study, which has an experiment of its own.
"""

import functools
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Param, Run

from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.problems.base import StoredResults
from pipeline.problems.load import Problem, read_config
from pipeline.reporting import links
from pipeline.schema.experiment import RunConfig
from pipeline.schema.params import Params
from pipeline.schema.variants import experiment_of
from pipeline.studies import export, storage
from pipeline.studies.plan import StudyPlan, Trial, make_plan
from pipeline.studies.run import best
from pipeline.tracking import contents, locks, runs, server, views
from pipeline.tracking.experiments import NOTE
from pipeline.tracking.metrics import (
    curve_metrics,
    final_metrics,
    intervals,
    log_metrics,
    make_metrics,
    name_curves,
)
from pipeline.tracking.names import SECONDS, TEST
from pipeline.tracking.server import TAG
from pipeline.tracking.tags import COLORS
from pipeline.utils import paths, statistics

STATUS = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}

TRIAL = TAG + "trial"
"""Tag of a trial's run: the number of the trial in Optuna."""

STATE = TAG + "trial_state"
"""Tag of a trial's run: the trial's state.

A run without it is incomplete, or of an earlier version, which named metrics differently.
"""


def record(name: str) -> list[str] | None:
    """Write the runs of trials that MLflow lacks; returns their names.

    Incomplete runs, whoever began them, are deleted and written again. None if there are no trials
    on disk.
    """
    params = load_params(paths.params())
    plan = make_plan(name, params)
    trials = export.known(plan)
    if not trials:
        return None
    with locks.exclusive_lock():
        client = server.client()
        experiment_id = _experiment_id(client, plan, _describe(client, plan, trials, params))
        recorded = set()
        for run in runs.search(client, experiment_id, f"tags.`{TAG}study` = '{plan.name}'"):
            if STATE in run.data.tags:
                recorded.add(run.data.tags[TRIAL])
            else:
                client.delete_run(run.info.run_id)
        missing = [trial for trial in trials if str(trial.number) not in recorded]
        if missing:
            # Only the trials that ran here have a duration: stored results are the same bytes.
            ran_here = storage.read_trials(plan)
            missing = [ran_here.get(trial.number, trial) for trial in missing]
            written = (_write_trial(client, experiment_id, plan, trial) for trial in missing)
            new = functools.reduce(contents.merge, written)
            views.update(client, experiment_id, [_view(plan)], new)
    return [_run_name(trial) for trial in missing]


def _view(plan: StudyPlan) -> views.View:
    """The view of a study: its trials as a table and as parallel coordinates, the best first."""
    study = plan.study
    return views.View(
        views.ALL_RUNS,
        f"Study {plan.name}",
        study.problem,
        objectives={
            TEST + objective: direction == "maximize"
            for objective, direction in study.objectives.items()
        },
        dimensions=list(study.dimensions),
    )


def _run_name(trial: Trial) -> str:
    """The number of a trial in Optuna, and its point in short."""
    words = [
        value if isinstance(value, str) else f"{key.rpartition('.')[2]} {value:.3g}"
        for key, value in trial.point.items()
    ]
    return f"{trial.number}: {', '.join(words)}"


def _experiment_id(client: MlflowClient, plan: StudyPlan, description: str) -> str:
    """The id of the study's MLflow experiment, which is created if it does not exist."""
    name = export.mlflow_experiment(plan)
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        location = server.artifact_location(f"study-{plan.unique_name}")
        return client.create_experiment(name, location, {NOTE: description})
    if experiment.tags.get(NOTE) != description:
        client.set_experiment_tag(experiment.experiment_id, NOTE, description)
    return experiment.experiment_id


def _describe(
    client: MlflowClient, plan: StudyPlan, trials: Sequence[Trial], params: Params
) -> str:
    """The description of the study's MLflow experiment, in Markdown."""
    texts = load_report(paths.report_texts(), params).texts(plan.name)
    dimensions, best_trials = ", ".join(plan.study.dimensions), best(plan, trials)
    numbers = ", ".join(str(trial.number) for trial in best_trials)
    several = len(plan.study.objectives) > 1
    label = "Best trade-offs (Pareto-optimal)" if several else "Best, with the fewest weights"
    word = "trials" if len(best_trials) > 1 else "trial"
    winners = f"{label}: {word} {numbers}. " if best_trials else ""
    pruned = any(trial.state == "pruned" for trial in trials)
    stopped = "A red cross marks trials that were stopped early (pruned). " if pruned else ""
    base = f"`{plan.study.experiment}`"
    if problem := client.get_experiment_by_name(plan.study.problem):
        link = views.link(problem.experiment_id, experiment_of(plan.study.experiment))
        base = f"[{plan.study.experiment}]({link.removeprefix('/')})"
    figures = f"reports/studies/{plan.name}/"
    page = paths.relative(links.page(plan.name))
    return (
        f"{texts.question or plan.name} Unfold this text for the best trials.\n\n"
        f"The study {_aims(plan)}. {winners}Each run is a trial: {base} with other values of "
        f"{dimensions}, {len(plan.replicas)} replicas each. {stopped}Trials that did not run here "
        f"have no duration. Figures: `{figures}`, in the report: `{page}`. To reproduce it, run: "
        f"`dvc repro study@{plan.name}`."
    )


def _aims(plan: StudyPlan) -> str:
    """What a study does with its objectives."""
    aims = [f"{direction}s `{TEST}{name}`" for name, direction in plan.study.objectives.items()]
    return " and ".join(aims)


def _write_trial(
    client: MlflowClient, experiment_id: str, plan: StudyPlan, trial: Trial
) -> contents.Contents:
    """Write the run of a trial: its point, metrics over replicas, learning curve and pictures.

    Returns its contents for the view of the study.
    """
    result, problem = trial.result, plan.study.problem
    config = read_config(plan.config_dict(trial.point))
    tags = {
        TAG + "study": plan.name,
        TRIAL: str(trial.number),
        NOTE: _describe_trial(plan, trial),
        "mlflow.source.name": "dvc.yaml",
        "mlflow.runColor": COLORS[trial.number % len(COLORS)],
    }
    end = int(1000 * time.time())
    start = end - int(1000 * result.seconds)  # only the duration is known
    run = client.create_run(experiment_id, start, tags=tags, run_name=_run_name(trial))
    run_id = run.info.run_id
    means = {metric: trial.mean(metric) for metric in result.metrics}
    headline = {*plan.study.objectives, *plan.study.metrics}
    metrics = final_metrics(run, problem, means, headline)
    values = {name: statistics.summary(result.values(name)) for name in plan.study.objectives}
    metrics += intervals(run, values)
    training = {"divergence_rate": float(result.diverged.mean())}
    if result.weight_count:
        training["parameter_count"] = result.weight_count
    if result.seconds:
        training[SECONDS] = result.seconds
    metrics += make_metrics(run, training)
    metrics = [metric for metric in metrics if np.isfinite(metric.value)]
    point = {key: str(value) for key, value in trial.point.items()}
    params = [Param(key, value) for key, value in point.items()]
    log_metrics(client, run, metrics + curve_metrics(run, result.history), params)
    runs.log_dataset(client, run, config, runs.digest_of_parameters(config))
    steps = _log_pictures(client, run, config, trial)
    runs.end(client, run, STATUS[trial.state], end if result.seconds else None)
    client.set_tag(run_id, STATE, trial.state)  # last: it marks the run as complete
    return contents.of_run(
        problem,
        {metric.key: metric.value for metric in metrics},
        name_curves(result.history),
        steps,
        point,
        {TEST + name for name in headline},
    )


def _describe_trial(plan: StudyPlan, trial: Trial) -> str:
    """The description of a trial's run, in Markdown."""
    experiment = plan.study.experiment
    return (
        f"Trial {trial.number} of the study `{plan.name}` ({trial.state}), which "
        f"{_aims(plan)}. Final metrics are means over {len(trial.result.diverged)} "
        "replicas, from `ci_low` to `ci_high` with 95% confidence, learning curves their medians "
        "with 10% and 90% quantiles.\n\nParameters that "
        f"are not listed here are those of the experiment `{experiment}`, with the `overrides` and "
        "`linked` keys of the study in `params.yaml`. A study keeps no networks: to train and load "
        f"this one, add a variant of `{experiment}` with all of them there. Figures of all "
        f"trials: `reports/studies/{plan.name}/`."
    )


def _log_pictures(
    client: MlflowClient, run: Run, config: RunConfig, trial: Trial
) -> dict[str, list[int]]:
    """Log the pictures of the end of a complete trial; returns their steps by their keys."""
    if trial.state != "complete" or not trial.result.predictions:
        return {}
    metrics = {name: v[~trial.result.diverged] for name, v in trial.result.metrics.items()}
    no_test_data = np.empty(0)
    results = StoredResults(
        trial.result.history, trial.result.predictions, metrics, {}, no_test_data
    )
    images = Problem(config.experiment.problem).figures.progress_images(config, results)
    with tempfile.TemporaryDirectory() as folder:
        for key, figures in images.items():
            path = Path(folder) / "last.png"
            plotting.save(figures[max(figures)], path)
            for figure in figures.values():
                plotting.close(figure)
            runs.log_last_picture(client, run, key, path)
    return {runs.last_picture(key): [0] for key in images}
