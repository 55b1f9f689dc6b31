"""The command line: each command parses, calls and prints. No result depends on this module.

Commands import what they need in their bodies: `--help` and errors in the arguments would otherwise
wait seconds for TensorFlow, MLflow, Optuna and Matplotlib.
"""

import importlib.util
import inspect
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from pipeline import problems
from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.problems.base import Problem, TrainedNetwork, problem_names
from pipeline.runs.tracker import Tracker
from pipeline.schema.experiment import RunConfig
from pipeline.schema.params import Params
from pipeline.schema.variants import experiment_of
from pipeline.utils import console, files, paths
from pipeline.utils.errors import InputError

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.runs.checkpoint import Checkpoint

app = typer.Typer(
    name="pipeline",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

STAGES, INFERENCE = "Stages (run by dvc repro)", "Inference"
DATASETS, MAINTENANCE = "Experiments and datasets", "Maintenance"


def _completion(names: Callable[[Params], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return a function that completes names of params.yaml for the shell."""

    def complete(incomplete: str) -> list[str]:
        try:
            known = names(load_params(paths.params()))
        except InputError:
            return []
        return [name for name in known if name.startswith(incomplete)]

    return complete


def _name_in(section: str, metavar: str) -> Any:
    """Return an argument that names an entry of a section of params.yaml."""
    return typer.Argument(
        metavar=metavar,
        help=f"A name under `{section}` in params.yaml.",
        autocompletion=_completion(lambda params: getattr(params, section)),
    )


DatasetName = Annotated[str, _name_in("datasets", "DATASET")]
ExperimentName = Annotated[str, _name_in("experiments", "EXPERIMENT")]
StudyName = Annotated[str, _name_in("studies", "STUDY")]
Replica = Annotated[
    int,
    typer.Option(
        min=0,
        help="Number of the replica to use: each network is trained several times, with different "
        "seeds.",
    ),
]
DaskAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        envvar="LSTM_LABORATORY_DASK",
        help="Train on the workers of the Dask scheduler at tcp://HOST:PORT.",
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"lstm-laboratory {version('lstm-laboratory')}")
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Train, evaluate and use small LSTM networks."""


@app.command(rich_help_panel=STAGES)
def check() -> None:
    """Validate params.yaml and report.yaml, and write the full parameters to data/resolved/."""
    from pipeline.stages import check

    check.run()


@app.command(rich_help_panel=STAGES)
def generate(dataset: DatasetName) -> None:
    """Generate the raw sequences of a dataset and write data/DATASET.npz."""
    from pipeline.stages import generate

    generate.run(dataset)


@app.command(rich_help_panel=STAGES)
def train(experiment: ExperimentName, dask: DaskAddress = None) -> None:
    """Train all replicas of an experiment's networks and write models/EXPERIMENT/."""
    from pipeline.stages import train

    _check_experiment(experiment, "train")
    train.run(experiment, _mlflow_tracker, dask)


@app.command(rich_help_panel=STAGES)
def evaluate(experiment: ExperimentName) -> None:
    """Evaluate every replica on test sequences; write reports/metrics/ and reports/history/."""
    from pipeline.stages import evaluate

    _check_experiment(experiment, "evaluate")
    evaluate.run(experiment)


@app.command(rich_help_panel=STAGES)
def figures(experiment: ExperimentName) -> None:
    """Plot the results of an experiment and write reports/figures/EXPERIMENT/."""
    from pipeline.stages import figures

    _check_experiment(experiment, "figures")
    figures.run(experiment, _mlflow_tracker)


@app.command(rich_help_panel=STAGES)
def study(
    name: StudyName,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Worker processes on this machine (default: one per core)."),
    ] = None,
    dask: DaskAddress = None,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Optuna storage to copy the trials to, for dashboards: postgresql://… or the path "
            "of a journal file (default: .studies/journal.log).",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Run only the first N trials; the results then show only those.",
        ),
    ] = None,
) -> None:
    """Run a study's missing trials and write its results to reports/studies/STUDY/."""
    if workers and dask:
        raise InputError("--workers and --dask (or LSTM_LABORATORY_DASK) cannot be combined")
    from pipeline.stages import study

    study.run(name, workers, dask, storage, trials, _mlflow_tracker)


