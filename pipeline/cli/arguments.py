"""Arguments and options that several commands have."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from pipeline.params.load import load_params
from pipeline.schema.params import Params
from pipeline.utils import paths
from pipeline.utils.errors import InputError


def completion(names: Callable[[Params], Iterable[str]]) -> Callable[[str], list[str]]:
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
        autocompletion=completion(lambda params: getattr(params, section)),
    )


DatasetName = Annotated[str, _name_in("datasets", "DATASET")]
ExperimentName = Annotated[str, _name_in("experiments", "EXPERIMENT")]
StudyName = Annotated[str, _name_in("studies", "STUDY")]
DaskAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        envvar="LSTM_LABORATORY_DASK",
        help="Train on the workers of the Dask scheduler at tcp://HOST:PORT.",
    ),
]
