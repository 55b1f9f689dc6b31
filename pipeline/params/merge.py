"""From what params.yaml states to full entries: problem defaults, recipes, variants.

    defaults:
      shapes:
        dataset: {train: 25000}                  for every dataset of the problem
        experiment: {training: {seed: 1}}        for every experiment of the problem
    recipes:
      recurrent: {framing: {sample: shape}, training: {batch_size: 1}}
    experiments:
      star:
        problem: shapes
        dataset: star
        variants:
          narrow: {recipe: recurrent, model: {cells: 10}}
          tuned: {recipe: [recurrent, cosine]}   several, applied in this order

Later layers win: defaults, the experiment's recipes, the experiment, the variant's recipes, the
variant. Each value remembers where it was written, so that an error names that place.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pipeline.schema.experiment import name_error
from pipeline.schema.variants import SECTIONS
from pipeline.utils.errors import format_value, unknown_name

Layer = tuple[str, Mapping[str, Any]]  # where it is written, what it sets


class Merged(NamedTuple):
    """A full entry, and where each of its keys was written."""

    entry: dict[str, Any]
    origins: dict[str, str]  # key such as `training.epochs` -> place in the file

    def locate(self, error: str) -> str | None:
        """An error `.key: what is wrong` at the place where the key is written, if it is."""
        key, _, what = error.partition(":")
        parts = key.removeprefix(".").split(".")
        for length in range(len(parts), 0, -1):
            if place := self.origins.get(".".join(parts[:length])):
                return ".".join([place, *parts[length:]]) + f":{what}"
        return None


def merge(layers: Iterable[Layer]) -> Merged:
    """Merge layers of an entry, the sections key by key; later ones win."""
    entry: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for place, layer in layers:
        for key, value in layer.items():
            if isinstance(value, Mapping) and isinstance(entry.get(key, {}), Mapping):
                entry[key] = {**entry.get(key, {}), **value}
                origins |= {f"{key}.{name}": f"{place}.{key}.{name}" for name in value}
            else:
                entry[key] = value
                origins[key] = f"{place}.{key}"
    return Merged(entry, origins)


def get_defaults(
    document: Mapping, problems: Iterable[str], errors: list[str]
) -> dict[str, dict[str, Layer]]:
    """`defaults:` as layers by problem and kind (`dataset`, `experiment`)."""
    defaults = document.get("defaults", {})
    if not isinstance(defaults, dict):
        errors.append(f"defaults: must be a mapping of problems, got {format_value(defaults)}")
        return {}
    layers: dict[str, dict[str, Layer]] = {}
    for problem, kinds in defaults.items():
        place = f"defaults.{problem}"
        if problem not in problems:
            errors.append(f"{place}: {unknown_name('problem', problem, problems)}")
        elif not isinstance(kinds, dict):
            errors.append(f"{place}: must be a mapping, got {format_value(kinds)}")
        else:
            for kind, entry in kinds.items():
                if kind not in ("dataset", "experiment"):
                    known = ("dataset", "experiment")
                    errors.append(f"{place}.{kind}: {unknown_name('key', kind, known)}")
                elif kind == "experiment":
                    errors += section_errors(f"{place}.{kind}", entry)
                elif not isinstance(entry, dict):
                    errors.append(f"{place}.{kind}: must be a mapping, got {format_value(entry)}")
            layers[problem] = {kind: (f"{place}.{kind}", entry) for kind, entry in kinds.items()}
    return layers


def get_recipes(document: Mapping, errors: list[str]) -> dict[str, Layer]:
    """`recipes:` as layers by name."""
    recipes = document.get("recipes", {})
    if not isinstance(recipes, dict):
        errors.append(f"recipes: must be a mapping of names, got {format_value(recipes)}")
        return {}
    for name, recipe in recipes.items():
        if error := name_error(name):
            errors.append(f"recipes.{name}: {error}")
        errors += section_errors(f"recipes.{name}", recipe)
    return {name: (f"recipes.{name}", recipe) for name, recipe in recipes.items()}


def section_errors(place: str, entry: Any) -> list[str]:
    """What keeps an entry from being a mapping of an experiment's sections."""
    if not isinstance(entry, dict):
        return [f"{place}: must be a mapping, got {format_value(entry)}; {{}} changes nothing"]
    unknown = [key for key in entry if key not in SECTIONS]
    if unknown:
        return [f"{place}.{key}: {unknown_name('key', key, SECTIONS)}" for key in unknown]
    return [
        f"{place}.{key}: must be a mapping, got {format_value(value)}"
        for key, value in entry.items()
        if not isinstance(value, dict)
    ]


def expand_variants(
    place: str,
    entry: Mapping[str, Any],
    defaults: Iterable[Layer],
    recipes: Mapping[str, Layer],
    errors: list[str],
) -> dict[str | None, Merged]:
    """The full entry of each variant, or of None for an experiment without variants."""
    own = {key: value for key, value in entry.items() if key not in ("variants", "recipe")}
    shared = [*defaults, *_chosen(place, entry, recipes, errors), (place, own)]
    if "variants" not in entry:
        return {None: merge(shared)}
    variants = entry["variants"]
    if not isinstance(variants, dict) or not variants:
        got = format_value(variants)
        errors.append(f"{place}.variants: must be a mapping of names to changes, got {got}")
        return {}
    expanded: dict[str | None, Merged] = {}
    for variant, changes in variants.items():
        where = f"{place}.variants.{variant}"
        if error := name_error(variant):
            errors.append(f"{where}: {error}")
            continue
        if not isinstance(changes, dict):
            errors += section_errors(where, changes)
            continue
        sections = {key: value for key, value in changes.items() if key != "recipe"}
        if wrong := section_errors(where, sections):
            errors += wrong
            continue
        chosen = _chosen(where, changes, recipes, errors)
        expanded[variant] = merge([*shared, *chosen, (where, sections)])
    return expanded


def _chosen(
    place: str, entry: Mapping, recipes: Mapping[str, Layer], errors: list[str]
) -> list[Layer]:
    """The recipes that an entry names."""
    names = entry.get("recipe", [])
    names = names if isinstance(names, list) else [names]
    for name in names:
        if not isinstance(name, str) or name not in recipes:
            errors.append(f"{place}.recipe: {unknown_name('recipe', name, recipes)}")
    return [recipes[name] for name in names if isinstance(name, str) and name in recipes]
