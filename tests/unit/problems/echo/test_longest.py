"""The longest windows that a network echoes, in the command line and on the page."""

import pytest
from echoes import config

from pipeline.problems.base import TrainedNetwork
from pipeline.problems.echo import page
from pipeline.problems.echo.commands import echo
from pipeline.utils.errors import InputError

LSTM = {"architecture": "lstm"}


@pytest.mark.parametrize(("lengths", "longest"), [([], 5), ([1, 2], 5), ([2, 9], 9)])
def test_a_network_echoes_windows_as_long_as_in_training_or_in_tests(lengths, longest):
    case = config(5, 5, model=LSTM, eval_lengths=lengths)
    _, settings = page.network(case)
    assert (settings["window"], settings["echo"]) == (longest, longest)
    count = f"1 to {longest}" if lengths else "5"
    with pytest.raises(InputError, match=f"windows of {count} integers, got 10"):
        echo(TrainedNetwork(case, load=lambda _: pytest.fail("loaded")), ["1"] * 10)
    assert settings["shortest"] == (1 if lengths else 5)
