"""Names of values in report.yaml, such as `star/tokens.ks`: what they mean in params.yaml."""

from collections.abc import Mapping
from typing import Any

from pipeline.params.validate import metric_errors
from pipeline.schema.params import Params
from pipeline.schema.study import Range, Study
from pipeline.schema.variants import SECTIONS, network_name
from pipeline.utils.errors import unknown_name
from pipeline.utils.expressions import Name

CONFIRMED = ("tuned", "untuned")
"""In place of a study's point: the networks of its confirmation."""

ANY = "*"

HISTORY = "history."
"""Prefix of the last point of a learning curve: `python-docs.history.train_bits_per_character`."""

BY_PIECE = "by_piece"
"""Network minus reference by piece of the test data: `source.by_piece[order-5 n-gram]`."""

COUNTS = ("weights", "replicas")
"""Keys of networks and trials that are neither metrics nor parameters."""


def resolve(name: Name, scope: str, params: Params) -> Name:
    """Return a name with the full name of its network: in an experiment, a variant is enough."""
    variant = network_name(scope, name.entry)
    return name._replace(entry=variant) if variant in params.networks else name


def reference_error(name: Name, scope: str, params: Params) -> str | None:
    """Return what is wrong with a name in the texts of an entry, or None if it is valid."""
    name = resolve(name, scope, params)
    if name.entry in params.networks and not name.point:
        known = params.config(name.entry).flat()
        return _key_error(name, known, params.networks[name.entry].problem)
    if name.entry not in params.studies:
        entries = [*params.networks, *params.studies]
        return unknown_name("network or study", name.entry, entries)
    study = params.studies[name.entry]
    if not name.point:
        known = parameters(study, params)
        return None if name.key in known else unknown_name("parameter", name.key, known)
    if error := _point_error(name, study):
        return error
    if name.key in study.measured or name.key == "weights":
        return None
    return unknown_name("metric", name.key, [*study.measured, "weights"])


def _key_error(name: Name, parameters_: Mapping, problem: str) -> str | None:
    if name.key in parameters_ or name.key in (*COUNTS, BY_PIECE):
        return None
    if name.key.partition(".")[0] in (*SECTIONS, "dataset"):
        return unknown_name("parameter", name.key, parameters_)
    metric = name.key.removeprefix(HISTORY) if name.key.startswith(HISTORY) else name.key
    errors = metric_errors("", metric.removeprefix("train_"), problem)
    return errors[0].removeprefix(": ") if errors else None


def parameters(study: Study, params: Params) -> dict[str, Any]:
    """Return the parameters that all trials of a study share, under flat names."""
    overrides = {
        f"{section}.{key}": value
        for section, values in study.overrides.items()
        for key, value in values.items()
    }
    return params.config(study.experiment).flat() | overrides | {"trials": study.planned}


def _point_error(name: Name, study: Study) -> str | None:
    if len(name.point) == 1 and name.point[0] in CONFIRMED and study.confirm_replicas:
        return None
    dimensions = study.dimensions
    if len(name.point) != len(dimensions):
        return f"must have a value of each of {', '.join(dimensions)}"
    # Whether the study has these choices shows in the report: another grid is no error of the text.
    for key, choices in dimensions.items():
        if isinstance(choices, Range):
            return f"trials cannot be named by values of {key}, which is a range"
    return None


def matches(name: Name, study: Study, point: Mapping[str, Any]) -> bool:
    """Return whether a trial's point is the one of a name."""
    values = (str(point[key]) for key in study.dimensions)
    return all(part in (ANY, value) for part, value in zip(name.point, values, strict=True))
