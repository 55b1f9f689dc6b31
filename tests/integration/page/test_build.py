"""Writing the page of a small laboratory, without a browser."""

import json
import re
import sys
from pathlib import Path

import pytest

from pipeline.page import build, hooks
from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.reporting.claims import fill_report
from pipeline.schema.report import PlayableNetworks
from pipeline.utils import paths
from pipeline.utils.errors import InputError


@pytest.fixture
def write(reproduced, monkeypatch, tmp_path):
    """Write the page of the laboratory; returns its index and the ids of its blobs."""
    monkeypatch.chdir(reproduced.root)
    params = load_params(paths.params())
    report, _ = fill_report(load_report(paths.report_texts(), params), params)

    def write(*experiments: str, networks: tuple[str, ...] = ()) -> tuple[dict, list[str]]:
        page = {"shapes": PlayableNetworks(networks=list(networks))} if networks else {}
        path = tmp_path / "index.html"
        build.write_page(path, params, report._replace(page=page), experiments)
        text = path.read_text("utf-8")
        index = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
        return index, re.findall(r'<script type="text/plain" id="([^"]+)">', text)

    write.path = tmp_path / "index.html"
    return write


LARGEST = "sampler"


def test_the_same_results_give_the_same_bytes(write, reproduced):
    write()
    assert write.path.read_bytes() == (reproduced.root / "reports/index.html").read_bytes()


def test_experiments_can_be_chosen(write):
    index, blobs = write("drawer", "sampler")
    assert set(index["networks"]) == {"drawer", "sampler"}
    assert set(index["problems"]) == {"shapes"}
    assert index["studies"] == []
    assert not any(blob.startswith("study:") for blob in blobs)
    with pytest.raises(InputError, match="unknown experiment 'drawr'"):
        write("drawr")


def test_what_does_not_fit_has_curves_only(write, monkeypatch):
    _, blobs = write()
    monkeypatch.setattr(build, "LIMIT", len(write.path.read_bytes()) - 1)
    _, fewer = write()
    left_out = set(blobs) - set(fewer)
    assert left_out == {f"{kind}:{LARGEST}" for kind in ("weights", "drawings")}
    assert len(write.path.read_bytes()) <= build.LIMIT
    index, preferred = write(networks=(LARGEST,))
    assert f"weights:{LARGEST}" in preferred
    assert index["networks"][LARGEST]["rank"] == 0


def test_a_problem_without_a_view_has_its_curves(write, monkeypatch):
    monkeypatch.setattr(hooks, "_module", lambda problem: None)
    index, blobs = write()
    assert not any(blob.startswith("weights:") for blob in blobs)
    assert "curves:drawer" in blobs
    assert index["problems"]["shapes"]["metrics"]["mae"]["label"] == "held-out MAE"


def test_missing_results_are_named_with_the_command(mine, monkeypatch, tmp_path):
    monkeypatch.chdir(mine.root)
    (mine.root / "reports/metrics/drawer.json").unlink()
    params = load_params(paths.params())
    report = load_report(paths.report_texts(), params)
    with pytest.raises(InputError, match="run: dvc repro evaluate@drawer"):
        build.write_page(tmp_path / "index.html", params, report)
    assert not (tmp_path / "index.html").exists()


def test_the_command_writes_a_page_without_tensorflow(reproduced, tmp_path):
    script = "import sys; from pipeline.cli.app import app; "
    script += "app(sys.argv[1:], standalone_mode=False); "
    script += "print(sorted({'tensorflow', 'mlflow', 'optuna'} & set(sys.modules)))"
    path = tmp_path / "lesson.html"
    done = reproduced.run(
        sys.executable, "-c", script, "page", "--experiments", "drawer", "--out", str(path)
    )
    assert done.stdout.splitlines() == [str(path), "[]"]
    assert path.is_file()
    refused = reproduced.pipeline("page", "--out", str(tmp_path / "lesson.txt"))
    assert refused.returncode == 2
    assert "--out: must end in .html" in refused.stderr


def test_scripts_are_shipped_with_the_package():
    assert all((build.HERE / name).is_file() for name in (*build.LIBRARY, *build.VIEWS))
    assert Path(build.HERE / "page.html").read_text().count("{{") == 5
