"""Files are written atomically; corrupt ones raise InputError."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.utils import files
from pipeline.utils.errors import InputError


@pytest.fixture(autouse=True)
def _project(in_folder):
    in_folder("")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.atomic_write(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.glob("*file*")] == ["file.txt"]


def test_a_folder_replaces_the_old_one(tmp_path):
    path = tmp_path / "folder"
    for content in ("old", "new"):
        with files.atomic_write(path) as partial:
            partial.mkdir()
            (partial / content).touch()
    assert [entry.name for entry in path.iterdir()] == ["new"]
    assert {entry.name for entry in tmp_path.iterdir()} == {"folder", "params.yaml"}


def test_two_processes_can_write_a_file_and_what_a_killed_one_left_is_removed(tmp_path):
    path = tmp_path / "file.txt"
    write = "from pathlib import Path; from pipeline.utils import files; import os; "
    leave = f"block = files.atomic_write(Path({str(path)!r})); block.__enter__().touch(); "
    with files.atomic_write(path) as partial:
        partial.write_text("first")
        subprocess.run([sys.executable, "-c", write + leave + "os._exit(0)"], check=True)
        second = f"files.write_text(Path({str(path)!r}), 'second')"
        subprocess.run([sys.executable, "-c", write + second], check=True)
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert [entry.name for entry in tmp_path.glob("*file*")] == ["file.txt"]


def test_a_file_does_not_replace_a_folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").touch()
    with pytest.raises(IsADirectoryError, match="folder"):
        files.write_text(folder, "new")
    assert [entry.name for entry in folder.iterdir()] == ["old"]


def test_a_folder_is_restored_after_a_kill_between_two_renames(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "old").touch()
    path.replace(tmp_path / ".folder.replaced")
    with pytest.raises(RuntimeError), files.atomic_write(path):
        raise RuntimeError
    assert (path / "old").exists()


def test_arrays_are_read_with_their_metadata(tmp_path):
    path = tmp_path / "arrays.npz"
    files.write_arrays(path, {"a": np.arange(3)}, {"seed": 1})
    arrays, about = files.read_arrays(path, "a", hint="")
    assert arrays["a"].tolist() == [0, 1, 2]
    assert about == {"seed": 1}


def test_more_arrays_are_read_than_a_zip_file_counts(tmp_path):
    path = tmp_path / "arrays.npz"
    files.write_arrays(path, {str(number): np.zeros(0) for number in range(0x10000)})
    arrays, _ = files.read_arrays(path, hint="")
    assert len(arrays) == 0x10000


def test_the_same_arrays_give_the_same_bytes(tmp_path):
    one, two = tmp_path / "one.npz", tmp_path / "two.npz"
    for path in (one, two):
        files.write_arrays(path, {"a": np.arange(3)}, {"seed": 1})
    assert one.read_bytes() == two.read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.data())
def test_corrupt_bytes_raise_input_error_or_change_nothing(tmp_path, data):
    path = tmp_path / "arrays.npz"
    original = np.arange(40.0)
    files.write_arrays(path, {"a": original})
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del content[position:]
    path.write_bytes(content)
    try:
        arrays, _ = files.read_arrays(path, "a", hint="run: x")
    except InputError as error:
        assert str(error).startswith("arrays.npz: ")
        assert str(error).endswith("; run: x")
    else:
        np.testing.assert_array_equal(arrays["a"], original)


def test_pickles_are_not_loaded(tmp_path):
    path = tmp_path / "hostile.npz"
    np.savez(path, about=np.array("{}"), a=np.array([{"x": 1}], object))
    with pytest.raises(InputError, match=r"hostile\.npz: corrupt"):
        files.read_arrays(path, "a", hint="")


def test_json_has_no_nan(tmp_path):
    path = tmp_path / "file.json"
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, {"mean": float("nan")})
    assert not path.exists()
    files.write_json(path, {"mean": None})
    assert json.loads(path.read_text()) == {"mean": None}
