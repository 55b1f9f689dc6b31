"""Numbers and comparisons in texts."""

import numpy as np
import pytest

from pipeline.utils.expressions import (
    Expression,
    ExpressionError,
    fill,
    placeholders,
    typed_numbers,
)

VALUES = {
    "star/tokens.ks": np.array([0.1, 0.2, 0.3]),
    "star/mixture.ks": np.array([0.2, 0.1, np.nan]),
    "star/bins.ks": np.array([0.2, 0.1, 0.1]),
    "star/tokens.ks[ideal generator]": 0.05,
    "cells[recurrent, 3].mae_regret": np.array([2.0, 4.0]),
    "rectangle-8.outside_rectangle-8": 5,
    "star/fewer.ks": np.array([0.0, 0.5]),
    "echo.updates_until_learned": np.array([7.0, 9.0, np.inf]),
}


def lookup(name):
    if str(name) not in VALUES:
        raise ExpressionError("is not in the tables")
    return VALUES[str(name)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("star/tokens.ks", 0.2),
        ("star/mixture.ks", 0.15),
        ("star/tokens.ks[ideal generator]", 0.05),
        ("cells[recurrent,3].mae_regret / 2", 1.5),
        ("rectangle-8.outside_rectangle-8 - 1", 4),
        ("max(star/tokens.ks)", 0.3),
        ("min(star/tokens.ks, star/mixture.ks)", 0.15),
        ("(1 - 0.5) * 1e-6", 5e-7),
        ("count(star/mixture.ks)", 2),
        ("count(echo.updates_until_learned)", 2),
        ("replicas(echo.updates_until_learned)", 3),
        ("median(echo.updates_until_learned)", 9),
        ("lower(star/tokens.ks, star/bins.ks)", 1),
        ("higher(star/tokens.ks, star/bins.ks)", 2),
        ("abs(1 - 3)", 2),
        ("lower(star/fewer.ks, star/tokens.ks)", 1),
    ],
)
def test_numbers(text, value):
    expression = Expression(text)
    assert not expression.is_comparison
    assert expression.evaluate(lookup) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("star/tokens.ks < 0.3", True),
        ("0.3 > star/tokens.ks > star/mixture.ks", True),
        ("0.1 > star/tokens.ks > star/mixture.ks", False),
        ("star/tokens.ks < 0.1 or not star/tokens.ks < 0.1", True),
        ("star/tokens.ks < 0.1 and star/tokens.ks > 0.1", False),
        ("low(star/tokens.ks) < 0.2 < high(star/tokens.ks)", True),
        ("echo.updates_until_learned < 1000", False),
        ("p_value(star/tokens.ks, star/bins.ks) == 1", True),
    ],
)
def test_comparisons(text, holds):
    expression = Expression(text)
    assert expression.is_comparison
    assert expression.evaluate(lookup) is holds


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("star/tokens.ks <", "is not an expression"),
        ("ks < 1", "unknown name 'ks'"),
        ("mean(star/tokens.ks)", "unknown function 'mean'; known: abs,"),
        ("lower(star/tokens.ks)", "lower takes 2 arguments"),
        ("open('/etc/passwd')", "unknown function 'open'"),
        ("(1).__class__", "is not allowed"),
        ("2 ** 9999", "is not allowed"),
        ("'text'", "is not allowed"),
        ("True", "is not allowed"),
        ("[1, 2]", "is not allowed"),
    ],
)
def test_other_code_is_an_error(text, error):
    with pytest.raises(ExpressionError, match=error.replace("(", r"\(")):
        Expression(text)


def test_a_name_without_a_value_is_an_error_and_is_explained():
    expression = Expression("star/tokens.ks < star/none.ks")
    with pytest.raises(ExpressionError, match="is not in the tables"):
        expression.evaluate(lookup)
    assert expression.explain(lookup) == "star/tokens.ks = 0.2, star/none.ks is not in the tables"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("star/tokens.ks / (1 - 1)", "divides by zero"),
        ("lower(rectangle-8.outside_rectangle-8, 2)", "not a metric over replicas"),
    ],
)
def test_an_expression_without_a_value_is_an_error(text, error):
    with pytest.raises(ExpressionError, match=error):
        Expression(text).evaluate(lookup)


@pytest.mark.parametrize("function", ["lower", "higher", "p_value"])
def test_pairs_of_which_one_has_no_value_are_not_left_out(function):
    expression = Expression(f"{function}(star/tokens.ks, star/mixture.ks) < 1")
    with pytest.raises(ExpressionError, match="some have no value"):
        expression.evaluate(lookup)
    shown = "star/tokens.ks = 0.2, star/mixture.ks = 0.15 (in 2 of 3 replicas)"
    assert expression.explain(lookup) == shown


def test_placeholders_are_filled_with_their_formats():
    text = "KS {star/tokens.ks:.2f} of {star/tokens.ks[ideal generator]}; {10000:,}"
    assert list(placeholders(text)) == [
        ("star/tokens.ks", ".2f"),
        ("star/tokens.ks[ideal generator]", ""),
        ("10000", ","),
    ]
    assert fill(text, lambda name, format_: f"<{name}|{format_}>") == (
        "KS <star/tokens.ks|.2f> of <star/tokens.ks[ideal generator]|>; <10000|,>"
    )


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It is 0.0020. Then 10,000 or 5%", ["0.0020", "10,000", "5"]),
        ("below 1e-6, (3.61)", ["1e-6", "3.61"]),
        ("order-5 n-grams, float32, bz2, `scale 2` and {tokens.ks:.3f} {5}", []),
    ],
)
def test_typed_numbers_are_those_outside_of_placeholders_code_and_words(text, numbers):
    assert typed_numbers(text) == numbers
