"""Raw passages, and the samples cut from them."""

from pipeline.problems.text.data.examples import generate as generate
from pipeline.problems.text.data.examples import make_examples as make_examples
from pipeline.problems.text.data.examples import samples_per_sequence as samples_per_sequence
