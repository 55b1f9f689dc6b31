"""Sequences of random integers, and the windows that a network reads."""

from pipeline.problems.echo.data.examples import generate as generate
from pipeline.problems.echo.data.examples import make_examples as make_examples
from pipeline.problems.echo.data.examples import samples_per_sequence as samples_per_sequence
