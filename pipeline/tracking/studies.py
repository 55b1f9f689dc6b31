"""Studies in MLflow: an experiment for each study, and a top-level run for each of its trials.

Runs are made from the trials on disk, and only for those that MLflow lacks. Trials with other
parameters or other code belong to another study, which has an experiment of its own.
"""

import tempfile
import time
from pathlib import Path

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Param, Run

from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.problems.base import Problem, StoredResults, read_config
from pipeline.schema.params import Params
from pipeline.studies import export
from pipeline.studies.plan import StudyPlan, Trial, make_plan
from pipeline.tracking import charts, runs, server
from pipeline.tracking.server import TAG
from pipeline.utils import locks, paths

STATUS = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}

STATE = TAG + "state"
"""Tag of a trial's run: the trial's state. A run without it is incomplete."""


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
        experiment_id = _experiment_id(client, plan, params)
        recorded = set()
        for run in runs.search(client, experiment_id, f"tags.`{TAG}study` = '{plan.name}'"):
            if STATE in run.data.tags:
                recorded.add(run.data.tags[TAG + "trial"])
            else:
                client.delete_run(run.info.run_id)
        missing = [trial for trial in trials if str(trial.number) not in recorded]
        names: set[str] = set()
        steps: dict[str, list[int]] = {}
        for trial in missing:
            metrics, pictures = _write_trial(client, experiment_id, plan, trial)
            names |= metrics
            steps |= pictures
        if missing:
            charts.update_charts(client, experiment_id, names, steps, plan)
    return [_run_name(trial) for trial in missing]


def _run_name(trial: Trial) -> str:
    """The number of a trial, and its point in short."""
    words = [
        value if isinstance(value, str) else f"{key.rpartition('.')[2]} {value:.3g}"
        for key, value in trial.point.items()
    ]
    return f"{trial.number:03d} {', '.join(words)}"


def _experiment_id(client: MlflowClient, plan: StudyPlan, params: Params) -> str:
    """The id of the study's MLflow experiment, which is created if it does not exist."""
    name = export.mlflow_experiment(plan)
    description = _describe(plan, params)
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        location = server.artifact_location(f"study-{plan.unique_name}")
        return client.create_experiment(name, location, {"mlflow.note.content": description})
    if experiment.tags.get("mlflow.note.content") != description:
        client.set_experiment_tag(experiment.experiment_id, "mlflow.note.content", description)
    return experiment.experiment_id


def _describe(plan: StudyPlan, params: Params) -> str:
    """The description of the study's MLflow experiment, in Markdown."""
    texts = load_report(paths.report_texts(), params).texts(plan.name)
    dimensions = ", ".join(plan.study.dimensions)
    figures = f"reports/studies/{plan.name}/"
    return (
        f"{texts.question or plan.name}\n\n{texts.answer}\n\nEach run is a trial: "
        f"`{plan.study.experiment}` with other values of {dimensions}, {len(plan.replicas)} "
        f"replicas each. Figures: [{figures}]({figures}), in the report under "
        f"[{plan.name}](reports/README.md#{plan.name}). To reproduce it, run: "
        f"`dvc repro study@{plan.name}`."
    )


def _write_trial(
    client: MlflowClient, experiment_id: str, plan: StudyPlan, trial: Trial
) -> tuple[set[str], dict[str, list[int]]]:
    """Write the run of a trial: its point, metrics over replicas, learning curve and pictures.

    Returns the names of its metrics, and the steps of its pictures by their keys.
    """
    result = trial.result
    note = (
        f"Trial {trial.number} of the study `{plan.name}` ({trial.state}), which optimizes "
        f"{', '.join(plan.study.objectives)}. Final metrics are means over {len(result.diverged)} "
        "replicas, learning curves their medians with 10% and 90% quantiles. Figures: "
        f"`reports/studies/{plan.name}/`."
    )
    tags = {
        TAG + "study": plan.name,
        TAG + "trial": str(trial.number),
        "mlflow.note.content": note,
        "mlflow.source.name": "dvc.yaml",
    }
    end = int(1000 * time.time())
    start = end - int(1000 * result.seconds)  # only the duration is known
    run = client.create_run(experiment_id, start, tags=tags, run_name=_run_name(trial))
    run_id = run.info.run_id
    params = [Param(key, str(value)) for key, value in trial.point.items()]
    client.log_batch(run_id, params=params)
    means = {metric: trial.mean(metric) for metric in result.metrics}
    headline = {*plan.study.objectives, *plan.study.metrics}
    metrics = runs.final_metrics(run, plan.study.problem, means, headline)
    counts = {"diverged": float(result.diverged.sum()), "weights": result.weight_count}
    metrics += runs.make_metrics(run, counts, 0, charts.DETAILS)
    metrics += runs.curves_metrics(run, result.history)
    runs.log_metrics(client, run, metrics)
    steps = _log_pictures(client, run, plan, trial)
    client.set_terminated(run_id, STATUS[trial.state], end)
    client.set_tag(run_id, STATE, trial.state)  # last: it marks the run as complete
    return {metric.key for metric in metrics if np.isfinite(metric.value)}, steps


def _log_pictures(
    client: MlflowClient, run: Run, plan: StudyPlan, trial: Trial
) -> dict[str, list[int]]:
    """Log the pictures of the end of a complete trial; returns their steps by their keys."""
    if trial.state != "complete" or not trial.result.predictions:
        return {}
    config = read_config(plan.config_dict(trial.point))
    metrics = {name: v[~trial.result.diverged] for name, v in trial.result.metrics.items()}
    no_test_data = np.empty(0)
    results = StoredResults(
        trial.result.history, trial.result.predictions, metrics, {}, no_test_data
    )
    images = Problem(plan.study.problem).figures.progress_images(config, results)
    steps: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for key, figures in images.items():
            step, last = max(figures.items())
            path = Path(folder) / f"{step}.png"
            plotting.save(last, path)
            for figure in figures.values():
                plotting.close(figure)
            client.log_image(run.info.run_id, mlflow.Image(str(path)), key=key, step=step)
            client.log_image(run.info.run_id, mlflow.Image(str(path)), f"{key}.png")
            steps[key] = [step]
    return steps
