"""Reference values that are compared with networks, named `network[reference]` in report.yaml."""

from pipeline.runs import results
from pipeline.schema.report import split_reference
from pipeline.utils.errors import InputError, unknown_name


def load_reference(name: str, metric: str, key: str) -> float:
    """Load a reference value of a metric by its name.

    Raises InputError at `key` if the network has no such reference.
    """
    network, reference = split_reference(name)
    known = results.load_aggregates(network)["references"].get(metric, {})
    if reference not in known:
        raise InputError(f"{key}: {unknown_name('reference', reference, known)}")
    return known[reference]
