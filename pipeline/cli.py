"""The commands: each parses, calls, prints. Nothing that a result depends on lives here."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline import recorded
from pipeline.params.load import load_params
from pipeline.runs.tracker import Tracker
from pipeline.schema.variants import experiment_of
from pipeline.utils import console, paths
from pipeline.utils.errors import InputError

app = typer.Typer(
    name="pipeline",
    help="The LSTM laboratory: draw shapes, echo integers, write text, and compare.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

STAGES, USE, LOOK = (
    "Stages (dvc repro runs them)",
    "Use what is trained",
    "Look after the laboratory",
)

USED = {"shapes": "draw", "echo": "echo", "text": "write"}
"""The command that asks the networks of a problem."""

DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="A name under datasets:.")]
NetworkName = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="A name under experiments:, or experiment/arm.")
]
ExperimentName = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="A name under experiments: in params.yaml.")
]


@app.command(rich_help_panel=STAGES)
def generate(dataset: DatasetName) -> None:
    """Make the raw sequences of a dataset: data/DATASET.npz."""
    from pipeline.stages import generate

    generate.run(dataset)


@app.command(rich_help_panel=STAGES)
def train(experiment: ExperimentName) -> None:
    """Train all replicas of an experiment's networks: models/EXPERIMENT/."""
    from pipeline.stages import train

    _check_whole(experiment)
    recorded.warn_of_inputs(f"train@{experiment}")
    train.run(experiment, _mlflow)


@app.command(rich_help_panel=STAGES)
def evaluate(experiment: ExperimentName) -> None:
    """Measure every replica on test sequences: reports/metrics/ and reports/history/."""
    from pipeline.stages import evaluate

    _check_whole(experiment)
    recorded.warn_of_inputs(f"evaluate@{experiment}")
    evaluate.run(experiment)


@app.command(rich_help_panel=STAGES)
def figures(experiment: ExperimentName) -> None:
    """Draw an evaluated experiment: reports/figures/EXPERIMENT/."""
    from pipeline.stages import figures

    _check_whole(experiment)
    recorded.warn_of_inputs(f"figures@{experiment}")
    figures.run(experiment, _mlflow)


@app.command(rich_help_panel=STAGES)
def study(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A name under studies:.")],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine; default: one per core.")
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run the trials on Dask's workers instead."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where trials are kept: postgresql://…, or a journal file; default: .studies/.",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Run and export only the first so many trials: reports/studies/STUDY/ then shows "
            "those alone.",
        ),
    ] = None,
) -> None:
    """Run what is missing of a study, and show what it found: reports/studies/STUDY/."""
    if workers and dask:
        raise InputError(
            "--workers, --dask: give one of them: so many processes here, or Dask's workers"
        )
    from pipeline.stages import study

    study.run(name, workers, dask, storage, trials, _mlflow)


@app.command(rich_help_panel=STAGES)
def report() -> None:
    """Write reports/README.md and draw the comparisons, from all that was measured."""
    from pipeline.stages import report

    recorded.warn_of_inputs("report")
    report.run(_mlflow)


@app.command(rich_help_panel=STAGES)
def check() -> None:
    """Check the whole of params.yaml and name the key of each fault."""
    from pipeline.stages import check

    check.run()


@app.command(rich_help_panel=USE)
def draw(
    experiment: NetworkName,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="How many shapes to draw.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of generators that sample.")] = 0,
    temperature: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Of generators that sample: 0 draws what is likeliest, 1 (default) as learned, "
            "more is wilder.",
        ),
    ] = None,
    shape: Annotated[
        str | None, typer.Option(help="Of generators that draw several kinds: which.")
    ] = None,
    replica: Annotated[int, typer.Option(min=0, help="Which of the trained networks draws.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Picture to write, .svg or .png; default EXPERIMENT.svg.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the polygons as JSON instead of drawing them.")
    ] = False,
) -> None:
    """Let a trained network draw shapes."""
    from pipeline.problems.shapes.config.validate import drawable
    from pipeline.runs import checkpoint

    if out and as_json:
        raise InputError("--json, --out: give one of them: polygons to print, or a picture")
    if out and out.suffix not in (".svg", ".png"):
        raise InputError(f"--out: must end in .svg or .png, got {str(out)!r}")
    if out:
        _make_folder("--out", out.parent)

    _check_use(experiment, "draw")
    found = checkpoint.load_for_problem(experiment, "shapes")
    config = found.config
    shape = drawable(config, shape, temperature)
    from pipeline.problems.shapes.model import drawing  # loads Keras: after all checks

    drawer = checkpoint.load_replica(found, replica)
    polygons = drawing.sample(
        drawer, config, count, seed, 1.0 if temperature is None else temperature, shape
    )
    if as_json:
        print(json.dumps({"experiment": experiment, "shape": shape, "polygons": polygons.tolist()}))
        return
    from pipeline import plotting
    from pipeline.problems.shapes.figures.experiment import polygons as draw_polygons
    from pipeline.utils import files

    path = out or Path(f"{config.identifier}.svg")
    with files.atomic_write(path) as partial:
        plotting.save(draw_polygons(config, polygons), partial, path.suffix[1:])
    print(path)


