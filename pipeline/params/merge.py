"""Merge entries of params.yaml with the defaults of their problem, recipes and variants.

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
variant. The place where each value is written is kept, so that error messages can name it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pipeline.schema.experiment import name_error
from pipeline.schema.variants import SECTIONS
from pipeline.utils.errors import format_value, unknown_name

Layer = tuple[str, Mapping[str, Any]]
"""The place of a mapping in the file, such as `recipes.cosine`, and the mapping."""

KINDS = ("dataset", "experiment")
"""What a problem can have defaults for."""


class Merged(NamedTuple):
    """A full entry, and the place in the file where each of its keys is written."""

    entry: dict[str, Any]
    origins: dict[str, str]  # key such as `training.epochs` -> place in the file

    def locate(self, error: str) -> str | None:
        """Return an error `.key: what is wrong` with the place of the key in the file instead.

        Returns None for a key that is not written anywhere, such as a missing one.
        """
        key, _, what = error.partition(":")
        parts = key.removeprefix(".").split(".")
        for length in range(len(parts), 0, -1):
            if place := self.origins.get(".".join(parts[:length])):
                return ".".join([place, *parts[length:]]) + f":{what}"
        return None


def merge(layers: Iterable[Layer]) -> Merged:
    """Merge the layers of an entry, and their sections key by key; later layers win."""
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
    """Return the section `defaults` as layers: {problem: {`dataset` or `experiment`: layer}}.

    Appends errors to `errors`.
    """
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
                if kind not in KINDS:
                    errors.append(f"{place}.{kind}: {unknown_name('key', kind, KINDS)}")
                elif kind == "experiment":
                    errors += section_errors(f"{place}.{kind}", entry)
                elif not isinstance(entry, dict):
                    errors.append(f"{place}.{kind}: must be a mapping, got {format_value(entry)}")
            layers[problem] = {kind: (f"{place}.{kind}", entry) for kind, entry in kinds.items()}
    return layers


def get_recipes(document: Mapping, errors: list[str]) -> dict[str, Layer]:
    """Return the section `recipes` as layers, by name; appends errors to `errors`."""
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
    """Return the errors of an entry that must be a mapping of an experiment's sections."""
    if not isinstance(entry, dict):
        got = format_value(entry)
        return [f"{place}: must be a mapping, got {got}; write {{}} to change nothing"]
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
    """Return {variant: full entry}, or {None: full entry} for an experiment without variants.

    Appends errors to `errors`.
    """
    sections = {key: value for key, value in entry.items() if key not in ("variants", "recipe")}
    shared = [*defaults, *_recipe_layers(place, entry, recipes, errors), (place, sections)]
    if "variants" not in entry:
        return {None: merge(shared)}
    variants = entry["variants"]
    if not isinstance(variants, dict) or not variants:
        got = format_value(variants)
        errors.append(f"{place}.variants: must be a mapping of names to changes, got {got}")
        return {}
    expanded: dict[str | None, Merged] = {}
    for variant, changes in variants.items():
        variant_place = f"{place}.variants.{variant}"
        if error := name_error(variant):
            errors.append(f"{variant_place}: {error}")
            continue
        if not isinstance(changes, dict):
            errors += section_errors(variant_place, changes)
            continue
        sections = {key: value for key, value in changes.items() if key != "recipe"}
        if variant_errors := section_errors(variant_place, sections):
            errors += variant_errors
            continue
        layers = _recipe_layers(variant_place, changes, recipes, errors)
        expanded[variant] = merge([*shared, *layers, (variant_place, sections)])
    return expanded


def _recipe_layers(
    place: str, entry: Mapping, recipes: Mapping[str, Layer], errors: list[str]
) -> list[Layer]:
    """Return the recipes under an entry's `recipe`; appends unknown ones to `errors`."""
    names = entry.get("recipe", [])
    names = names if isinstance(names, list) else [names]
    for name in names:
        if not isinstance(name, str) or name not in recipes:
            errors.append(f"{place}.recipe: {unknown_name('recipe', name, recipes)}")
    return [recipes[name] for name in names if isinstance(name, str) and name in recipes]
