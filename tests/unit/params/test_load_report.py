"""report.yaml is valid and fits params.yaml, or every error in it is listed with its key."""

import pytest
from ruamel.yaml import YAML
from small import PARAMS, REMOVE, REPORT, ROOT, altered

from pipeline.params import load_report as params_load_report
from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.schema.report import Texts
from pipeline.utils.errors import InputError

EXPERIMENTS = "drawer, echoer, sampler, widths, writer"
NETWORKS = "drawer, echoer, sampler, widths, widths/narrow, widths/wide, writer"


@pytest.fixture
def params(in_folder):
    return load_params(in_folder(PARAMS))


def load(content: str | dict, params, folder):
    path = folder / "report.yaml"
    if isinstance(content, str):
        path.write_text(content)
    else:
        YAML(typ="safe").dump(content, path)
    return load_report(path, params)


def test_the_shipped_report_is_valid():
    params = load_params(ROOT / "params.yaml")
    report = load_report(ROOT / "report.yaml", params)
    assert report.comparisons
    assert set(report.experiments) == set(params.experiments)
    assert set(report.studies) == set(params.studies)
    for name, study in params.studies.items():
        assert set(report.variant_labels(name)) == set(study.variants)


def test_a_missing_report_is_an_empty_one(params, tmp_path):
    assert not any(load_report(tmp_path / "report.yaml", params))


