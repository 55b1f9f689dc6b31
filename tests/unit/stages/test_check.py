"""`check` writes a file for each entry of params.yaml, which its stages depend on."""

import pytest
from ruamel.yaml import YAML
from small import PARAMS, REPORT, altered

from pipeline import plotting
from pipeline.stages import check, figures
from pipeline.utils import paths
from pipeline.utils.errors import InputError

SMALL = YAML(typ="safe").load(PARAMS)


@pytest.fixture
def resolve(in_folder):
    """Run `check` on a params.yaml; returns the text of each entry's file by `section/entry`."""

    def run(document: dict) -> dict[str, str]:
        in_folder(document)
        check.run()
        folder = paths.resolved()
        return {
            path.relative_to(folder).with_suffix("").as_posix(): path.read_text()
            for path in folder.rglob("*.json")
        }

    return run


@pytest.fixture
def changed_by(resolve):
    """The entries whose files are different if a value is changed."""

    def compare(path: str, value) -> set[str]:
        before, after = resolve(SMALL), resolve(altered(path, value))
        assert set(before) == set(after)
        return {name for name in before if before[name] != after[name]}

    return compare


def test_each_entry_has_a_file_and_one_of_the_code_of_each_of_its_stages(resolve):
    entries = {
        f"{section}/{name}"
        for section in ("datasets", "experiments", "studies")
        for name in SMALL[section]
    }
    code = {
        f"code/{stage}/{name}"
        for section, stages in check.STAGES.items()
        for stage in stages
        for name in SMALL[section]
    }
    labels = {f"labels/{name}" for name in (*SMALL["experiments"], *SMALL["studies"])}
    assert set(resolve(SMALL)) == entries | code | labels


def test_files_of_removed_entries_are_removed(resolve):
    document = altered("studies", {})
    assert "studies/sizes" in resolve(SMALL)
    assert "studies/sizes" not in resolve(document)


@pytest.mark.parametrize(
    ("path", "value", "entries"),
    [
        ("datasets/echo/seed", 26, {"datasets/echo", "experiments/echoer", "studies/search"}),
        ("experiments/drawer/model/cells", 5, {"experiments/drawer", "studies/sizes"}),
        ("experiments/widths/variants/wide/model/cells", 7, {"experiments/widths"}),
        ("studies/sizes/space/model.cells", [1, 3], {"studies/sizes"}),
        (
            "defaults",
            {"echo": {"experiment": {"training": {"epochs": 2}}}},
            {"experiments/echoer", "studies/search"},
        ),
    ],
)
def test_a_changed_value_changes_the_files_of_the_entries_that_it_concerns(
    path, value, entries, changed_by
):
    assert changed_by(path, value) == entries


def test_a_default_that_is_written_out_changes_nothing(changed_by):
    assert changed_by("experiments/drawer/training/optimizer", "adam") == set()


def test_a_value_that_moves_to_a_recipe_changes_nothing(resolve):
    document = altered("recipes", {"small": {"model": {"cells": 4}}})
    document["experiments"]["drawer"] |= {"model": {}, "recipe": "small"}
    assert resolve(document) == resolve(SMALL)


def test_texts_of_the_report_change_nothing(resolve, tmp_path):
    before = resolve(SMALL)
    (tmp_path / "report.yaml").write_text(REPORT)
    assert resolve(SMALL) == before


def test_an_error_in_the_report_is_an_error(resolve, tmp_path):
    (tmp_path / "report.yaml").write_text("experiments:\n  drawr: {answer: Yes.}\n")
    with pytest.raises(InputError, match=r"^report\.yaml: experiments\.drawr: unknown experiment"):
        resolve(SMALL)


def test_what_is_rarely_intended_is_printed_as_a_warning(resolve, capsys):
    resolve(altered("experiments/echoer/training/loss", "mse"))
    (warning,) = capsys.readouterr().err.splitlines()
    assert warning.startswith("warning: params.yaml: echoer: training.loss: 'mse' on one-hot")


def test_a_folder_that_mlflow_cannot_use_is_an_error(in_folder, tmp_path, monkeypatch):
    place = in_folder(SMALL)
    folder = tmp_path / "my%20lab"
    folder.mkdir()
    place.rename(folder / place.name)
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match=r"my%20lab: MLflow takes %20 in a path for another"):
        check.run()


def test_figures_show_the_labels_of_variants(in_folder):
    in_folder(SMALL)
    report = YAML(typ="safe").load(REPORT)
    report["experiments"]["widths"]["variants"] = {"narrow": "few cells"}
    report["studies"]["sizes"]["variants"] = {"alone": "one point"}
    YAML(typ="safe").dump(report, paths.report_texts())
    networks = {"widths/narrow": "first", "widths/wide": "second"}
    assert list(figures.label_variants("widths", networks)) == ["narrow", "wide"]
    check.run()
    labeled = figures.label_variants("widths", networks)
    assert labeled == {"few cells": "first", "wide": "second"}
    assert plotting.variant_labels("sizes") == {"alone": "one point"}
