"""What the page shows: words in place of names of params.yaml, and values to guess."""

import json

import pytest
from ruamel.yaml import YAML
from small import PARAMS, REPORT

from pipeline.page import contents
from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError

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


def test_the_best_trials_of_a_study_are_those_of_its_summary(study):
    paths.study("sizes").mkdir(parents=True)
    (paths.study("sizes") / "trials.csv").write_text("trial,state,weights,variant,model.cells\n")
    best = {"best": [{"trial": 3}, {"trial": 1}]}
    (paths.study("sizes") / "best.json").write_text(json.dumps(best))
    files.write_arrays(paths.trials("sizes"), {})
    assert contents.study("sizes", *study)["best"] == [3, 1]


@pytest.fixture
def rivals(in_folder):
    """Parameters, and a report in which a network and two references of its metric are guessed."""
    params = load_params(in_folder(PARAMS))
    entry = {"metrics": {"bits_per_character": {"mean": 1.92, "low": 1.88, "high": 1.95}}}
    entry["references"] = {"bits_per_character": {"order-5 n-gram": 1.95, "order-8 n-gram": 1.85}}
    paths.metrics("writer").parent.mkdir(parents=True)
    paths.metrics("writer").write_text(json.dumps({"networks": {"writer": entry}}))

    def load(*experiments: str):
        report = YAML(typ="safe").load(REPORT)
        report["story"] = {"text": report["story"]["widths"] | {"highlight": "text"}}
        report["highlights"]["text"] = {
            "title": "Bits per character",
            "metric": "bits_per_character",
            "experiments": experiments,
            "labels": {"writer": "LSTM"},
        }
        YAML(typ="safe").dump(report, paths.report_texts())
        return params, load_report(paths.report_texts(), params)

    return load


def test_a_network_is_guessed_against_reference_values(rivals):
    names = ["writer", "writer[order-5 n-gram]", "writer[order-8 n-gram]"]
    (entry,) = contents.story(*rivals(*names), ["writer"])
    assert entry["higherIsBetter"] is False
    assert entry["rows"] == [
        ["LSTM", 1.92, 1.88, 1.95],
        ["writer[order-5 n-gram]", 1.95, None, None],
        ["writer[order-8 n-gram]", 1.85, None, None],
    ]
    assert entry["networks"] == {"writer": "LSTM"}


def test_a_page_without_a_network_has_none_of_its_references(rivals):
    assert contents.story(*rivals("writer", "writer[order-5 n-gram]"), ["drawer"]) == []


def test_an_unknown_reference_is_an_error_with_the_known_ones(rivals):
    with pytest.raises(InputError) as caught:
        contents.story(*rivals("writer", "writer[order-9 n-gram]"), ["writer"])
    assert caught.value.messages == (
        "report.yaml: highlights.text.experiments: unknown reference 'order-9 n-gram' "
        "(did you mean 'order-8 n-gram'?); known: order-5 n-gram, order-8 n-gram",
    )


def test_a_replica_has_its_own_values_of_the_metrics_with_learning_curves(rivals):
    header = "network,replica,diverged,bits_per_character,accuracy,passes\n"
    paths.replicas("writer").write_text(f"{header}writer,0,1,,,\nwriter,1,0,1.123456789,,3\n")
    curve = "bits_per_character,bits_per_character_low,bits_per_character_high"
    paths.history("writer").parent.mkdir(parents=True)
    paths.history("writer").write_text(f"network,sequences,updates,{curve}\nwriter,1,1,2,2,2\n")
    assert contents.replica_metrics("writer", 1) == {"bits_per_character": 1.12346}


def test_variants_of_a_study_have_their_labels(study):
    params, report = study
    labels = report.variant_labels("sizes")
    dimensions = [
        contents._dimension(key, values, labels)
        for key, values in params.studies["sizes"].dimensions.items()
    ]
    assert [entry["choices"] for entry in dimensions] == [["alone", "all points"], [1, 2]]
