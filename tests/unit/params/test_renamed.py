"""Keys of earlier versions are errors that name the present key."""

import pytest
from small import altered

from pipeline.params.renamed import (
    EXPERIMENT,
    REPORT,
    SECTIONS,
    STUDY,
    STUDY_SECTIONS,
)


@pytest.mark.parametrize("section", ["questions", "answers", "comparisons", "findings", "models"])
def test_sections_of_the_report_are_now_in_report_yaml(section, params_errors):
    (error,) = params_errors(altered(section, {}))
    assert error.startswith(f"{section}: is now `")
    assert error.endswith(" in report.yaml")


def test_every_moved_section_is_tested_here():
    assert set(REPORT) == {"questions", "answers", "comparisons", "findings", "models"}


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("experiments/widths/arms", "`variants`"),
        ("experiments/echoer/framing/lengths", "`eval_lengths`"),
        ("experiments/echoer/framing/answer", "`target`"),
        ("experiments/echoer/model/handover", "`decoder_context`"),
        ("experiments/drawer/training/clip", "`clip_norm`"),
        ("experiments/drawer/training/state", "`reset_states_after`"),
        ("experiments/drawer/training/processes", "`workers`"),
        ("experiments/drawer/training/snapshots", "`checkpoints`"),
        ("experiments/widths/variants/wide/training", "`clip_norm`"),
        ("studies/sizes/arm", "part of `experiment`: write `experiment: NAME/VARIANT`"),
        ("studies/sizes/change", "`overrides`"),
        ("studies/sizes/ties", "`linked`"),
        ("studies/sizes/reach", "`target`"),
        ("studies/sizes/confirm", "`confirm_replicas`"),
        ("studies/search/prune/rungs", "`shares`"),
        ("studies/search/prune/after", "`min_trials`"),
        ("studies/sizes/overrides/training", "`clip_norm`"),
        ("studies/sizes/variants/whole/training", "`clip_norm`"),
        ("studies/sizes/space/training.clip", "`training.clip_norm`"),
    ],
)
def test_every_old_key_names_the_new_one(path, new, params_errors):
    value = {"clip": 1.0} if path.endswith("/training") else [1.0]
    (error,) = params_errors(altered(path, value))
    place = path.replace("/", ".") + (".clip" if path.endswith("/training") else "")
    assert error == f"{place}: is now {new}"


@pytest.mark.parametrize(
    ("section", "entries", "errors"),
    [
        (
            "recipes",
            {"gentle": {"training": {"clip": 1.0}, "framing": {"lengths": [1]}}},
            [
                "recipes.gentle.framing.lengths: is now `eval_lengths`",
                "recipes.gentle.training.clip: is now `clip_norm`",
            ],
        ),
        (
            "defaults",
            {"echo": {"experiment": {"training": {"clip": 1.0}}}},
            ["defaults.echo.experiment.training.clip: is now `clip_norm`"],
        ),
    ],
)
def test_old_keys_of_recipes_and_defaults_name_the_new_ones(
    section, entries, errors, params_errors
):
    assert params_errors(altered(section, entries)) == errors


def test_the_old_key_of_a_mark_names_the_new_one(params_errors):
    mark = {"metric": "size", "below": 0.1, "words": "a point"}
    (error,) = params_errors(altered("studies/sizes/mark", mark))
    assert error == "studies.sizes.mark.words: is now `label`"


def test_the_lists_of_renamed_keys_are_complete():
    assert set(EXPERIMENT) == {"arms"}
    assert set(STUDY) == {"arm", "change", "ties", "reach", "confirm"}
    assert {section: set(names) for section, names in STUDY_SECTIONS.items()} == {
        "prune": {"rungs", "after"},
        "mark": {"words"},
    }
    assert {section: set(names) for section, names in SECTIONS.items()} == {
        "framing": {"lengths", "answer"},
        "model": {"handover"},
        "training": {"clip", "state", "processes", "snapshots"},
    }


def test_keys_are_found_in_the_arms_of_an_old_file(params_errors):
    document = altered("experiments/widths/arms", {"one": {"training": {"clip": 1.0}}})
    del document["experiments"]["widths"]["variants"]
    assert params_errors(document) == [
        "experiments.widths.arms: is now `variants`",
        "experiments.widths.arms.one.training.clip: is now `clip_norm`",
    ]