@app.command(rich_help_panel=STAGES)
def report() -> None:
    """Write reports/README.md, its pages and figures from the results of all stages."""
    from pipeline.stages import report

    report.run(_mlflow_tracker)


@app.command(rich_help_panel=STAGES)
def page(
    experiments: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Show only these experiments, separated by commas, and no studies.",
            autocompletion=_completion(lambda params: params.experiments),
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write, .html (default: reports/index.html).")
    ] = None,
) -> None:
    """Write the page on which one can play with the trained networks.

    It is one file, which opens in a browser without a server and without the internet.
    """
    from pipeline.stages import page

    if out:
        files.prepare_output("--out", out, (".html",))
    names = [name.strip() for name in (experiments or "").split(",") if name.strip()]
    print(page.run(names, out))


@app.command("list", rich_help_panel=DATASETS)
def list_() -> None:
    """List the experiments, studies and datasets of params.yaml, with their questions."""
    from pipeline.stages import listing

    listing.run()


@app.command(rich_help_panel=DATASETS)
def compare() -> None:
    """Print what differs between the DVC experiments of the current commit, side by side."""
    from pipeline.stages import compare

    compare.run()


@app.command(rich_help_panel=DATASETS)
def show(
    dataset: DatasetName,
    window: Annotated[
        int, typer.Option(min=1, help="Characters in the window of a sample (texts only).")
    ] = 3,
) -> None:
    """Show the origin of a dataset, and its first sequences."""
    config = load_params(paths.params()).dataset(dataset)
    module = f"{problems.__name__}.{config.problem}.show"
    if importlib.util.find_spec(module) is None:
        raise InputError(f"{dataset}: problem {config.problem!r} has no module show.py")
    for line in importlib.import_module(module).describe_dataset(dataset, config, window):
        console.print_text(line)


@app.command(rich_help_panel=MAINTENANCE)
def quick(
    scale: Annotated[
        float,
        typer.Option(
            help="Share of the sequences, replicas and held-out data to use, between 0 and 1."
        ),
    ] = 0.02,
) -> None:
    """Run everything on a small share of the data, and draw every figure, in .quick/."""
    from pipeline.stages import quick

    print(quick.run(scale))


@app.command(rich_help_panel=MAINTENANCE)
def verify(
    revision: Annotated[
        str, typer.Argument(metavar="REV", help="A commit, branch or tag to compare with.")
    ] = "HEAD",
) -> None:
    """Compare the metrics in reports/ with those of a git revision.

    The exit code is 1 if more networks differ than chance explains.
    """
    from pipeline.stages import verify

    if not verify.run(revision):
        raise typer.Exit(1)


@app.command(rich_help_panel=MAINTENANCE)
def new_problem(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Lower-case letters and digits, such as adding.")
    ],
) -> None:
    """Write a new problem to pipeline/problems/NAME/: a working example to start from."""
    from pipeline.stages import new_problem

    for path in new_problem.run(name):
        print(paths.relative(path))
    console.print_status(f"run it: dvc repro figures@{name}")


@app.command(
    rich_help_panel=MAINTENANCE,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def worker(
    context: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="Address of the scheduler: tcp://HOST:PORT.")
    ],
    count: Annotated[
        int | None, typer.Option(min=1, help="Number of workers (default: one per core).")
    ] = None,
) -> None:
    """Start Dask workers on this machine, for `train --dask` and `study --dask`.

    Further options are those of `dask worker`.
    """
    from pipeline.runs import executors

    executors.start_dask_workers(address, count, context.args)


@app.command(rich_help_panel=MAINTENANCE)
def sync() -> None:
    """Make MLflow match the files: add missing runs, trials and registered models.

    They are built from the results in data/, models/ and reports/. Run it after `dvc pull`, or when
    MLflow was unavailable during a training.
    """
    from pipeline.tracking import logger

    params = load_params(paths.params())
    report = load_report(paths.report_texts(), params)
    ready = [
        name
        for name, networks in params.experiments.items()
        if all(paths.model(network).is_dir() for network in networks)
    ]
    with console.progress("sync", len(ready), "experiments") as progress:
        for done, name in enumerate(ready, start=1):
            for network, added in logger.sync_experiment(name).items():
                print(f"{network}: {'added ' + ', '.join(added) if added else 'complete'}")
            progress(done, name)
    for name in params.experiments:
        if name not in ready:
            print(f"{name}: not trained here; run: dvc pull, or dvc repro train@{name}")
    for name in params.studies:
        added = logger.sync_study(name)
        if added is None:
            print(f"{name}: no trials here; run: dvc pull, or dvc repro study@{name}")
        else:
            print(f"{name}: {f'added {len(added)} trials' if added else 'complete'}")
    for name in report.models:
        print(f"{name}: {logger.sync_model(name, params)}")
    logger.close_abandoned()