@app.command(rich_help_panel=USE, context_settings={"ignore_unknown_options": True})
def echo(
    experiment: NetworkName,
    integers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INTEGER…",
            help="One window; without any, a window per line of stdin, echoed at its end.",
        ),
    ] = None,
    replica: Annotated[int, typer.Option(min=0, help="Which of the trained networks echoes.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per window.")
    ] = False,
) -> None:
    """Let a trained network echo a window of integers."""
    from pipeline.problems.echo.config.types import MISSING, at_length
    from pipeline.problems.echo.data.examples import parse
    from pipeline.runs import checkpoint

    lines = [integers] if integers else [line.split() for line in _stdin()]
    _check_use(experiment, "echo")
    found = checkpoint.load_for_problem(experiment, "echo")
    if lengths := found.config.experiment.framing.eval_lengths:  # as far as it was measured
        found = found._replace(config=at_length(found.config, max(lengths)))
    windows = parse(lines, found.config)
    if found.config.experiment.framing.target == "sequence":
        console.print_status(
            f"{experiment} is asked for the first integer of a sequence, not for its echo"
        )
    from pipeline.problems.echo.model import network  # loads Keras: after all checks

    echoed = network.echo(checkpoint.load_replica(found, replica), found.config, windows)
    for window, predicted, expected in zip(windows, *echoed, strict=True):
        if as_json:
            shown = window[window != MISSING]
            found = {"input": shown, "predicted": predicted, "expected": expected}
            print(json.dumps({key: [int(i) for i in value] for key, value in found.items()}))
        else:
            print(*predicted)


@app.command(rich_help_panel=USE)
def show(
    dataset: DatasetName,
    window: Annotated[
        int, typer.Option(min=1, help="Characters of the windows that are shown.")
    ] = 3,
) -> None:
    """Show a dataset of text: where it comes from, and its beginning in the chapter's framings."""
    from pipeline.problems.text import tables

    for line in tables.lines(dataset, window):
        print(line)


@app.command(rich_help_panel=USE)
def write(
    experiment: NetworkName,
    seed: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What to begin with; default: as the corpus does."),
    ] = None,
    length: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="How many characters to write.")
    ] = 500,
    temperature: Annotated[
        float,
        typer.Option(help="0 writes what is likeliest, 1 as learned, more is wilder."),
    ] = 1.0,
    random_seed: Annotated[int, typer.Option(min=0, help="Of what is drawn at random.")] = 0,
    replica: Annotated[int, typer.Option(min=0, help="Which of the trained networks writes.")] = 0,
) -> None:
    """Let a trained network write text, shown as it comes."""
    from pipeline.problems.text.data import prompt
    from pipeline.runs import checkpoint

    _check_use(experiment, "write")
    found = checkpoint.load_for_problem(experiment, "text")
    start = prompt.begin(found.config, seed)
    heat = prompt.warmth(temperature)
    from pipeline.problems.text.model.writing import Writer  # loads Keras: after all checks

    writer = Writer(checkpoint.load_replica(found, replica), found.config)
    for text in writer.emit(start, heat, random_seed, length):
        print(text, end="", flush=True)
    print()


@app.command(rich_help_panel=LOOK)
def track(
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Where trials of studies under way are kept, if not here."
        ),
    ] = None,
) -> None:
    """Add to MLflow whatever runs and models are missing there, from the files that are here."""
    from pipeline.tracking import logger

    found = load_params(paths.params())
    recorded.warn_of_results()
    known = found.experiments
    ready = [name for name in known if all(paths.model(n).is_dir() for n in known[name])]
    with console.progress("track", len(ready), "experiments") as progress:
        for done, name in enumerate(ready, start=1):
            for network, added in logger.sync_experiment(name).items():
                print(f"{network}: {'added ' + ', '.join(added) if added else 'complete'}")
            progress(done, name)
    for name in known:
        if name not in ready:
            print(f"{name}: not trained here; dvc pull, or dvc repro train@{name}")
    for name in found.studies:
        added = logger.sync_study(name, storage)
        if added is None:
            print(f"{name}: no trials here; dvc pull, or dvc repro study@{name}")
        else:
            print(f"{name}: {f'added {len(added)} trials' if added else 'complete'}")
    for name in found.models:
        print(f"{name}: {logger.sync_model(name, found)}")


@app.command(rich_help_panel=LOOK)
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 5000,
) -> None:
    """Start the MLflow UI on the tracking database and print the links to its charts."""
    from pipeline.tracking import server

    server.serve(port)


def _mlflow() -> Tracker:
    """What stages report to."""
    from pipeline.tracking.logger import MLflowTracker  # MLflow takes two seconds to import

    return MLflowTracker()


def _check_whole(name: str) -> None:
    """InputError for an arm: stages take its whole experiment."""
    whole = experiment_of(name)
    if whole != name and name in load_params(paths.params()).networks:
        raise InputError(f"{name} is an arm; stages take its whole experiment: {whole}")


def _check_use(name: str, command: str) -> None:
    """InputError for a network that another command asks, and for the name of several."""
    networks = load_params(paths.params()).networks
    if mine := [other for other in networks if experiment_of(other) == name != other]:
        raise InputError(f"{name} has several networks; choose one: {', '.join(mine)}")
    if name in networks and (right := USED[networks[name].problem]) != command:
        problem = networks[name].problem
        raise InputError(f"{name}: a network of {problem}; ask it with: pipeline {right} {name}")
    recorded.warn_of_results(f"train@{experiment_of(name)}")


def _make_folder(option: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{option}: {folder} is no folder ({error.strerror})") from None


def _stdin() -> list[str]:
    """The lines of standard input but for empty ones at its end."""
    return sys.stdin.read().rstrip().splitlines()
