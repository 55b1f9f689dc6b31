"""Types and validation of this problem's entries in params.yaml. Imports no Keras."""

from pipeline.problems.text.config.files import resolve as resolve
from pipeline.problems.text.config.types import ALTERNATIVES as ALTERNATIVES
from pipeline.problems.text.config.types import Dataset as Dataset
from pipeline.problems.text.config.types import Experiment as Experiment
from pipeline.problems.text.config.validate import validate as validate
from pipeline.problems.text.config.validate import warnings as warnings
