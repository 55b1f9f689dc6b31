"""Damaged files: binary ones are refused; DVC lists and restores text that can still be read."""

import random
import re
import zipfile
from collections.abc import Callable, Iterator

import damage
import pytest
from small import Laboratory, copied, small_config

from pipeline.params.load import load_params
from pipeline.runs import checkpoint, datasets, results
from pipeline.studies import export
from pipeline.studies.plan import make_plan
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError


def read_trials() -> dict:
    """The arrays of all trials of the study `search`."""
    return export.read_arrays(make_plan("search", load_params(paths.params())))


BINARY: dict[str, Callable[[], object]] = {
    "data/rectangle.npz": lambda: datasets.load("rectangle", small_config("drawer").dataset),
    "data/predictions/writer/predictions.npz": lambda: results.load_results("writer")[1],
    "models/drawer/weights.npz": lambda: checkpoint.load("drawer"),
    "models/drawer/checkpoints.npz": lambda: checkpoint.load("drawer"),
    "models/drawer/history.npz": lambda: checkpoint.load("drawer"),
    "models/drawer/model.keras": lambda: checkpoint.keras_file("drawer").read_bytes(),
    "models/writer/example.npz": lambda: checkpoint.load_example("writer"),
    "data/studies/search.npz": read_trials,
}
"""Files with checksums, and what reads them."""

TEXT: dict[str, Callable[[], object]] = {
    "models/drawer/experiment.json": lambda: checkpoint.load("drawer"),
    "reports/metrics/drawer.csv": lambda: results.load_replica_metrics("drawer"),
    "reports/metrics/drawer.json": lambda: results.load_aggregates("drawer"),
}
"""Files without checksums, and what reads them."""


@pytest.fixture(scope="module")
def shared(reproduced, tmp_path_factory) -> Laboratory:
    """A copy of the reproduced laboratory; each test restores the file that it damages."""
    return copied(reproduced, tmp_path_factory.mktemp("damage") / "laboratory")


@pytest.fixture
def replace(shared, monkeypatch) -> Iterator[Callable[[str, bytes], None]]:
    """Work in the laboratory, and give one of its files another content during the test."""
    monkeypatch.chdir(shared.root)
    contents = {}

    def write(name: str, content: bytes) -> None:
        path = shared.root / name
        contents.setdefault(path, path.read_bytes())
        path.write_bytes(content)

    yield write
    for path, content in contents.items():
        path.write_bytes(content)


@pytest.mark.parametrize("name", BINARY | TEXT)
def test_a_truncated_file_is_refused_with_the_command_that_makes_it_again(shared, replace, name):
    replace(name, (shared.root / name).read_bytes()[:20])
    with pytest.raises(InputError) as caught:
        (BINARY | TEXT)[name]()
    assert re.fullmatch(
        rf"{name}: corrupt .+; run: (dvc repro|pipeline study) \S+", str(caught.value)
    )


@pytest.mark.parametrize("name", BINARY)
def test_a_binary_file_with_a_flipped_bit_is_refused(shared, replace, name):
    content = bytearray((shared.root / name).read_bytes())
    with zipfile.ZipFile(shared.root / name) as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
    content[largest.header_offset + largest.file_size // 2] ^= 1
    replace(name, bytes(content))
    with pytest.raises(InputError, match=f"^{name}: corrupt "):
        BINARY[name]()


SWAPPED = {
    "data/rectangle.npz": ("data/words.npz", "was generated from other parameters"),
    "data/predictions/writer/predictions.npz": (
        "data/predictions/drawer/predictions.npz",
        "is of another training",
    ),
    "models/drawer/experiment.json": (
        "models/writer/experiment.json",
        "is of the network 'writer'",
    ),
    "models/drawer/checkpoints.npz": ("models/drawer/weights.npz", "does not match "),
    "models/drawer/history.npz": ("models/drawer/checkpoints.npz", "has no array 'sequences'"),
    "models/drawer/model.keras": ("models/sampler/model.keras", "corrupt or not ours"),
    "reports/metrics/drawer.csv": ("reports/metrics/echoer.csv", "has no rows of drawer"),
    "reports/metrics/drawer.json": ("reports/metrics/echoer.json", "has no drawer"),
}
"""Files, undamaged ones that are put in their places, and the errors that follow."""


@pytest.mark.parametrize("name", SWAPPED)
def test_a_file_of_another_network_is_refused(shared, replace, name):
    other, message = SWAPPED[name]
    replace(name, (shared.root / other).read_bytes())
    with pytest.raises(InputError, match=rf"^{name}: {message}.*; run: dvc repro \S+$"):
        (BINARY | TEXT)[name]()


def test_weights_of_another_network_are_refused(shared, replace):
    other = shared.root / "models/widths/wide/weights.npz"
    replace("models/widths/narrow/weights.npz", other.read_bytes())
    done = shared.pipeline("draw", "widths/narrow", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    message = "error: models/widths/narrow/weights.npz: the weights must have the network's shapes "
    assert line.startswith(message)


def test_weights_of_another_number_of_replicas_are_refused(shared, replace):
    path = shared.root / "models/drawer/weights.npz"
    weights, _ = files.read_arrays(path, hint="")
    replace("models/drawer/weights.npz", path.read_bytes())  # to be restored
    files.write_arrays(path, {index: weight[:2] for index, weight in weights.items()})
    with pytest.raises(InputError, match="all files must hold 3 replicas, got 2 and 3"):
        checkpoint.load("drawer")


def test_json_that_is_nested_too_deeply_is_refused(replace):
    replace("models/drawer/experiment.json", b"[" * 10**6)
    with pytest.raises(InputError, match=r"^models/drawer/experiment\.json: corrupt"):
        checkpoint.load("drawer")


def test_a_changed_digit_in_a_report_is_listed_by_dvc_status_and_restored_by_dvc_repro(mine):
    path, stage = mine.root / "reports/metrics/drawer.csv", "evaluate@drawer"
    content = path.read_bytes()
    assert "up to date" in mine.run("dvc", "status", stage).stdout
    path.write_bytes(damage.digit(content, random.Random(1)))
    assert "modified:           reports/metrics/drawer.csv" in mine.run("dvc", "status").stdout
    mine.run("dvc", "repro", stage)
    assert path.read_bytes() == content
