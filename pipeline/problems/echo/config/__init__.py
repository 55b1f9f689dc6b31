"""The keys of params.yaml that belong to echo experiments. Imports neither Keras nor Matplotlib."""

from pipeline.problems.echo.config.files import resolve as resolve
from pipeline.problems.echo.config.types import ALTERNATIVES as ALTERNATIVES
from pipeline.problems.echo.config.types import Dataset as Dataset
from pipeline.problems.echo.config.types import Experiment as Experiment
from pipeline.problems.echo.config.validate import validate as validate
from pipeline.problems.echo.config.validate import warnings as warnings
