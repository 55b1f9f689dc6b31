"""Numbers and comparisons in texts: `{star/tokens.ks:.3f}`, `star/tokens.ks < 0.02`.

An expression has numbers, the operators of Python, the functions below, and names of values. A name
is written as in the tables of the report, so it may contain `-` and `/`; operators therefore need
spaces around them.

    star/tokens.ks                   metric of a network
    star/tokens.ks[ideal generator]  reference value of the metric
    star/tokens.training.sequences   parameter of a network
    hello/carried.history.accuracy   last point of its learning curve
    cells[recurrent, 3].mae_regret   metric of the trial of a study at that point; `*` is any value

A metric has one value per replica. In arithmetic, comparisons and placeholders it is their mean.
A count of the updates until a threshold is infinite in replicas that never reach it.
"""

from __future__ import annotations

import ast
import contextlib
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from pipeline.utils import statistics

NAME = re.compile(
    r"(?<![\w.\"'])(?P<entry>[a-z0-9][a-z0-9-]*(?:/[a-z0-9-]+)?)(?:\[(?P<point>[^\]]+)\])?"
    r"\.(?P<key>[A-Za-z_](?:[\w.-]*\w)?)(?:\[(?P<reference>[^\]]+)\])?"
)
PLACEHOLDER = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")

OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}


class Name(NamedTuple):
    """The name of a value: `entry[point].key[reference]`."""

    entry: str  # network or study
    point: tuple[str, ...]  # of a study's trial; empty for a network
    key: str  # metric or parameter
    reference: str | None

    def __str__(self) -> str:
        point = f"[{', '.join(self.point)}]" if self.point else ""
        reference = f"[{self.reference}]" if self.reference else ""
        return f"{self.entry}{point}.{self.key}{reference}"


class ExpressionError(ValueError):
    """An expression that cannot be evaluated; the message says why."""


Lookup = Callable[[Name], Any]
"""Returns the value of a name: an array with a value per replica, a number or a string."""


def _mean(value: Any) -> Any:
    """Return the mean of a metric over the replicas that have a value; other values unchanged."""
    if not isinstance(value, np.ndarray):
        return value
    present = value[~np.isnan(value)]
    if not len(present):
        raise ExpressionError("has no value")
    return float(present.mean())


def _present(value: Any) -> np.ndarray:
    return value[~np.isnan(value)] if isinstance(value, np.ndarray) else np.array([_mean(value)])


def _describe(value: Any) -> str:
    """Return a value as text: of a metric its mean, and how many replicas it is of."""
    if isinstance(value, str):
        return value
    missing = np.isnan(value).sum()
    note = f" (in {len(value) - missing} of {len(value)} replicas)" if missing else ""
    return f"{_mean(value):.4g}{note}"


def _extreme(function: Callable) -> Callable:
    """`min` and `max`: of one metric over its replicas, of several values over their means."""

    def apply(*values: Any) -> float:
        present = _present(values[0]) if len(values) == 1 else [_mean(value) for value in values]
        if not len(present):
            raise ExpressionError("has no value")
        return float(function(present))

    return apply


def _pairs(compare: Callable) -> Callable:
    """`lower` and `higher`: in how many replicas the first metric is lower, or higher."""
    return lambda ours, theirs: int(np.sum(compare(*_shared(ours, theirs))))


