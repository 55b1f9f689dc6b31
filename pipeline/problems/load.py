"""Problems by their names, with the defaults of the interface for what their parts lack."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from pipeline import problems
from pipeline.problems.base import (
    REQUIRED,
    AnalysisPart,
    ConfigPart,
    DataPart,
    FiguresPart,
    MetricsPart,
    ModelPart,
    ServingPart,
)
from pipeline.schema.experiment import RunConfig
from pipeline.utils.errors import InputError, validation_messages


class Problem:
    """A problem's parts, each imported when it is first used."""

    def __init__(self, name: str):
        self.name = name

    @functools.cached_property
    def config(self) -> ConfigPart:
        """Types and validation of its entries in params.yaml."""
        return cast(ConfigPart, self._part("config", ConfigPart))

    @functools.cached_property
    def data(self) -> DataPart:
        """Its raw sequences and samples."""
        return cast(DataPart, self._part("data", DataPart))

    @functools.cached_property
    def model(self) -> ModelPart:
        """Its network."""
        return cast(ModelPart, self._part("model", ModelPart))

    @functools.cached_property
    def metrics(self) -> MetricsPart:
        """Its metrics and reference values."""
        return cast(MetricsPart, self._part("metrics", MetricsPart))

    @functools.cached_property
    def analysis(self) -> AnalysisPart:
        """Analyses of its trained networks."""
        return cast(AnalysisPart, self._part("analysis", AnalysisPart))

    @functools.cached_property
    def figures(self) -> FiguresPart:
        """Its figures."""
        return cast(FiguresPart, self._part("figures", FiguresPart))

    @functools.cached_property
    def serving(self) -> ServingPart:
        """Its trained networks as MLflow models."""
        return cast(ServingPart, self._part("serving", ServingPart))

    @property
    def commands(self) -> dict[str, Callable[..., None]]:
        """Its commands by name: the public functions of the module `commands`.

        The first parameter is a `TrainedNetwork`; the others are declared as for Typer.
        """
        module = self._import("commands")
        functions = inspect.getmembers(module, inspect.isfunction) if module else []
        return {
            name: function
            for name, function in functions
            if function.__module__ == module.__name__ and not name.startswith("_")
        }

    @property
    def title(self) -> str:
        """The first line of the package's docstring, without its full stop."""
        return self._docstring().partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        """The rest of the package's docstring, for the report."""
        return self._docstring().partition("\n")[2].strip()

    def _docstring(self) -> str:
        package = importlib.import_module(f"{problems.__name__}.{self.name}")
        return (package.__doc__ or self.name).strip()

    def _part(self, part: str, protocol: type) -> _Part:
        return _Part(self._import(part), protocol)

    def _import(self, part: str) -> ModuleType | None:
        name = f"{problems.__name__}.{self.name}.{part}"
        exists = importlib.util.find_spec(name) is not None
        return importlib.import_module(name) if exists else None


class _Part:
    """The functions of a part, with the defaults of its protocol for those that it lacks."""

    def __init__(self, module: ModuleType | None, protocol: type):
        self._module, self._protocol = module, protocol

    def __getattr__(self, name: str) -> Any:
        owner = self._module if hasattr(self._module, name) else self._protocol
        return getattr(owner, name)


@functools.cache
def problem_names() -> list[str]:
    """Return the names of all problems: the packages that have all required parts.

    Those whose names start with an underscore do not count, such as the template.
    """
    folder = Path(problems.__path__[0])
    modules = pkgutil.iter_modules([str(folder)])
    packages = [module.name for module in modules if module.ispkg and module.name[0] != "_"]
    parts = {
        name: {module.name for module in pkgutil.iter_modules([str(folder / name)])}
        for name in packages
    }
    return [name for name in packages if parts[name] >= set(REQUIRED)]


def read_config(document: Mapping) -> RunConfig:
    """Rebuild a config from `RunConfig.to_dict`.

    Raises InputError if it does not fit the current problems and their keys.
    """
    try:
        config = Problem(document["experiment"]["problem"]).config
        return RunConfig(
            document["name"],
            _parse_section(document, "experiment", config.Experiment),
            _parse_section(document, "dataset", config.Dataset),
        )
    except (KeyError, TypeError, ImportError) as error:
        raise InputError(f"not an experiment of this pipeline: {error}") from None


def _parse_section(document: Mapping, key: str, kind: type[BaseModel]) -> Any:
    try:
        return kind.model_validate(document[key])
    except ValidationError as error:
        first, *_ = validation_messages(error, kind)
        raise InputError(f"not an experiment of this pipeline: {key}{first}") from None
