"""The longest windows that a network echoes, for the command line and the page."""

from pipeline.problems.echo.config.types import at_length
from pipeline.schema.experiment import RunConfig


def at_longest(config: RunConfig) -> RunConfig:
    """Return the config of the same network for the longest windows of its training or tests."""
    framing = config.experiment.framing
    lengths = framing.eval_lengths
    return at_length(config, max(framing.window, *lengths)) if lengths else config