def _shared(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of the replicas that both networks have."""
    count = min(len(ours), len(theirs))
    pairs = ours[:count], theirs[:count]
    if np.isnan(pairs).any():  # it would be the worse one, but what is worse is not known here
        raise ExpressionError("compares replicas of which some have no value")
    return pairs


def _sign_test(ours: np.ndarray, theirs: np.ndarray) -> float:
    return statistics.sign_test(np.subtract(*_shared(ours, theirs)))


FUNCTIONS: dict[str, tuple[int | None, Callable]] = {  # number of arguments, None: any
    "min": (None, _extreme(np.min)),
    "max": (None, _extreme(np.max)),
    "low": (1, lambda value: statistics.interval(_present(value))[0]),
    "high": (1, lambda value: statistics.interval(_present(value))[1]),
    "median": (1, lambda value: float(np.median(_present(value)))),
    "count": (1, lambda value: int(np.isfinite(value).sum())),
    "replicas": (1, lambda value: len(value)),
    "lower": (2, _pairs(np.less)),
    "higher": (2, _pairs(np.greater)),
    "p_value": (2, _sign_test),
    "abs": (1, lambda value: abs(_mean(value))),
}
"""`low` and `high` are the ends of the interval, `count` is the number of replicas with a value."""


class Expression:
    """A parsed expression; raises ExpressionError if it is not one."""

    def __init__(self, text: str):
        self.text = " ".join(text.split())
        self.names: dict[str, Name] = {}
        try:
            self._tree = ast.parse(NAME.sub(self._replace, self.text), mode="eval").body
        except SyntaxError:
            raise ExpressionError("is not an expression") from None
        self._check(self._tree)

    def _replace(self, match: re.Match) -> str:
        point = tuple(part.strip() for part in (match["point"] or "").split(",") if part.strip())
        name = Name(match["entry"], point, match["key"], match["reference"])
        variable = f"_{len(self.names)}_"
        self.names[variable] = name
        return variable

    @property
    def is_comparison(self) -> bool:
        """Whether it is true or false, instead of a number."""
        node = self._tree
        return isinstance(node, ast.Compare | ast.BoolOp) or (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        )

    def _check(self, node: ast.AST) -> None:
        """Raise ExpressionError unless this node and all below it are allowed."""
        for child in self._children(node):
            self._check(child)

    def _children(self, node: ast.AST) -> list:
        match node:
            case ast.Name(id=name) if name not in self.names:
                raise ExpressionError(f"unknown name {name!r}; names are `network.metric`")
            case ast.Name():
                return []
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return []
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                if name not in FUNCTIONS:
                    known = ", ".join(sorted(FUNCTIONS))
                    raise ExpressionError(f"unknown function {name!r}; known: {known}")
                count = FUNCTIONS[name][0]
                if len(arguments) != (count or max(1, len(arguments))):
                    raise ExpressionError(f"{name} takes {count or 'some'} arguments")
                return arguments
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return [left, right]
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return [operand]
            case ast.BoolOp(values=values):
                return values
            case ast.Compare(left=left, ops=ops, comparators=others):
                if all(type(op) in OPERATORS for op in ops):
                    return [left, *others]
        raise ExpressionError(f"{ast.unparse(node)!r} is not allowed in an expression")

    def evaluate(self, lookup: Lookup) -> Any:
        """Return the value; raises ExpressionError if it has none."""
        try:
            return _mean(self._evaluate(self._tree, lookup))
        except ZeroDivisionError:
            raise ExpressionError("divides by zero") from None
        except TypeError:  # a function of replicas was applied to a number or a text
            raise ExpressionError("has a value that is not a metric over replicas") from None

    def _evaluate(self, node: ast.AST, lookup: Lookup) -> Any:
        def value(child: ast.AST) -> Any:
            return _mean(self._evaluate(child, lookup))

        match node:
            case ast.Constant(value=constant):
                return constant
            case ast.Name(id=variable):
                return lookup(self.names[variable])
            case ast.Call(func=ast.Name(id=name), args=arguments):
                values = [self._evaluate(argument, lookup) for argument in arguments]
                return FUNCTIONS[name][1](*values)
            case ast.BinOp(left=left, op=op, right=right):
                return OPERATORS[type(op)](value(left), value(right))
            case ast.UnaryOp(op=op, operand=operand):
                return OPERATORS[type(op)](value(operand))
            case ast.BoolOp(op=op, values=values):
                return (all if isinstance(op, ast.And) else any)(map(value, values))
            case ast.Compare(left=left, ops=ops, comparators=others):
                sides = [value(side) for side in (left, *others)]
                pairs = zip(ops, sides, sides[1:], strict=False)
                return all(OPERATORS[type(op)](ours, theirs) for op, ours, theirs in pairs)
        raise ExpressionError(f"{ast.unparse(node)!r} is not allowed in an expression")

    def explain(self, lookup: Lookup) -> str:
        """Return its names with their values: `a.mae = 0.012, b.mae = 0.013`."""
        shown = []
        for name in dict.fromkeys(self.names.values()):
            try:
                shown.append(f"{name} = {_describe(lookup(name))}")
            except ExpressionError as error:
                shown.append(f"{name} {error}")
        return ", ".join(shown)


def placeholders(text: str) -> Iterator[tuple[str, str]]:
    """Yield the expression and the format of each placeholder `{expression:format}` of a text."""
    for match in PLACEHOLDER.finditer(text):
        yield match[1], match[2] or ""


def lone_brace(text: str) -> str | None:
    """Return the surroundings of the first brace that belongs to no placeholder, or None."""
    brace = re.search("[{}]", PLACEHOLDER.sub(lambda match: "-" * len(match[0]), text))
    return text[max(0, brace.start() - 20) : brace.end() + 20] if brace else None


def is_format(format_: str) -> bool:
    """Whether some value can have a format: a number, an integer or a text."""
    for value in (0.5, 1, "text"):
        with contextlib.suppress(ValueError):
            format(value, format_)
            return True
    return False


def fill(text: str, replace: Callable[[str, str], str]) -> str:
    """Replace each placeholder of a text by what `replace` returns for expression and format."""
    return PLACEHOLDER.sub(lambda match: replace(match[1], match[2] or ""), text)


def typed_numbers(text: str) -> list[str]:
    """Return the numbers of a text that are not in placeholders.

    Digits that belong to a word (`order-5`, `float32`, `v2`) or to code do not count.
    """
    text = re.sub(r"`[^`]*`", "", PLACEHOLDER.sub("", text))
    return re.findall(r"(?<![\w.-])\d(?:[\d.,]*\d)?(?:e-?\d+)?(?![\d.,]*\d|[\w-]*[A-Za-z])", text)
