"""MLflow's experiments: one for each problem, with a view for each experiment of params.yaml."""

from collections.abc import Mapping

from mlflow import MlflowClient

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.problems.load import Problem
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import experiment_of
from pipeline.tracking import contents, server, views
from pipeline.tracking.server import TAG
from pipeline.utils import paths
from pipeline.utils.errors import InputError

EXPERIMENT = TAG + "experiment"
"""Tag of a network's run: the experiment of params.yaml that the network belongs to."""

NOTE = "mlflow.note.content"
"""Tag of a run or of an experiment: its description, in Markdown."""


def get_id(client: MlflowClient, config: RunConfig) -> str:
    """The id of the problem's MLflow experiment, which is created if it does not exist."""
    name = config.experiment.problem
    if experiment := client.get_experiment_by_name(name):
        return experiment.experiment_id
    return client.create_experiment(name, server.artifact_location(name))


def update(client: MlflowClient, id_: str, network: str, new: contents.Contents) -> None:
    """Add a network's run to the views and to the description of its MLflow experiment."""
    problem = client.get_experiment(id_).name
    experiment, known = experiment_of(network), _experiments(problem)
    all_runs = views.View(
        views.ALL_RUNS,
        f"All of {problem}",
        problem,
        query=f"tags.{EXPERIMENT} LIKE '%'",  # without replicas
        is_sorted=False,
    )
    own = views.View(
        experiment,
        experiment,
        problem,
        position=1 + (known.index(experiment) if experiment in known else len(known)),
        query=f"tags.{EXPERIMENT} = '{experiment}'",
    )
    views.update(client, id_, [all_runs, own], new)
    tags = client.get_experiment(id_).tags
    rows = {
        name: (views.link(id_, name), views.sort_metric(tags[views.TAG + name]))
        for name in known
        if views.TAG + name in tags
    }
    description = _describe_problem(problem, rows)
    if tags.get(NOTE) != description:
        client.set_experiment_tag(id_, NOTE, description)


def _experiments(problem: str) -> list[str]:
    """The experiments of a problem in params.yaml."""
    networks = load_params(paths.params()).networks.items()
    own = [name for name, entry in networks if entry.problem == problem]
    return list(dict.fromkeys(map(experiment_of, own)))


def _describe_problem(problem: str, shown: Mapping[str, tuple[str, str]]) -> str:
    """The description of a problem's MLflow experiment, in Markdown; the UI folds it to a line.

    `shown` are the link of each experiment, and the metric that its runs are sorted by.
    """
    rows = [
        f"| [{name}]({link.removeprefix('/')}) | {question(name).replace('|', '∣')} | {metric} |"
        for name, (link, metric) in shown.items()
    ]
    text = (
        f"{Problem(problem).title}. Unfold this text for links to the charts of each "
        "experiment.\n\n"
        "Each run is a network, and its replicas are child runs. Final metrics `test_…` are means "
        "over replicas; `ci_low` and `ci_high` are the ends of their 95% confidence intervals. In "
        "charts of learning curves, steps are the sequences seen in training, solid lines are "
        "medians over replicas, the others the 10% and 90% quantiles. The list icon above the "
        "charts shows the runs as a table, sorted by the first metric whose best value only one of "
        "them reaches. Networks that were not trained here have no duration.\n\n"
        "| experiment | question | sorted by |\n|---|---|---|\n"
    )
    while len(text) + len("\n".join(rows)) > views.LONGEST_TAG:
        rows.pop()  # the menu "Views" has all
    return text + "\n".join(rows)


def question(experiment: str) -> str:
    """The question of an experiment in report.yaml, or its name."""
    try:
        report = load_report(paths.report_texts(), load_params(paths.params()))
    except InputError:  # `pipeline check` lists the errors; a training must not end for them
        return experiment
    return report.texts(experiment).question or experiment