@app.command(rich_help_panel=MAINTENANCE)
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 5000,
) -> None:
    """Start the MLflow UI and print links to its charts."""
    from pipeline.tracking import server

    server.serve(port)


def _network_of(problem: str) -> Any:
    """Return the annotation of an argument that names a trained network of a problem."""

    def names(params: Params) -> list[str]:
        return [name for name, network in params.networks.items() if network.problem == problem]

    return Annotated[
        str,
        typer.Argument(
            metavar="NETWORK",
            help="A trained network: EXPERIMENT, or EXPERIMENT/VARIANT if it has variants.",
            autocompletion=_completion(names),
        ),
    ]


def _add_command(problem: str, name: str, function: Callable[..., None]) -> None:
    """Add a command of a problem: its first parameter becomes the name of a trained network."""

    def command(network: str, replica: int, **options: Any) -> None:
        from pipeline.runs import checkpoint as checkpoints

        _check_network(network, name)
        checkpoint = checkpoints.load_for_problem(network, problem)
        _check_replica(checkpoint, replica)

        def load(config: RunConfig) -> "Replicas":
            return checkpoints.load_replica(checkpoint._replace(config=config), replica)

        function(TrainedNetwork(checkpoint.config, load), **options)

    if name in get_command(app).commands:  # type: ignore[attr-defined]
        raise InputError(f"pipeline/problems/{problem}/commands.py: {name} exists already")
    _, *options = inspect.signature(function, eval_str=True).parameters.values()
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("network", kind, annotation=_network_of(problem)),
        *(option.replace(kind=kind) for option in options),
        inspect.Parameter("replica", kind, annotation=Replica, default=0),
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    takes_list = any("list[" in str(option.annotation) for option in options)
    app.command(
        name,
        help=inspect.getdoc(function),
        rich_help_panel=INFERENCE,
        context_settings={"ignore_unknown_options": takes_list},  # negative numbers
    )(command)


for _problem in problem_names():
    for _name, _function in Problem(_problem).commands.items():
        _add_command(_problem, _name.replace("_", "-"), _function)


def _mlflow_tracker() -> Tracker:
    """Create the tracker; stages call this late, because MLflow takes seconds to import."""
    from pipeline.tracking.logger import MLflowTracker

    return MLflowTracker()


def _check_experiment(name: str, command: str) -> None:
    """Raise InputError for the name of a variant, because stages run whole experiments."""
    experiment = experiment_of(name)
    if experiment != name and name in load_params(paths.params()).networks:
        raise InputError(
            f"{name} is one variant; run the whole experiment: pipeline {command} {experiment}"
        )


def _check_network(name: str, command: str) -> None:
    """Raise InputError if another command uses the network, or if it is one of several variants."""
    networks = load_params(paths.params()).networks
    if variants := [other for other in networks if experiment_of(other) == name != other]:
        raise InputError(f"{name} has several networks; choose one: {', '.join(variants)}")
    if name not in networks:
        return  # the error that follows lists the networks of the problem
    problem = networks[name].problem
    suitable = [each.replace("_", "-") for each in Problem(problem).commands]
    if not suitable:
        raise InputError(
            f"{name}: problem {problem!r} has no commands; to add one, write "
            f"pipeline/problems/{problem}/commands.py"
        )
    if command not in suitable:
        raise InputError(f"{name}: is a network of {problem}; run: pipeline {suitable[0]} {name}")


def _check_replica(checkpoint: "Checkpoint", replica: int) -> None:
    """Raise InputError if there is no replica of that number, or if it diverged."""
    count, name = len(checkpoint.diverged), checkpoint.config.name
    if replica >= count:
        raise InputError(f"--replica: must be less than {count} for {name}, got {replica}")
    if checkpoint.diverged[replica]:
        raise InputError(
            f"--replica: replica {replica} of {name} diverged in training; choose another"
        )
