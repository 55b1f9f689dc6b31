"""Damaged files: told of in a line, or harmless; never a wrong result in silence, nor a traceback.

What has checksums (.npz, .keras) is refused by whoever reads it. CSV
and JSON have none, and a swapped file is whole: of these every command says that they are not what
dvc.lock records, and `dvc repro` makes them anew.
"""

import random
from collections.abc import Callable
from pathlib import Path

import damage
import numpy as np
import pytest
from forking import Nursery
from small import Laboratory, copied, small_config

from pipeline import recorded
from pipeline.params.load import load_params
from pipeline.runs import checkpoint, datasets, results
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError

pytestmark = [
    pytest.mark.slow,
    # Damaged numbers may be any; outside of tests NumPy and pandas only warn of them.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def hurt(reproduced, tmp_path_factory) -> Laboratory:
    """A copy of the reproduced laboratory whose files are damaged, and mended at once."""
    return copied(reproduced, tmp_path_factory.mktemp("hurt") / "laboratory")


@pytest.fixture(scope="module")
def spoilt(reproduced, tmp_path_factory) -> Laboratory:
    """Another copy, in which commands make what they can of damaged files."""
    return copied(reproduced, tmp_path_factory.mktemp("spoilt") / "laboratory")


@pytest.fixture
def inside(hurt, monkeypatch) -> Path:
    monkeypatch.chdir(hurt.root)
    return hurt.root


def same(one: object, other: object) -> bool:
    """Whether two things that were read are equal, arrays and NaN inside included."""
    try:
        np.testing.assert_equal(one, other)
    except AssertionError:
        return False
    return True


def trials(study: str) -> Callable[[], object]:
    """The trials in data/studies/."""

    def read() -> object:
        from pipeline.studies import export
        from pipeline.studies.plan import make_plan

        return export.read_arrays(make_plan(study, load_params(paths.params())))

    return read


CHECKED = {
    "data/rectangle.npz": (12, lambda: datasets.load("rectangle", small_config("drawer").dataset)),
    "data/predictions/writer/predictions.npz": (12, lambda: results.load_results("writer")[1]),
    "models/drawer/weights.npz": (16, lambda: checkpoint.load("drawer")),
    "models/drawer/checkpoints.npz": (12, lambda: checkpoint.load("drawer")),
    "models/echoer/history.npz": (12, lambda: checkpoint.load("echoer")),
    "models/writer/example.npz": (12, lambda: checkpoint.load_example("writer")),
    "data/studies/search.npz": (16, trials("search")),
    "models/drawer/model.keras": (16, lambda: checkpoint.keras_file("drawer").read_bytes()),
}
"""What carries checksums: how often each is damaged, and what reads it."""


@pytest.mark.parametrize("name", CHECKED)
def test_what_has_checksums_is_refused_or_reads_the_same(inside, name):
    times, read = CHECKED[name]
    path, rng = inside / name, random.Random(name)
    whole, sound = path.read_bytes(), read()
    for _ in range(times):
        path.write_bytes(damage.any_of(rng)(whole, rng))
        try:
            assert same(read(), sound)
        except InputError as error:
            assert str(error).startswith(f"{name}: ")
            assert "; run: dvc repro " in str(error)
            assert "\n" not in str(error)
        finally:
            path.write_bytes(whole)


TEXT_TIMES = 12

UNCHECKED = {
    "reports/metrics/drawer.csv": lambda: results.load_replica_metrics("drawer"),
    "reports/metrics/drawer.json": lambda: results.load_aggregates("drawer"),
    "reports/history/widths.csv": lambda: results.load_history("widths/wide"),
    "models/drawer/experiment.json": lambda: checkpoint.load("drawer").config,
    "reports/figures/drawer/captions.json": lambda: files.read_json(
        Path("reports/figures/drawer/captions.json").absolute(), hint="run: dvc repro x"
    ),
    "reports/studies/sizes/best.json": lambda: files.read_json(
        Path("reports/studies/sizes/best.json").absolute(), hint="run: dvc repro x"
    ),
}
"""What is text: whoever reads it refuses what is none, and DVC knows what it was."""


@pytest.mark.parametrize("name", UNCHECKED)
def test_text_is_refused_or_what_dvc_recorded_is_not_it(inside, name, capsys):
    path, rng = inside / name, random.Random(name)
    whole = path.read_bytes()
    for turn in range(TEXT_TIMES):
        harm = damage.digit if turn % 3 == 0 else damage.any_of(rng)
        path.write_bytes(harm(whole, rng))
        capsys.readouterr()
        recorded.warn_of_results()
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith("warning: ")
        assert said.split()[1] in name
        assert "make it anew with: dvc repro " in said
        try:
            UNCHECKED[name]()
        except InputError as error:
            assert name in str(error)
            assert "; run: dvc repro " in str(error)
        finally:
            path.write_bytes(whole)


SWAPPED = [
    ("figures drawer", "models/drawer/weights.npz", "models/sampler/weights.npz"),
    ("figures drawer", "models/drawer/history.npz", "models/writer/history.npz"),
    ("figures drawer", "models/drawer/history.npz", "models/drawer/checkpoints.npz"),
    ("figures drawer", "models/drawer/checkpoints.npz", "models/drawer/weights.npz"),
    ("figures drawer", "models/drawer/experiment.json", "models/echoer/experiment.json"),
    ("figures drawer", "models/drawer/experiment.json", "reports/metrics/drawer.json"),
    ("figures drawer", "data/rectangle.npz", "data/echo.npz"),
    ("figures drawer", "data/rectangle.npz", "models/drawer/weights.npz"),
    ("figures drawer", "reports/metrics/drawer.csv", "reports/metrics/echoer.csv"),
    ("figures drawer", "reports/metrics/drawer.json", "reports/metrics/echoer.json"),
    ("figures drawer", "reports/metrics/drawer.json", "reports/figures/drawer/captions.json"),
    (
        "figures drawer",
        "data/predictions/drawer/predictions.npz",
        "data/predictions/echoer/predictions.npz",
    ),
    (
        "figures writer",
        "data/predictions/writer/predictions.npz",
        "data/predictions/drawer/predictions.npz",
    ),
    ("report", "reports/history/drawer.csv", "reports/metrics/drawer.csv"),
    ("report", "reports/metrics/echoer.json", "reports/metrics/drawer.json"),
    ("report", "reports/figures/drawer/captions.json", "reports/metrics/drawer.json"),
    ("report", "reports/studies/sizes/best.json", "reports/studies/search/best.json"),
    ("report", "reports/studies/sizes/captions.json", "reports/studies/sizes/best.json"),
    ("evaluate drawer", "models/drawer/weights.npz", "models/sampler/weights.npz"),
    ("evaluate drawer", "data/rectangle.npz", "data/words.npz"),
    ("train echoer", "data/echo.npz", "data/words.npz"),
    ("draw drawer --json", "models/drawer/weights.npz", "models/echoer/weights.npz"),
    ("draw drawer --json", "models/drawer/experiment.json", "models/echoer/experiment.json"),
    ("echo echoer 1 2 3 4 5", "models/echoer/weights.npz", "data/echo.npz"),
    ("write writer", "models/writer/weights.npz", "models/writer/checkpoints.npz"),
    ("track", "models/drawer/model.keras", "models/sampler/model.keras"),
    ("track", "models/drawer/example.npz", "models/drawer/weights.npz"),
]


@pytest.mark.parametrize(("command", "name", "other"), SWAPPED)
def test_a_swapped_file_is_said(spoilt, forked: Nursery, command, name, other):
    path = spoilt.root / name
    whole = path.read_bytes()
    path.write_bytes((spoilt.root / other).read_bytes())
    place = (
        {"MLFLOW_TRACKING_URI": f"sqlite:///{spoilt.root}/other.db"} if command == "track" else {}
    )
    try:
        done = forked.run(spoilt, *command.split(), **place)
    finally:
        path.write_bytes(whole)
    assert "Traceback" not in done.stderr
    warned = [line.split()[1] for line in done.stderr.splitlines() if line.startswith("warning: ")]
    assert any(path in name for path in warned), done.stderr
    assert done.returncode in (0, 2), done.stderr
    if done.returncode:
        assert done.stderr.splitlines()[-1].startswith("error: ")


def test_an_undamaged_laboratory_is_as_recorded(reproduced, monkeypatch, capsys):
    """The digests are DVC's own, for files and folders."""
    monkeypatch.chdir(reproduced.root)
    recorded.warn_of_results()
    assert capsys.readouterr().err == ""
