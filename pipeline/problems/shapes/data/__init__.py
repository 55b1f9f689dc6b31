"""Random shapes, and the examples that networks are trained on."""

from pipeline.problems.shapes.data.examples import generate as generate
from pipeline.problems.shapes.data.examples import make_examples as make_examples
from pipeline.problems.shapes.data.examples import samples_per_sequence as samples_per_sequence
