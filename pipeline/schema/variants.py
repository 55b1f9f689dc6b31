"""Experiments with arms: several networks that differ in what each arm changes of the experiment.

    experiments:
      echo-long:
        …                                  what all arms share
        arms:
          printed: {}
          attention: {model: {architecture: attention}}

An arm is a network of its own, called `echo-long/attention`; one stage trains all of them, and one
figure shows them. An experiment without arms is one network of the same name.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.schema.experiment import name_error
from pipeline.utils.errors import format_value, unknown_name

SECTIONS = ("framing", "model", "training")


def network_name(experiment: str, variant: str | None) -> str:
    """The network's name."""
    return f"{experiment}/{variant}" if variant else experiment


def experiment_of(network: str) -> str:
    """The experiment that a network belongs to."""
    return network.partition("/")[0]


def short_name(network: str) -> str:
    """A network's name among its experiment's."""
    return network.rpartition("/")[2]


def expand_variants(
    entry: Mapping[str, Any], errors: list[str]
) -> dict[str | None, dict[str, Any]]:
    """The entry of each arm, or of None for an experiment without arms; faults of their form."""
    if "variants" not in entry:
        return {None: dict(entry)}
    variants = entry["variants"]
    shared = {key: value for key, value in entry.items() if key != "variants"}
    if not isinstance(variants, dict) or not variants:
        errors.append(
            f".variants: must be a mapping of names to changes, got {format_value(variants)}"
        )
        return {}
    expanded = {}
    for variant, changes in variants.items():
        key = f".variants.{variant}"
        if fault := name_error(variant):
            errors.append(f"{key}: {fault}")
        elif not isinstance(changes, dict):
            errors.append(
                f"{key}: must be a mapping, got {format_value(changes)}; {{}} changes nothing"
            )
        elif wrong := [section for section in changes if section not in SECTIONS]:
            errors += [
                f"{key}.{section}: {unknown_name('key', section, SECTIONS)}" for section in wrong
            ]
        elif wrong := [s for s, value in changes.items() if not isinstance(value, dict)]:
            errors += [
                f"{key}.{s}: must be a mapping, got {format_value(changes[s])}" for s in wrong
            ]
        else:
            expanded[variant] = shared | {
                section: shared[section] | values
                for section, values in changes.items()
                if isinstance(shared.get(section), dict)  # else it is a fault of its own
            }
    return expanded


def attribute_errors(experiment: str, errors: Mapping[str | None, Iterable[str]]) -> list[str]:
    """Faults by arm with their keys: those that all arms share are the experiment's own."""
    lists = [list(found) for found in errors.values()]
    shared = (
        [fault for fault in lists[0] if all(fault in found for found in lists)] if lists else []
    )
    own = [
        f"experiments.{experiment}.variants.{variant}{fault}"
        for variant, found in errors.items()
        for fault in found
        if fault not in shared
    ]
    return [f"experiments.{experiment}{fault}" for fault in shared] + own
