"""The notebook of the documentation, executed in a Jupyter kernel as a reader would."""

import json
import shutil

import nbformat
import pytest
from nbclient import NotebookClient
from small import ROOT, Laboratory, make_laboratory

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"

# What the last cell sees of the notebook's variables.
PROBE = """
import json
print(json.dumps({
    "vertices": [len(vertices) for vertices in shapes["vertices"]],
    "runs": sorted(runs["tags.mlflow.runName"]),
    "loss": len(history.history["loss"]),
    "trials": len(study.trials),
    "best": best,
}))
"""


@pytest.fixture
def laboratory(tmp_path) -> Laboratory:
    """A fresh laboratory with the repository's own experiments, at 0.5% of their size."""
    laboratory = make_laboratory(tmp_path / "laboratory")
    for name in ("params.yaml", "report.yaml"):
        shutil.copy(ROOT / name, laboratory.root)
    laboratory.change("scale: 1\n", "scale: 0.005\n")
    return laboratory


def test_the_notebook_has_no_outputs():
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def test_the_notebook_runs(laboratory):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(PROBE))
    folder = laboratory.root / "docs"
    folder.mkdir()
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}})
    client.execute(env=laboratory.environment())

    images = {
        cell.id
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if {"image/png", "image/svg+xml"} & set(output.get("data", ()))
    }
    assert images == {"drawings", "fit", "draw", "plot"}
    variables = json.loads(notebook.cells[-1].outputs[0].text)
    assert variables["vertices"] == [4] * 9
    assert variables["runs"] == ["rectangle-generators/mixture", "rectangle-generators/tokens"]
    assert variables["loss"] == 5
    assert variables["trials"] == 4
    assert variables["best"]
    for trial in variables["best"]:
        assert set(trial) == {"variant", "model.cells", "consistency_error", "mae_regret"}
