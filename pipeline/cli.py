"""The command line: each command parses, calls and prints. No result depends on this module.

Commands import what they need in their bodies: `--help` and errors in the arguments would otherwise
wait seconds for TensorFlow, MLflow, Optuna and Matplotlib.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.runs.tracker import Tracker
from pipeline.schema.variants import experiment_of
from pipeline.utils import console, paths
from pipeline.utils.errors import InputError

if TYPE_CHECKING:
    from pipeline.runs.checkpoint import Checkpoint

app = typer.Typer(
    name="pipeline",
    help="Train and use small LSTMs that draw shapes, echo integers and write text.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

STAGES, INFERENCE = "Stages (run by dvc repro)", "Inference"
DATASETS, MAINTENANCE = "Datasets", "Maintenance"

INFERENCE_COMMANDS = {"shapes": "draw", "echo": "echo", "text": "write"}
"""The command that uses the trained networks of each problem."""

DatasetName = Annotated[
    str, typer.Argument(metavar="DATASET", help="A name under `datasets` in params.yaml.")
]
ExperimentName = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="A name under `experiments` in params.yaml.")
]
NetworkName = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK",
        help="A trained network: EXPERIMENT, or EXPERIMENT/VARIANT if it has variants.",
    ),
]
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
    name: Annotated[
        str, typer.Argument(metavar="STUDY", help="A name under `studies` in params.yaml.")
    ],
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Worker processes on this machine (default: one per core)."),
    ] = None,
    dask: DaskAddress = None,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Optuna storage that mirrors the trials, for dashboards: postgresql://… or a "
            "journal file (default: .studies/journal.log).",
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
    """Write reports/README.md and its figures from the results of all stages."""
    from pipeline.stages import report

    report.run(_mlflow_tracker)


@app.command(rich_help_panel=INFERENCE)
def draw(
    network: NetworkName,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="Shapes to draw.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Random seed (generators only).")] = 0,
    temperature: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Sampling temperature (generators only): 0 takes the most likely value of each "
            "coordinate, 1 (default) samples as trained, higher values are more random.",
        ),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            help="Shape family to draw, such as circle (networks of several families only, such as "
            "any-tokens)."
        ),
    ] = None,
    replica: Replica = 0,
    out: Annotated[
        Path | None, typer.Option(help="Image to write, .svg or .png (default: NETWORK.svg).")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the polygons as JSON instead of drawing them.")
    ] = False,
) -> None:
    """Draw shapes with a trained network.

    A generator, such as star/tokens, draws a sample of different shapes; --seed chooses the sample.
    Other networks always draw the same shape.
    """
    from pipeline import plotting
    from pipeline.problems.shapes.config.validate import shape_to_draw
    from pipeline.problems.shapes.figures.experiment import plot_polygons
    from pipeline.runs import checkpoint as checkpoints
    from pipeline.utils import files

    if out and as_json:
        raise InputError("--json and --out cannot be combined")
    if out and out.suffix not in (".svg", ".png"):
        raise InputError(f"--out: must end in .svg or .png, got {str(out)!r}")
    if out:
        _make_folder("--out", out.parent)
    _check_network(network, "draw")
    checkpoint = checkpoints.load_for_problem(network, "shapes")
    _check_replica(checkpoint, replica)
    config = checkpoint.config
    shape = shape_to_draw(config, shape, temperature)
    from pipeline.problems.shapes.model.drawing import draw_shapes  # loads Keras: after all checks

    replicas = checkpoints.load_replica(checkpoint, replica)
    temperature = 1.0 if temperature is None else temperature
    polygons = draw_shapes(replicas, config, count, seed, temperature, shape)
    if as_json:
        print(json.dumps({"network": network, "shape": shape, "polygons": polygons.tolist()}))
        return
    path = out or Path(f"{config.identifier}.svg")
    with files.atomic_write(path) as partial:
        plotting.save(plot_polygons(config, polygons), partial, path.suffix[1:])
    print(path)


@app.command(rich_help_panel=INFERENCE, context_settings={"ignore_unknown_options": True})
def echo(
    network: NetworkName,
    integers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INTEGER…",
            help="The integers of a window (default: read one window per line of standard input).",
        ),
    ] = None,
    replica: Replica = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per window.")
    ] = False,
) -> None:
    """Echo a window of integers with a trained network."""
    from pipeline.problems.echo.config.types import MISSING, at_length
    from pipeline.problems.echo.data.examples import parse_windows
    from pipeline.runs import checkpoint as checkpoints

    lines = [integers] if integers else [line.split() for line in _read_stdin()]
    _check_network(network, "echo")
    checkpoint = checkpoints.load_for_problem(network, "echo")
    _check_replica(checkpoint, replica)
    framing = checkpoint.config.experiment.framing
    if framing.eval_lengths:  # it was evaluated on windows of up to this length
        longest = at_length(checkpoint.config, max(framing.eval_lengths))
        checkpoint = checkpoint._replace(config=longest)
    config = checkpoint.config
    windows = parse_windows(lines, config)
    if framing.target == "sequence":
        console.print_status(
            f"{network} was trained to output the first integer of a sequence, not an echo"
        )
    from pipeline.problems.echo.model.network import echo  # loads Keras: after all checks

    echoes = echo(checkpoints.load_replica(checkpoint, replica), config, windows)
    for window, predicted, expected in zip(windows, *echoes, strict=True):
        if as_json:
            row = {"input": window[window != MISSING], "predicted": predicted, "expected": expected}
            print(json.dumps({key: [int(i) for i in value] for key, value in row.items()}))
        else:
            print(*predicted)


@app.command(rich_help_panel=INFERENCE)
def write(
    network: NetworkName,
    prompt: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Text to start from (default: the start of the corpus)."),
    ] = None,
    length: Annotated[int, typer.Option(min=1, max=1_000_000, help="Characters to write.")] = 500,
    temperature: Annotated[
        float,
        typer.Option(
            help="Sampling temperature: 0 takes the most likely character each time, 1 samples as "
            "trained, higher values are more random."
        ),
    ] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Random seed of the sampling.")] = 0,
    replica: Replica = 0,
) -> None:
    """Write text with a trained network."""
    from pipeline.problems.text.data.prompt import check_temperature, encode_prompt
    from pipeline.runs import checkpoint as checkpoints

    _check_network(network, "write")
    checkpoint = checkpoints.load_for_problem(network, "text")
    _check_replica(checkpoint, replica)
    start = encode_prompt(checkpoint.config, prompt)
    temperature = check_temperature(temperature)
    from pipeline.problems.text.model.writing import Writer  # loads Keras: after all checks

    writer = Writer(checkpoints.load_replica(checkpoint, replica), checkpoint.config)
    for text in writer.stream(start, temperature, seed, length):
        print(text, end="", flush=True)
    print()


@app.command(rich_help_panel=DATASETS)
def show(
    dataset: DatasetName,
    window: Annotated[int, typer.Option(min=1, help="Characters in the window of a sample.")] = 3,
) -> None:
    """Show the origin, excerpts and first samples of a text dataset."""
    from pipeline.problems.text.show import describe_dataset

    for line in describe_dataset(load_params(paths.params()).datasets, dataset, window):
        print(line)


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
    """Start Dask workers on this machine, for the option --dask of `train` and `study`.

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


@app.command(rich_help_panel=MAINTENANCE)
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 5000,
) -> None:
    """Start the MLflow UI and print links to its charts."""
    from pipeline.tracking import server

    server.serve(port)


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
    suitable = INFERENCE_COMMANDS.get(problem)
    if suitable is None:
        raise InputError(f"{name}: no inference command for problem {problem!r}")
    if suitable != command:
        raise InputError(f"{name}: is a network of {problem}; run: pipeline {suitable} {name}")


def _check_replica(checkpoint: "Checkpoint", replica: int) -> None:
    """Raise InputError if there is no replica of that number, or if it diverged."""
    count, name = len(checkpoint.diverged), checkpoint.config.name
    if replica >= count:
        raise InputError(f"--replica: must be less than {count} for {name}, got {replica}")
    if checkpoint.diverged[replica]:
        raise InputError(
            f"--replica: replica {replica} of {name} diverged in training; choose another"
        )


def _make_folder(option: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{option}: {folder} is not a folder ({error.strerror})") from None


def _read_stdin() -> list[str]:
    """Return the lines of standard input, without empty ones at the end."""
    return sys.stdin.read().rstrip().splitlines()
