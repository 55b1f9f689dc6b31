"""Datasets of the user's own files, from a file to its figures, with DVC."""

import json
import re
import shutil

import pytest
from ruamel.yaml import YAML
from small import ROOT, Laboratory, make_laboratory

DATASETS = """
own-text: {problem: text, corpus: file, path: a.txt, seed: 1, replicas: 2, train: 4, length: 20,
  validation: 1, test: 1}
own-shapes: {problem: shapes, shape: file, path: houses.csv, seed: 1, replicas: 2, train: 20,
  validation: 4, test: 8}
own-echo: {problem: echo, source: file, path: lines.txt, seed: 1, replicas: 2, train: 8,
  validation: 2, test: 4}
"""
TRAINING = "{seed: 1, replicas: 2, sequences: 4, batch_size: 2, learning_rate: 0.01, loss: %s}"
EXPERIMENTS = f"""
reader:
  problem: text
  dataset: own-text
  framing: {{sample: sequence, window: 4}}
  model: {{cells: 4}}
  training: {TRAINING % "categorical_crossentropy"}
builder:
  problem: shapes
  dataset: own-shapes
  framing: {{sample: shape}}
  model: {{cells: 4, consistency: 0.1}}
  training: {TRAINING % "mae"}
sampler:
  problem: shapes
  dataset: own-shapes
  framing: {{sample: tokens, bins: 8}}
  model: {{cells: 3}}
  training: {TRAINING % "categorical_crossentropy"}
player:
  problem: echo
  dataset: own-echo
  framing: {{window: 2, echo: 2}}
  model: {{architecture: lstm, cells: 4}}
  training: {TRAINING % "categorical_crossentropy"}
"""


def houses(count: int) -> str:
    """Houses of five vertices, of different widths and heights, somewhere in the plane."""
    rows = []
    for index in range(count):
        width, wall, x, y = 4 + index % 5, 3 + index % 7, index, 10 - index
        corners = [(0, 0), (width, 0), (width, wall), (width / 2, wall + 2), (0, wall)]
        rows.append(",".join(f"{x + a},{y + b}" for a, b in corners))
    return "\n".join(rows)


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Laboratory:
    """A laboratory with datasets of files, after `dvc repro` of their experiments."""
    laboratory = make_laboratory(tmp_path_factory.mktemp("own") / "laboratory")
    yaml = YAML(typ="safe")
    document = {
        "datasets": yaml.load(DATASETS),
        "experiments": yaml.load(EXPERIMENTS),
        "studies": {},
    }
    with laboratory.params.open("w") as file:
        yaml.dump(document, file)
    (laboratory.root / "report.yaml").write_text("experiments: {}\n")
    inputs = laboratory.root / "inputs"
    (inputs / "a.txt").write_text("Ein Märchen: es war einmal ein König.\n" * 5)
    (inputs / "houses.csv").write_text(houses(40))
    (inputs / "lines.txt").write_text("\n".join(f"{n % 7} {n % 5} {n % 3}" for n in range(20)))
    laboratory.run("dvc", "repro")
    laboratory.run("git", "add", "-A")
    laboratory.run("git", "commit", "-qm", "Own data")
    return laboratory


def test_every_kind_of_file_leads_to_figures_and_metrics(own):
    reports = own.root / "reports"
    for name in ("reader", "builder", "sampler", "player"):
        assert list((reports / "figures" / name).glob("*.svg"))
    networks = json.loads((reports / "metrics/builder.json").read_text())["networks"]
    metrics = networks["builder"]["metrics"]
    assert "consistency_error" in metrics  # houses have two free parameters
    assert "mae_regret" not in metrics  # the optimum is not known
    assert "ö" in own.run("pipeline", "show", "own-text").stdout


def test_the_report_names_the_files_of_an_experiment(own):
    pages = (own.root / "reports/experiments").glob("*.md")
    report = "".join(page.read_text("utf-8") for page in pages)
    for data in ("a.txt`: 190 characters", "houses.csv`: 40 polygons", "lines.txt`: 20 sequences"):
        assert f"Data: `inputs/{data}, SHA-256 `" in report


def test_a_run_has_the_digest_of_its_files(own):
    query = "select value from params where key = 'dataset.sha256'"
    digests = {value for (value,) in own.rows(query)}
    assert len(digests) == 3
    assert all(len(digest) == 64 for digest in digests)


def test_a_changed_file_makes_only_its_own_stages_run_again(own):
    path = own.root / "inputs/lines.txt"
    before = path.read_text()
    path.write_text(before.replace("1 1 1", "1 1 2"))
    own.run("python", "-m", "pipeline", "check")
    status = json.loads(own.run("dvc", "status", "--json").stdout)
    path.write_text(before)
    own.run("python", "-m", "pipeline", "check")
    assert set(status) - {"check", "report", "page"} == {"generate@own-echo", "train@player"}


def test_large_files_can_be_kept_out_of_git_and_imported(own):
    content = (own.root / "inputs/a.txt").read_text()
    elsewhere = own.root.parent / "elsewhere.txt"
    elsewhere.write_text(content)
    own.run("git", "rm", "-q", "--cached", "inputs/a.txt")
    own.run("dvc", "add", "inputs/a.txt")
    own.run("dvc", "import-url", str(elsewhere), "inputs/b.txt")
    done = own.run("dvc", "repro", "figures@reader")
    assert "Running stage 'check'" in done.stdout
    assert "Running stage 'generate@own-text'" not in done.stdout
    (own.root / "inputs/a.txt").unlink()
    own.run("dvc", "checkout", "inputs/a.txt.dvc")
    assert (own.root / "inputs/a.txt").read_text() == content


@pytest.mark.parametrize("section", ["A text", "Polygons", "Sequences of integers"])
def test_an_example_of_the_guide_leads_from_an_empty_folder_to_figures(section, tmp_path):
    page = (ROOT / "docs/own-data.md").read_text(encoding="utf-8")
    text = page.split(f"\n## {section}\n")[1].split("\n## ")[0]
    laboratory = make_laboratory(tmp_path / "laboratory")
    shutil.copytree(ROOT / "docs", laboratory.root / "docs")
    yaml = YAML(typ="safe")
    document = yaml.load((ROOT / "params.yaml").read_text())
    for kind, block in re.findall(r"```(bash|yaml)\n(.*?)```", text, re.DOTALL):
        if kind == "bash":
            laboratory.run("bash", "-ec", block)
            continue
        document |= yaml.load(block) | {"studies": {}, "scale": 0.1}
        with laboratory.params.open("w") as file:
            yaml.dump(document, file)
        (laboratory.root / "report.yaml").write_text("experiments: {}\n")
    (name,) = document["experiments"]
    assert list((laboratory.root / "reports/figures" / name).glob("*.svg"))
