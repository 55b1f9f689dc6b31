"""Keys of earlier versions of params.yaml, and what they are called now."""

from collections.abc import Iterator, Mapping
from typing import Any

EXPERIMENT = {"arms": "variants"}
SECTIONS = {
    "framing": {"lengths": "eval_lengths", "answer": "target"},
    "model": {"handover": "decoder_context"},
    "training": {
        "clip": "clip_norm",
        "state": "reset_states_after",
        "processes": "workers",
        "snapshots": "checkpoints",
    },
}
STUDY = {
    "arm": "part of `experiment`: write `experiment: NAME/VARIANT`",
    "change": "overrides",
    "ties": "linked",
    "reach": "target",
    "confirm": "confirm_replicas",
}
STUDY_SECTIONS = {
    "prune": {"rungs": "shares", "after": "min_trials"},
    "mark": {"words": "label"},
}
REPORT = {
    "questions": "`question` of each entry under `experiments` and `studies` in report.yaml",
    "answers": "`answer` of each entry under `experiments` and `studies` in report.yaml",
    "comparisons": "`comparisons` in report.yaml",
    "findings": "`highlights` in report.yaml",
    "models": "`models` in report.yaml",
}


def renamed_keys(document: Mapping[str, Any]) -> list[str]:
    """One line for each key that has another name now."""
    return [
        *(f"{key}: is now {new}" for key, new in REPORT.items() if key in document),
        *_in_experiments(document),
        *_in_studies(document),
    ]


def _in_experiments(document: Mapping) -> Iterator[str]:
    for place, entry in _experiments(document):
        yield from _renamed(place, entry, EXPERIMENT)
        yield from _in_sections(place, entry)
        for variants in ("arms", "variants"):
            for variant, changes in _mappings(entry.get(variants)):
                yield from _in_sections(f"{place}.{variants}.{variant}", changes)


def _experiments(document: Mapping) -> Iterator[tuple[str, dict]]:
    """Yield the place and the keys of each experiment, recipe and default."""
    for section in ("recipes", "experiments"):
        for name, entry in _mappings(document.get(section)):
            yield f"{section}.{name}", entry
    for problem, kinds in _mappings(document.get("defaults")):
        for kind, entry in _mappings(kinds):
            yield f"defaults.{problem}.{kind}", entry


def _in_studies(document: Mapping) -> Iterator[str]:
    for name, entry in _mappings(document.get("studies")):
        place = f"studies.{name}"
        yield from _renamed(place, entry, STUDY)
        yield from _in_sections(place, entry, STUDY_SECTIONS)
        for overrides in ("change", "overrides"):
            if isinstance(entry.get(overrides), dict):
                yield from _in_sections(f"{place}.{overrides}", entry[overrides])
        for variant, changes in _mappings(entry.get("variants")):
            yield from _in_sections(f"{place}.variants.{variant}", changes)
        dimensions = {key: key for key, _ in _items(entry.get("space"))}
        for section, names in SECTIONS.items():
            for old, new in names.items():
                if f"{section}.{old}" in dimensions:
                    yield f"{place}.space.{section}.{old}: is now `{section}.{new}`"


def _in_sections(
    place: str, entry: Mapping, sections: Mapping[str, Mapping[str, str]] = SECTIONS
) -> Iterator[str]:
    for section, names in sections.items():
        if isinstance(entry.get(section), dict):
            yield from _renamed(f"{place}.{section}", entry[section], names)


def _renamed(place: str, entry: Mapping, names: Mapping[str, str]) -> Iterator[str]:
    for old, new in names.items():
        if old in entry:
            yield f"{place}.{old}: is now {new if '`' in new else f'`{new}`'}"


def _mappings(section: Any) -> list[tuple[Any, dict]]:
    return [(name, entry) for name, entry in _items(section) if isinstance(entry, dict)]


def _items(section: Any) -> list[tuple[Any, Any]]:
    return list(section.items()) if isinstance(section, dict) else []