def test_texts_of_experiments_and_studies_are_found_by_name(params, tmp_path):
    report = load(REPORT, params, tmp_path)
    assert report.texts("drawer") == Texts(question="Does it draw?")
    assert report.texts("sizes") == Texts(question="How many cells?")
    assert report.texts("echoer") == Texts()


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        (
            "experiments/widths",
            {"variants": {"tall": "very tall"}},
            "experiments.widths.variants: unknown variant 'tall'; known: narrow, wide",
        ),
        (
            "experiments/widths",
            {"variants": {"narrow": "wide"}},
            "experiments.widths.variants: 2 variants are called 'wide'",
        ),
        (
            "studies/sizes/variants",
            {"hole": "all vertices"},
            "studies.sizes.variants: unknown variant 'hole' (did you mean 'whole'?); "
            "known: alone, whole",
        ),
        (
            "studies/sizes/variants",
            {"alone": "whole"},
            "studies.sizes.variants: 2 variants are called 'whole'",
        ),
        (
            "studies/search",
            {"variants": {"wide": "many cells"}},
            "studies.search.variants: unknown variant 'wide'; known: none",
        ),
        (
            "comparison",
            {},
            "comparison: unknown section 'comparison' (did you mean 'comparisons'?); "
            "known: comparisons, experiments, highlights, lessons, models, page, questions, "
            "results, story, studies",
        ),
        ("experiments", [], "experiments: must be a mapping of names to entries, got []"),
        (
            "experiments/drawer/question",
            3,
            "experiments.drawer.question: must be text, got 3; quote it",
        ),
        (
            "experiments/drawer/evidence",
            {"It draws": 5},
            "experiments.drawer.evidence.It draws.0: must be text, got 5; quote it",
        ),
        (
            "experiments/drawer/qestion",
            "Does it?",
            "experiments.drawer.qestion: unknown key 'qestion' (did you mean 'question'?); "
            "known: answer, evidence, question, variants",
        ),
        (
            "experiments/drawr",
            {},
            f"experiments.drawr: unknown experiment 'drawr' (did you mean 'drawer'?); "
            f"known: {EXPERIMENTS}",
        ),
        (
            "studies/size",
            {},
            "studies.size: unknown study 'size' (did you mean 'sizes'?); known: search, sizes",
        ),
        ("comparisons/drawers/question", REMOVE, "comparisons.drawers.question: is missing"),
        (
            "experiments/drawer/answer",
            "Its MAE is {drawr.mae:.3f}.",
            "experiments.drawer.answer: {drawr.mae}: unknown network or study 'drawr' (did you "
            "mean 'drawer'?); known: drawer, echoer, sampler, search, sizes, "
            "widths/narrow, widths/wide, writer",
        ),
        (
            "experiments/drawer/answer",
            "Its MAE is {drawer.mea:.3f}.",
            "experiments.drawer.answer: {drawer.mea}: unknown metric 'mea' of shapes",
        ),
        (
            "experiments/drawer/answer",
            "It is {drawer.mae < 1}.",
            "experiments.drawer.answer: {drawer.mae < 1}: must be a number",
        ),
        (
            "experiments/drawer/answer",
            "From {drawer.mae:.3f and {drawer.mae:.3f} to x.",
            "experiments.drawer.answer: 'From {drawer.mae:.3f and {': a brace belongs to no "
            "placeholder; write {expression:format}",
        ),
        (
            "experiments/drawer/answer",
            "Its MAE is {drawer.mae:.3f}, and falls}.",
            "experiments.drawer.answer: '.mae:.3f}, and falls}.': a brace belongs to no "
            "placeholder; write {expression:format}",
        ),
        (
            "experiments/drawer/answer",
            "It is {}.",
            "experiments.drawer.answer: 'It is {}.': a brace belongs to no placeholder; "
            "write {expression:format}",
        ),
        (
            "experiments/drawer/answer",
            "Its MAE is {drawer.mae:.3q}.",
            "experiments.drawer.answer: {drawer.mae:.3q}: the format must be that of a number, "
            "such as .3f, got .3q",
        ),
        (
            "results",
            {"sizes": {"answer": "It grows.", "evidence": {"x": "drawer.mae < widths/wide.mae"}}},
            "results.sizes.evidence: 'x' is not in the answer",
        ),
        (
            "results",
            {"sizes": {"answer": "It grows.", "evidence": {"It grows": "drawer.mae"}}},
            "results.sizes.evidence: 'drawer.mae': must be a comparison",
        ),
        (
            "results",
            {"sizes": {"answer": "{sizes[alone, 1].sise}"}},
            "results.sizes.answer: {sizes[alone, 1].sise}: unknown metric 'sise'; known: "
            "consistency_error, mae_regret, weights",
        ),
        (
            "results",
            {"sizes": {"answer": "{sizes[1].mae_regret}"}},
            "results.sizes.answer: {sizes[1].mae_regret}: must have a value of each of "
            "variant, model.cells",
        ),
        (
            "results",
            {"sizes": {"answer": "{search[2, 0.1, 4].token_accuracy}"}},
            "results.sizes.answer: {search[2, 0.1, 4].token_accuracy}: trials cannot be named by "
            "values of model.cells, which is a range",
        ),
        (
            "questions",
            {"drawing": {"question": "Draw.", "see": ["drawr"]}},
            "questions.drawing.see: unknown entry 'drawr' (did you mean 'drawer'?); known: "
            "drawer, drawers, echoer, sampler, search, sizes, widths, writer",
        ),
        (
            "lessons/drawing/see",
            ["drawr"],
            "lessons.drawing.see: unknown entry 'drawr' (did you mean 'drawer'?); known: "
            "drawer, drawers, echoer, sampler, search, sizes, widths, writer",
        ),
        (
            "lessons/drawing/figure",
            "figures/drawr/drawings.svg",
            "lessons.drawing.figure: unknown experiment 'drawr' (did you mean 'drawer'?); "
            f"known: {EXPERIMENTS}",
        ),
        ("lessons/drawing/minutes", 0, "lessons.drawing.minutes: must be at least 1, got 0"),
        ("lessons/drawing/minutes", REMOVE, "lessons.drawing.minutes: is missing"),
        (
            "story/widths/figure",
            "figures/wdths/drawings.svg",
            "story.widths.figure: unknown experiment 'wdths' (did you mean 'widths'?); "
            f"known: {EXPERIMENTS}",
        ),
        (
            "story/sizes/figure",
            "studies/size/pareto.svg",
            "story.sizes.figure: unknown study 'size' (did you mean 'sizes'?); "
            "known: search, sizes",
        ),
        (
            "story/sizes/run",
            "dvc repro study@size",
            "story.sizes.run: unknown entry 'size' (did you mean 'sizes'?); known: drawer, "
            "echoer, sampler, search, sizes, widths, writer",
        ),
        (
            "story/sizes/highlight",
            "cell",
            "story.sizes.highlight: unknown highlight 'cell' (did you mean 'cells'?); known: "
            "cells, memory",
        ),
        (
            "story/widths/caveat",
            "Its MAE was {drawer.mea:.3f}.",
            "story.widths.caveat: {drawer.mea}: unknown metric 'mea' of shapes",
        ),
        (
            "comparisons/drawers/experiments",
            ["drawer", "drawr"],
            "comparisons.drawers.experiments: unknown experiment 'drawr' (did you mean "
            f"'drawer'?); known: {NETWORKS}",
        ),
        (
            "comparisons/drawers/experiments",
            ["drawer", "echoer"],
            "comparisons.drawers.experiments: must be of one problem, got echo and shapes",
        ),
        (
            "comparisons/drawers/metrics",
            ["mae_regret", "sise"],
            "comparisons.drawers.metrics: unknown metric 'sise' of shapes",
        ),
        (
            "comparisons/sizes",
            {"question": "Which?", "experiments": ["drawer"], "metrics": ["size"]},
            "comparisons.sizes: is also the name of an experiment or study",
        ),
        (
            "comparisons/drawers/labels",
            {"drawr": "a drawer"},
            "comparisons.drawers.labels: unknown network 'drawr' (did you mean 'drawer'?); "
            "known: drawer, widths/narrow, widths/wide",
        ),
        (
            "comparisons/drawers/metrics",
            [],
            "comparisons.drawers.metrics: must have at least 1 entries, got []",
        ),
        (
            "highlights/memory/study",
            "sizes",
            "highlights.memory: needs either experiments or a study",
        ),
        (
            "highlights/memory/experiments",
            REMOVE,
            "highlights.memory: needs either experiments or a study",
        ),
        (
            "highlights/memory/experiments",
            ["drawer", "echoer"],
            "highlights.memory.experiments: must be of one problem, got echo and shapes",
        ),
        (
            "highlights/memory/experiments",
            ["drawer[constant]"],
            "highlights.memory: needs either experiments or a study",
        ),
        (
            "highlights/memory/experiments",
            ["drawer", "drawr[constant]"],
            "highlights.memory.experiments: unknown experiment 'drawr' (did you mean 'drawer'?); "
            f"known: {NETWORKS}",
        ),
        (
            "highlights/memory/experiments",
            ["drawer", "widths[constant]"],
            "highlights.memory.experiments: unknown experiment 'widths' (did you mean "
            "'widths/wide'?); known: "
            f"{NETWORKS.replace('widths, ', '')}",
        ),
        (
            "highlights/memory/labels",
            {"widths/wide[constant]": "no training"},
            "highlights.memory.labels: unknown network 'widths/wide[constant]' (did you mean "
            "'widths/wide'?); known: widths/narrow, widths/wide",
        ),
        (
            "highlights/memory/metric",
            "beauty",
            "highlights.memory.metric: unknown metric 'beauty' of shapes",
        ),
        (
            "highlights/memory/title",
            "Bell \a",
            r"highlights.memory.title: must not have control characters, got '\x07'",
        ),
        (
            "highlights/cells/study",
            "size",
            "highlights.cells.study: unknown study 'size' (did you mean 'sizes'?); "
            "known: search, sizes",
        ),
        (
            "highlights/cells/study",
            "search",
            "highlights.cells.study: search varies no numbers to draw a curve over",
        ),
        (
            "highlights/cells/metric",
            "mae",
            "highlights.cells.metric: unknown metric 'mae'; known: consistency_error, mae_regret",
        ),
        (
            "models/shape-drawer/candidates",
            ["drawr"],
            "models.shape-drawer.candidates: unknown experiment 'drawr' (did you mean 'drawer'?); "
            f"known: {NETWORKS}",
        ),
        (
            "models/shape-drawer/candidates",
            ["sampler", "echoer"],
            "models.shape-drawer.candidates: must be of one problem, got echo and shapes",
        ),
        (
            "models/shape-drawer/metric",
            "beauty",
            "models.shape-drawer.metric: unknown metric 'beauty' of shapes",
        ),
        (
            "models/shape-drawer/metric",
            "size",
            "models.shape-drawer.metric: 'size' cannot select a model: neither higher nor lower "
            "values are better",
        ),
        (
            "page",
            {"shape": {"networks": ["drawer"]}},
            "page.shape: unknown problem 'shape' (did you mean 'shapes'?); "
            "known: echo, shapes, text",
        ),
        (
            "page",
            {"echo": {"networks": ["drawer"]}},
            "page.echo.networks: must be networks of echo, got drawer of shapes",
        ),
    ],
)
def test_every_error_names_its_key(path, value, error, params, tmp_path):
    with pytest.raises(InputError) as caught:
        load(altered(path, value, text=REPORT), params, tmp_path)
    assert caught.value.messages == (f"report.yaml: {error}",)


