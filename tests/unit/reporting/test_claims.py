"""Answers of report.yaml agree with the results that are committed with them."""

import re

import numpy as np
import pytest
from ruamel.yaml import YAML
from small import PARAMS, ROOT

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.reporting import claims
from pipeline.schema.report import Answer
from pipeline.utils import paths
from pipeline.utils.errors import InputError
from pipeline.utils.expressions import ExpressionError, Name, placeholders, typed_numbers

COMPARING = re.compile(
    r"\b(than|best|worst|most|least|fewest|times|same|alike|always|never|none|largest|smallest|no)\b"
)
"""Words of a sentence that says more than what was done."""


@pytest.fixture(scope="module")
def shipped():
    params = load_params(ROOT / "params.yaml")
    return load_report(ROOT / "report.yaml", params), params


@pytest.fixture(scope="module")
def filled(shipped):
    """The report with its numbers, and what the committed results contradict."""
    return claims.fill_report(*shipped)


class Tables:
    """Tables with these values."""

    def __init__(self, **values):
        self.values = values

    def value(self, name, scope):
        if name.key not in self.values:
            raise ExpressionError("is not in the tables")
        return self.values[name.key]


def answer(text: str, **evidence: str) -> Answer:
    return Answer(answer=text, evidence={key.replace("_", " "): v for key, v in evidence.items()})


def test_a_claim_that_holds_leaves_the_answer_as_it_is():
    filled = claims.fill_answer(
        "studies.s", answer("It is small ({a.ks:.2f}).", is_small="a.ks < 0.1"), Tables(ks=0.012)
    )
    assert filled == ("It is small (0.01).", [])


def test_a_claim_that_no_longer_holds_is_struck_out_with_the_reason():
    filled = claims.fill_answer(
        "studies.s", answer("It is small ({a.ks:.2f}).", is_small="a.ks < 0.1"), Tables(ks=0.2)
    )
    reason = "`a.ks < 0.1`, but a.ks = 0.2"
    assert filled.text == f"It ~~is small~~ (**no longer holds**: {reason}) (0.20)."
    assert filled.contradictions == [f"studies.s: 'is small' no longer holds: {reason}"]


def test_a_value_that_is_missing_is_a_dash_and_its_claim_no_longer_holds():
    filled = claims.fill_answer(
        "studies.s", answer("It is small ({a.ks:.2f}).", is_small="a.ks < 0.1"), Tables()
    )
    assert filled.text.endswith("(–).")
    assert len(filled.contradictions) == 2


def test_a_quick_look_is_not_checked():
    filled = claims.fill_answer(
        "studies.s",
        answer("It is small ({a.ks:.2f}).", is_small="a.ks < 0.1"),
        Tables(ks=0.2),
        check=False,
    )
    assert filled == (f"It is small (0.20). {claims.NOT_CHECKED}", [])


@pytest.fixture
def study(in_folder):
    """The names of values of a study's trials, of which one variant is called `null`."""
    document = YAML(typ="safe").load(PARAMS)
    variants = document["studies"]["sizes"]["variants"]
    variants["null"] = variants.pop("whole")
    tables = claims.Tables(load_params(in_folder(document)))
    return lambda point: tables.value(Name("sizes", point, "mae_regret", None), "")


def test_a_variant_may_be_called_null(study):
    paths.study("sizes").mkdir(parents=True)
    table = "variant,model.cells,mae_regret.0,mae_regret.1\nalone,1,0.5,\nnull,1,0.1,0.2\n"
    (paths.study("sizes") / "trials.csv").write_text(table)
    assert study(("null", "1")).tolist() == [0.1, 0.2]
    assert study(("alone", "1"))[0] == 0.5
    assert np.isnan(study(("alone", "1"))[1])


def test_a_study_without_a_table_is_an_error_with_a_hint(study):
    with pytest.raises(InputError, match="csv: does not exist yet; run: dvc repro study@sizes"):
        study(("alone", "1"))


def test_the_committed_results_agree_with_every_claim(filled):
    _, contradictions = filled
    assert not contradictions, "\n".join(contradictions)


def test_no_number_of_an_answer_is_typed(shipped):
    report, _ = shipped
    typed = {
        f"{key}.{field}": typed_numbers(text)
        for key, entry in report.answers.items()
        for field, text in entry.texts.items()
    }
    assert not {key: numbers for key, numbers in typed.items() if numbers}


def test_every_sentence_that_compares_has_evidence(shipped):
    report, _ = shipped
    without = []
    for key, entry in report.answers.items():
        text = " ".join(entry.answer.split())
        for sentence in re.split(r"(?<=[.:])\s+(?=[A-Z])", text):
            supported = any(words in sentence for words, _ in entry.claims)
            measured = any("." in name for name, _ in placeholders(sentence))
            if COMPARING.search(sentence) and not supported and not measured:
                without.append(f"{key}: {sentence}")
    assert not without, "\n".join(without)


def test_the_results_of_the_readme_are_those_of_the_report(shipped, filled):
    report, params = filled[0], shipped[1]
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    for name, entry in report.results.items():
        assert f"- **{name.capitalize()}.** {entry.answer}" in readme
    counts = f"{len(params.experiments)} experiments with {len(params.networks)} networks"
    assert counts in readme
