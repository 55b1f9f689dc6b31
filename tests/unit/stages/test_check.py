"""What of params.yaml decides which result: a file for each entry, for its stages to depend on."""

import pytest
from ruamel.yaml import YAML
from small import PARAMS, altered

from pipeline.stages import check
from pipeline.utils import paths

SMALL = YAML(typ="safe").load(PARAMS)


@pytest.fixture
def decisive(in_folder):
    """What `check` leaves for parameters: the text of each entry's file."""

    def checked(document: dict) -> dict[str, str]:
        in_folder(document)
        check.run()
        folder = paths.resolved()
        return {
            path.relative_to(folder).with_suffix("").as_posix(): path.read_text()
            for path in folder.rglob("*.json")
        }

    return checked


def changed(decisive, path: str, value) -> set[str]:
    """The entries that are told of a changed value."""
    before, after = decisive(SMALL), decisive(altered(path, value))
    assert set(before) == set(after)
    return {name for name in before if before[name] != after[name]}


def test_each_entry_has_a_file(decisive):
    assert set(decisive(SMALL)) == {
        f"{section}/{name}"
        for section in ("datasets", "experiments", "studies")
        for name in SMALL[section]
    }


def test_words_and_defaults_that_are_written_out_decide_nothing(decisive):
    assert changed(decisive, "questions/drawer", "Does it really draw?") == set()
    assert changed(decisive, "experiments/drawer/training/optimizer", "adam") == set()


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("datasets/echo/seed", 26, {"datasets/echo", "experiments/echoer", "studies/search"}),
        ("experiments/drawer/model/cells", 5, {"experiments/drawer", "studies/sizes"}),
        ("experiments/widths/arms/wide/model/cells", 7, {"experiments/widths"}),
        ("studies/sizes/space/model.cells", [1, 2], {"studies/sizes"}),
    ],
)
def test_a_changed_parameter_concerns_what_it_decides(decisive, path, value, told):
    assert changed(decisive, path, value) == told
