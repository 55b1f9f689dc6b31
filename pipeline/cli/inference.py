"""The commands that use a trained network: those of the problems' modules `commands`."""

import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.arguments import completion
from pipeline.params.load import load_params
from pipeline.problems.base import TrainedNetwork
from pipeline.problems.load import Problem, problem_names
from pipeline.schema.experiment import RunConfig
from pipeline.schema.params import Params
from pipeline.schema.variants import experiment_of
from pipeline.utils import paths
from pipeline.utils.errors import InputError

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.runs.checkpoint import Checkpoint

PANEL = "Inference"

Replica = Annotated[
    int,
    typer.Option(
        min=0,
        help="Number of the replica to use: each network is trained several times, with different "
        "seeds.",
    ),
]


def make_app(taken: Iterable[str]) -> typer.Typer:
    """Return the commands of all problems.

    Raises InputError if a command has the name of another one, or one of the names `taken`.
    """
    app, names = typer.Typer(), set(taken)
    for problem in problem_names():
        for name, function in _functions(problem).items():
            if name in names:
                raise InputError(f"pipeline/problems/{problem}/commands.py: {name} exists already")
            names.add(name)
            _add_command(app, problem, name, function)
    return app


def _functions(problem: str) -> dict[str, Callable[..., None]]:
    """Return the functions of a problem's commands by the names of the commands."""
    functions = Problem(problem).commands
    return {name.replace("_", "-"): function for name, function in functions.items()}


def _add_command(app: typer.Typer, problem: str, name: str, function: Callable[..., None]) -> None:
    """Add a command of a problem: its first parameter becomes the name of a trained network."""

    def command(network: str, replica: int, **options: Any) -> None:
        from pipeline.runs import checkpoint as checkpoints

        _check_network(network, name)
        checkpoint = checkpoints.load_for_problem(network, problem)
        _check_replica(checkpoint, replica)

        def load(config: RunConfig) -> "Replicas":
            return checkpoints.load_replica(checkpoint._replace(config=config), replica)

        function(TrainedNetwork(checkpoint.config, load), **options)

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
        rich_help_panel=PANEL,
        context_settings={"ignore_unknown_options": takes_list},  # negative numbers
    )(command)


def _network_of(problem: str) -> Any:
    """Return the annotation of an argument that names a trained network of a problem."""

    def names(params: Params) -> list[str]:
        return [name for name, network in params.networks.items() if network.problem == problem]

    return Annotated[
        str,
        typer.Argument(
            metavar="NETWORK",
            help="A trained network: EXPERIMENT, or EXPERIMENT/VARIANT if it has variants.",
            autocompletion=completion(names),
        ),
    ]


def _check_network(name: str, command: str) -> None:
    """Raise InputError if another command uses the network, or if it is one of several variants."""
    networks = load_params(paths.params()).networks
    if variants := [other for other in networks if experiment_of(other) == name != other]:
        raise InputError(f"{name} has several networks; choose one: {', '.join(variants)}")
    if name not in networks:
        return  # the error that follows lists the networks of the problem
    problem = networks[name].problem
    suitable = list(_functions(problem))
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
