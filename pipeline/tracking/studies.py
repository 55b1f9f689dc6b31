"""Studies in MLflow: an experiment for each, and a top-level run for each of its trials.

As with networks, runs are made from what is on disk, one by one where they are missing, so this may
be called at any time. Trials of changed parameters or code are another study, and another
experiment beside the first.
"""

import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Param, Run

from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.problems.base import Problem, Results
from pipeline.schema.experiment import config
from pipeline.schema.params import Params
from pipeline.studies import export
from pipeline.studies.plan import StudyPlan, Trial, make_plan
from pipeline.tracking import charts, runs, server
from pipeline.tracking.server import TAG
from pipeline.utils import locks, paths

STATUS = {"complete": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


def record(name: str, address: str | None = None) -> list[str] | None:
    """Add the trials of a study that MLflow does not have, and return the names of their runs.

    None if there are no trials of it here.
    """
    found = load_params(paths.params())
    plan = make_plan(name, found)
    ended = export.known(plan, address)
    if not ended:
        return None
    with locks.exclusive_lock():
        client = server.connect()
        place = _experiment(client, plan, found)
        known = _known(client, place)
        missing = [trial for trial in ended if str(trial.number) not in known]
        for trial in missing:
            charts.update_charts(client, place, *_write(client, place, plan, trial), plan)
    return [_name(plan, trial) for trial in missing]


def _known(client: MlflowClient, place: str) -> set[str]:
    """The numbers of the trials that are there, or that another process is just adding.

    Those begun and never ended are removed. Runs that are not the laboratory's stay as they are.
    """
    numbers = set()
    page = None
    while page is None or page.token:
        page = client.search_runs([place], max_results=1000, page_token=page and page.token)
        for run in page:
            tags = run.data.tags
            if TAG + "trial" not in tags:
                continue
            if run.info.status == STATUS.get(tags.get(TAG + "state")) or runs.at_work(run):
                numbers.add(tags[TAG + "trial"])
            else:
                client.delete_run(run.info.run_id)
    return numbers


def _name(plan: StudyPlan, trial: Trial) -> str:
    """A run's name: the trial's point, in few words."""
    words = [
        value if isinstance(value, str) else f"{key.rpartition('.')[2]} {value:.3g}"
        for key, value in trial.point.items()
    ]
    return f"{trial.number:03d} {', '.join(words)}"


def _experiment(client: MlflowClient, plan: StudyPlan, found: Params) -> str:
    """The study's MLflow experiment, with what it asks and where it is answered."""
    name = f"study {plan.name} {plan.identity}"
    known = client.get_experiment_by_name(name)
    if known:
        place = known.experiment_id
    else:
        place = client.create_experiment(
            name, server.artifacts(f"study-{plan.name}-{plan.identity}")
        )
    wanted = {
        "mlflow.note.content": _description(plan, found),
        TAG + "study": plan.name,
        TAG + "identity": plan.fingerprint,
    }
    tags = known.tags if known else {}
    for key, value in wanted.items():
        if tags.get(key) != value:
            client.set_experiment_tag(place, key, value)
    return place


def _description(plan: StudyPlan, found: Params) -> str:
    question = found.questions.get(plan.name, plan.name)
    answer = found.answers.get(plan.name, "")
    dimensions = ", ".join(plan.study.dimensions)
    figures = f"reports/studies/{plan.name}/"
    return (
        f"{question}\n\n{answer}\n\nEach run is a trial: `{plan.study.experiment}` with {dimensions} "
        f"changed, {len(plan.replicas)} replicas side by side. Figures: "
        f"[{figures}]({figures}), in the report under "
        f"[{plan.name}](reports/README.md#{plan.name}). Made by `dvc repro study@{plan.name}`."
    )


def _write(
    client: MlflowClient, place: str, plan: StudyPlan, trial: Trial
) -> tuple[list[str], list[str]]:
    """A run of a trial: its point, the metrics over replicas, its curve and its picture.

    Returns the names of its metrics and of its pictures.
    """
    objectives = ", ".join(plan.study.objectives)
    note = (
        f"Trial {trial.number} of the study `{plan.name}` ({trial.state}); it seeks {objectives}. "
        f"Means, and medians with 10 % and 90 % quantiles, over {len(trial.result.failed)} "
        f"replicas. Figures: `reports/studies/{plan.name}/`."
    )
    tags = {
        TAG + "study": plan.name,
        TAG + "identity": plan.fingerprint,
        TAG + "trial": str(trial.number),
        "mlflow.note.content": note,
        "mlflow.source.name": "dvc.yaml",
        TAG + "process": locks.name(),
    }
    run = client.create_run(place, tags=tags, run_name=_name(plan, trial))
    params = [Param(key, str(value)) for key, value in trial.point.items()]
    client.log_batch(run.info.run_id, params=params)
    means = {metric: trial.mean(metric) for metric in trial.result.metrics}
    sound = {metric: mean for metric, mean in means.items() if mean is not None}
    wanted = {*plan.study.objectives, *plan.study.metrics}
    runs.log_metrics(client, run, runs.finals(run, plan.study.problem, sound, wanted))
    lost = {"diverged": float(trial.result.failed.sum()), "parameters": trial.result.parameters}
    runs.log_metrics(client, run, runs.metrics(run, lost, 0, charts.DETAILS))
    runs.log_curves(client, run, trial.result.history)
    pictures = _log_picture(client, run, plan, trial)
    # Last, and with the state: a run without it was never whole, be it closed since.
    client.set_tag(run.info.run_id, TAG + "state", trial.state)
    client.set_terminated(run.info.run_id, STATUS[trial.state])
    return [*client.get_run(run.info.run_id).data.metrics], pictures


def _log_picture(client: MlflowClient, run: Run, plan: StudyPlan, trial: Trial) -> list[str]:
    """What the network drew or echoed, if the trial came so far; returns the pictures' names."""
    if trial.state != "complete" or not trial.result.predictions:
        return []
    found = config(plan.document(trial.point))
    kept = {metric: v[~trial.result.failed] for metric, v in trial.result.metrics.items()}
    results = Results(trial.result.history, trial.result.predictions, kept, {}, None)
    steps = Problem(plan.study.problem).figures.progress_images(found, results)
    with tempfile.TemporaryDirectory() as folder:
        for key, figures in steps.items():
            step, figure = max(figures.items())
            path = Path(folder) / f"{step}.png"
            plotting.save(figure, path)
            for other in figures.values():
                plotting.close(other)
            client.log_image(run.info.run_id, mlflow.Image(str(path)), key=key, step=step)
            client.log_image(run.info.run_id, mlflow.Image(str(path)), f"{key}.png")
    return [*steps]
