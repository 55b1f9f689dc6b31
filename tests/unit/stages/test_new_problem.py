"""`pipeline new-problem` writes a problem, or nothing."""

import pytest

from pipeline.stages import new_problem
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError

SETTINGS = "datasets:\nexperiments:\nstudies: {}\n"


@pytest.fixture
def folder(in_folder, tmp_path):
    """An empty folder with a params.yaml."""
    in_folder(SETTINGS)
    return tmp_path


def test_it_writes_the_problem_its_test_and_its_entries(folder):
    written = new_problem.run("parity")
    assert [paths.relative(path) for path in written] == [
        "pipeline/problems/parity",
        "tests/unit/problems/test_parity.py",
        "params.yaml",
    ]
    for path in written[0].iterdir():
        assert "emplate" not in path.read_text()
    assert "class TestParity" in written[1].read_text()
    assert "  parity:\n    problem: parity\n" in written[2].read_text()


@pytest.mark.parametrize("name", ["Adding", "two-words", "9lives", "class", "true", "a" * 21, ""])
def test_a_name_that_cannot_be_used_is_an_error(folder, name):
    with pytest.raises(InputError, match="a problem's name must be at most 20 lower-case letters"):
        new_problem.run(name)


def test_the_name_of_an_existing_problem_is_an_error(folder):
    new_problem.run("parity")
    with pytest.raises(InputError, match="parity: pipeline/problems/parity already exists"):
        new_problem.run("parity")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (SETTINGS.replace("datasets:", "datasets: {}"), "must have a line `datasets:`"),
        (SETTINGS.replace("{}", "{parity: {}}"), "already has this name in studies"),
        ("datasets: [", "cannot be read; run: pipeline check"),
    ],
)
def test_params_that_cannot_take_the_entries_are_an_error(in_folder, settings, message):
    in_folder(settings)
    with pytest.raises(InputError, match=message):
        new_problem.run("parity")


def test_a_failure_half_way_leaves_nothing_behind(folder, monkeypatch):
    def fail(path, text):
        if path == paths.params():
            raise OSError("the disk is full")
        write_text(path, text)

    write_text = files.write_text
    monkeypatch.setattr(files, "write_text", fail)
    with pytest.raises(OSError, match="the disk is full"):
        new_problem.run("parity")
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert (folder / "params.yaml").read_text() == SETTINGS
    assert [path for path in folder.rglob("*") if path.is_file()] == [folder / "params.yaml"]
