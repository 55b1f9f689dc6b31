"""`dvc exp run -S` reads params.yaml and writes it again: only the line of the key may change."""

import pytest
from dvc.utils.hydra import apply_overrides
from small import ROOT


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("params.yaml", "experiments.rectangle.model.cells"),
        ("pipeline/problems/_template/params.yaml", "experiments._template.model.cells"),
    ],
)
def test_a_key_set_by_dvc_changes_one_line(tmp_path, file, key):
    before = (ROOT / file).read_text()
    path = tmp_path / "params.yaml"
    path.write_text(before)
    apply_overrides(path, [f"{key}=7"])
    lines, after = before.splitlines(), path.read_text().splitlines()
    changed = [(old, new) for old, new in zip(lines, after, strict=False) if old != new]
    assert [new.strip() for _, new in changed] == ["model: {cells: 7}"], (
        "write lists, and mappings longer than 80 columns, with one entry per line, and end no "
        "section with a list"
    )
    assert len(lines) == len(after)