def test_all_errors_are_listed_at_once(params, tmp_path):
    document = altered("models/shape-drawer/metric", "beauty", text=REPORT)
    document["highlights"]["memory"]["metric"] = "beauty"
    with pytest.raises(InputError) as caught:
        load(document, params, tmp_path)
    assert len(caught.value.messages) == 2


def test_a_report_is_checked_once_for_the_same_files(params, tmp_path, monkeypatch):
    load(REPORT, params, tmp_path)
    checked = []
    monkeypatch.setattr(params_load_report, "_story_errors", lambda *_: checked.append(1) or [])
    path = tmp_path / "report.yaml"
    load_report(path, load_params(tmp_path / "params.yaml"))
    assert not checked
    load_report(path, params._replace(scale=0.5))
    load(f"{REPORT}\n", params, tmp_path)
    assert len(checked) == 2


def test_a_report_that_is_not_yaml_is_an_error(params, tmp_path):
    with pytest.raises(InputError, match=r"^report\.yaml: line 2, column 1: not YAML: "):
        load("models: {", params, tmp_path)


def test_a_variant_can_be_compared_by_its_name(params, tmp_path):
    document = altered("comparisons/drawers/experiments", ["widths/wide", "drawer"], text=REPORT)
    assert load(document, params, tmp_path).comparisons["drawers"].experiments[0] == "widths/wide"
