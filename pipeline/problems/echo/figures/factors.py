"""What the arms of an experiment differ in, and what each difference does."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import Results
from pipeline.problems.echo.data.examples import samples_per_sequence
from pipeline.problems.echo.metrics.evaluation import LEARNED
from pipeline.schema.experiment import RunConfig

Variants = Mapping[str, tuple[RunConfig, Results]]

WORDS = {
    "framing.representation": "representation",
    "training.reset_states_after": "state is forgotten after each",
    "training.batch_size": "batch size",
    "updates": "updates",
}


def varied(configs: Iterable[RunConfig]) -> dict[str, list]:
    """What the arms differ in, {setting: its values}, numbers sorted, others as they come.

    Of settings that always change together, the first speaks for all; the sequences of a training
    are counted as updates.
    """
    flats = [settings(config) for config in configs]
    found: dict[str, list] = {}
    partitions = []
    for key in dict.fromkeys(itertools.chain(*flats)):
        values = [flat.get(key) for flat in flats]
        levels = list(dict.fromkeys(values))
        partition = [levels.index(value) for value in values]
        if len(levels) > 1 and partition not in partitions:
            partitions.append(partition)
            numbers = all(isinstance(level, int | float) for level in levels)
            found[key] = sorted(levels) if numbers else levels
    return found


def factorial(configs: Sequence[RunConfig]) -> bool:
    """Whether each combination of what the arms differ in is that of one arm."""
    flats = [settings(config) for config in configs]
    alike = any(one == other for one, other in itertools.combinations(flats, 2))
    return math.prod(map(len, varied(configs).values())) == len(configs) and not alike


def settings(config: RunConfig) -> dict:
    """An arm's framing, model and training under flat names, and its number of updates."""
    flat = {
        f"{section}.{key}": tuple(value) if isinstance(value, list) else value
        for section in ("framing", "model", "training")
        for key, value in getattr(config.experiment, section)
        if key not in ("replicas", "checkpoints", "vectorized", "workers")
    }
    training = config.experiment.training
    samples = flat.pop("training.sequences") * samples_per_sequence(config)
    return flat | {"updates": samples * flat.pop("training.epochs") // training.batch(samples)}


def looks(names: Iterable) -> dict:
    """Colour, kind of line and marker of each of the names; of very many some are alike."""
    kinds = zip(itertools.cycle(plotting.looks()), itertools.cycle(plotting.MARKERS), strict=False)
    return {
        name: look | {"marker": marker}
        for name, (look, marker) in zip(dict.fromkeys(names), kinds, strict=False)
    }


def by_cells(variants: Variants) -> bool:
    """Whether most arms have others that differ from them in the number of cells alone."""
    rest = [_without(config, "model.cells") for config, _ in variants.values()]
    return 2 * sum(rest.count(one) > 1 for one in rest) > len(rest)


def cells(variants: Variants) -> Figure:
    """Exact accuracy and updates until learned against cells, a line for each other setting."""
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.2))
    rest = {name: _without(config, "model.cells") for name, (config, _) in variants.items()}
    styles = looks(rest.values())
    labels = _labels([*styles])
    counts = sorted({config.experiment.model.cells for config, _ in variants.values()})
    names = ("exact_accuracy", "updates_until_learned")
    for axes, metric in zip(panels, names, strict=True):
        for group, look in styles.items():
            ours = {
                config.experiment.model.cells: results.metrics[metric]
                for name, (config, results) in variants.items()
                if rest[name] == group
            }
            means = []
            for count, values in ours.items():
                dots = look | {"linestyle": "none", "alpha": 0.3}
                axes.plot(np.full(len(values), count), values, **dots)
                means.append(np.nan if np.isnan(values).all() else np.nanmean(values))
            axes.plot([*ours], means, label=labels[group], **look)
        axes.set_xscale("log")
        axes.set(xlabel="cells", xticks=counts, xticklabels=counts)
        axes.minorticks_off()
    panels[0].set(ylabel="exact accuracy (share)", ylim=(-0.03, 1.03))
    panels[1].set_ylabel(f"updates until {LEARNED:.0%} exact")
    panels[1].margins(y=0.1)
    panels[1].set_ylim(bottom=0)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
    return figure


def effects(variants: Variants) -> Figure:
    """Exact accuracy at each level of each factor, all else equal."""
    configs = {name: config for name, (config, _) in variants.items()}
    means = {
        name: results.metrics["exact_accuracy"].mean() for name, (_, results) in variants.items()
    }
    factors = varied(configs.values())
    figure, panels = plt.subplots(
        1, len(factors), figsize=(2 + 3 * len(factors), 4), sharey=True, squeeze=False
    )
    for axes, (factor, levels) in zip(panels[0], factors.items(), strict=True):
        others = [other for other in factors if other != factor]
        by_rest: dict = {}
        for name, config in configs.items():
            flat = settings(config)
            rest = tuple(flat[other] for other in others)
            by_rest.setdefault(rest, {})[flat[factor]] = means[name]
        for line in by_rest.values():
            axes.plot(range(len(levels)), [line[level] for level in levels], "o-", color="#AAAAAA")
        middle = [np.mean([line[level] for line in by_rest.values()]) for level in levels]
        axes.plot(range(len(levels)), middle, "o-", color=plotting.BLUE, linewidth=4)
        for place, mean in enumerate(middle):
            offset = (0, 9 if mean < 0.9 else -18)
            axes.annotate(
                f"{mean:.1%}",
                (place, mean),
                offset,
                textcoords="offset points",
                ha="center",
                path_effects=plotting.HALO,
            )
        shown = [f"{level:,}" if isinstance(level, int) else str(level) for level in levels]
        axes.set(xticks=range(len(levels)), xticklabels=shown, xlim=(-0.4, len(levels) - 0.6))
        axes.set(xlabel=WORDS.get(factor, factor), ylim=(-0.03, 1.06))
    panels[0][0].set_ylabel("exact accuracy (share)")
    return figure


def _without(config: RunConfig, key: str) -> tuple:
    return tuple((other, value) for other, value in settings(config).items() if other != key)


def _labels(groups: list[tuple]) -> dict[tuple, str]:
    """The settings that tell the groups apart, and no more, as words."""
    labels = dict.fromkeys(groups, "")
    for settings in zip(*groups, strict=True):  # one setting of all groups
        longer = {
            group: f"{labels[group]}, {value}"
            for group, (_, value) in zip(groups, settings, strict=True)
        }
        if len(set(longer.values())) > len(set(labels.values())):
            labels = longer
    return {group: label.removeprefix(", ") or "all" for group, label in labels.items()}
