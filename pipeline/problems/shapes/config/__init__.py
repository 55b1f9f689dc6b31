"""Configuration of shapes in params.yaml. Imports neither Keras nor Matplotlib."""

from pipeline.problems.shapes.config.files import resolve as resolve
from pipeline.problems.shapes.config.types import ALTERNATIVES as ALTERNATIVES
from pipeline.problems.shapes.config.types import Dataset as Dataset
from pipeline.problems.shapes.config.types import Experiment as Experiment
from pipeline.problems.shapes.config.validate import validate as validate
