"""What the page shows of studies: words in place of names of params.yaml."""

import pytest
from ruamel.yaml import YAML
from small import PARAMS, REPORT

from pipeline.page import contents
from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.utils import paths

ROWS = "variant,model.cells,consistency_error,consistency_error.low,consistency_error.high\n"


@pytest.fixture
def study(in_folder):
    """Parameters, and a report in which a variant of the study `sizes` has a label."""
    params = load_params(in_folder(PARAMS))
    report = YAML(typ="safe").load(REPORT)
    report["studies"]["sizes"]["variants"] = {"whole": "all points"}
    YAML(typ="safe").dump(report, paths.report_texts())
    return params, load_report(paths.report_texts(), params)


def test_the_values_to_guess_of_a_study_have_labels_in_words(study):
    params, report = study
    paths.study("sizes").mkdir(parents=True)
    points = [(variant, cells) for variant in ("alone", "whole") for cells in (1, 2)]
    table = ROWS + "".join(f"{variant},{cells},0.{cells},0,1\n" for variant, cells in points)
    (paths.study("sizes") / "trials.csv").write_text(table)
    (entry,) = contents.story(params, report, [])
    assert entry["rows"] == [
        ["cells: 1 (all points)", 0.1, 0.0, 1.0],
        ["cells: 2 (all points)", 0.2, 0.0, 1.0],
    ]


def test_variants_of_a_study_have_their_labels(study):
    params, report = study
    labels = report.variant_labels("sizes")
    dimensions = [
        contents._dimension(key, values, labels)
        for key, values in params.studies["sizes"].dimensions.items()
    ]
    assert [entry["choices"] for entry in dimensions] == [["alone", "all points"], [1, 2]]
