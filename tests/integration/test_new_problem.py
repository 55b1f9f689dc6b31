"""A new problem, as the guides describe it."""

import json
import re
import shutil
import sys

from ruamel.yaml import YAML
from small import ROOT, Laboratory


def test_the_guide_builds_the_adding_problem(laboratory):
    root, guide = laboratory.root, (ROOT / "docs/new-problem.md").read_text(encoding="utf-8")
    shutil.copytree(ROOT / "tests/support", root / "tests/support")
    for name in ("pyproject.toml", "report.yaml"):
        shutil.copy(ROOT / name, root)
    laboratory.params.write_text("scale: 0.02\n" + (ROOT / "params.yaml").read_text())
    laboratory.change("scale: 1\n", "")
    yaml = YAML(typ="safe")
    for block in re.finditer(r"```(\w+)\n(.*?)```", guide, re.DOTALL):
        kind, text = block.groups()
        if kind == "bash":
            laboratory.run("bash", "-ec", text, warm=False)
        elif kind == "python":  # the file is named before it
            file = re.findall(r"`([\w/]+\.py)`", guide[: block.start()])[-1]
            (root / ("" if "/" in file else "pipeline/problems/adding") / file).write_text(text)
        else:
            document = yaml.load(laboratory.params)
            for section, entries in yaml.load(text).items():
                document[section] |= entries
            with laboratory.params.open("w") as stream:
                yaml.dump(document, stream)
    metrics = json.loads((root / "reports/metrics/adding.json").read_text())
    assert metrics["networks"]["adding"]["references"]["mse"]["the mean sum"] == 1 / 6
    assert (root / "reports/figures/adding/sums.svg").exists()
    assert (root / "reports/studies/adding-length/heatmap.svg").exists()


def test_the_pipeline_works_without_its_problems(tmp_path):
    skeleton = Laboratory(tmp_path / "skeleton")
    command = (sys.executable, ROOT / "docs/skeleton.py", skeleton.root, "parity")
    done = skeleton.run(*command, cwd=ROOT, warm=False)
    assert done.stdout == f"run it: cd {skeleton.root} && make repro\n"
    skeleton.params.write_text("scale: 0.05\n" + skeleton.params.read_text())
    skeleton.run("dvc", "repro", warm=False)
    report = (skeleton.root / "reports/README.md").read_text()
    assert "# Results" in report
    assert "docs/" not in report
    assert list((skeleton.root / "reports/figures/parity").glob("*.svg"))
    assert skeleton.rows("select count(*) from runs") != [(0,)]
    skeleton.run("pytest", "-q", "tests/unit/problems", "tests/unit/utils", warm=False)
    skeleton.run("lint-imports", warm=False)
