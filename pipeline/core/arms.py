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

from pipeline.core.params import name_fault
from pipeline.faults import shown, unknown

CHANGEABLE = ("framing", "model", "training")


def name(experiment: str, arm: str | None) -> str:
    """The network's name."""
    return f"{experiment}/{arm}" if arm else experiment


def experiment_of(network: str) -> str:
    """The experiment that a network belongs to."""
    return network.partition("/")[0]


def short(network: str) -> str:
    """A network's name among its experiment's."""
    return network.rpartition("/")[2]


def expand(entry: Mapping[str, Any], faults: list[str]) -> dict[str | None, dict[str, Any]]:
    """The entry of each arm, or of None for an experiment without arms; faults of their form."""
    if "arms" not in entry:
        return {None: dict(entry)}
    arms = entry["arms"]
    shared = {key: value for key, value in entry.items() if key != "arms"}
    if not isinstance(arms, dict) or not arms:
        faults.append(f".arms: must be a mapping of names to changes, got {shown(arms)}")
        return {}
    expanded = {}
    for arm, changes in arms.items():
        key = f".arms.{arm}"
        if fault := name_fault(arm):
            faults.append(f"{key}: {fault}")
        elif not isinstance(changes, dict):
            faults.append(f"{key}: must be a mapping, got {shown(changes)}; {{}} changes nothing")
        elif wrong := [section for section in changes if section not in CHANGEABLE]:
            faults += [
                f"{key}.{section}: {unknown('key', section, CHANGEABLE)}" for section in wrong
            ]
        elif wrong := [s for s, value in changes.items() if not isinstance(value, dict)]:
            faults += [f"{key}.{s}: must be a mapping, got {shown(changes[s])}" for s in wrong]
        else:
            expanded[arm] = shared | {
                section: shared[section] | values
                for section, values in changes.items()
                if isinstance(shared.get(section), dict)  # else it is a fault of its own
            }
    return expanded


def blame(experiment: str, faults: Mapping[str | None, Iterable[str]]) -> list[str]:
    """Faults by arm with their keys: those that all arms share are the experiment's own."""
    lists = [list(found) for found in faults.values()]
    shared = (
        [fault for fault in lists[0] if all(fault in found for found in lists)] if lists else []
    )
    own = [
        f"experiments.{experiment}.arms.{arm}{fault}"
        for arm, found in faults.items()
        for fault in found
        if fault not in shared
    ]
    return [f"experiments.{experiment}{fault}" for fault in shared] + own
