"""What the arms of an experiment differ in, and what each difference does."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from pipeline import style
from pipeline.core.params import Setup
from pipeline.core.rooms import Results
from pipeline.echo.data import samples_per_sequence
from pipeline.echo.metrics import LEARNED

Arms = Mapping[str, tuple[Setup, Results]]

WORDS = {
    "framing.representation": "representation",
    "training.state": "state is forgotten after each",
    "training.batch_size": "batch size",
    "updates": "updates",
}


def varied(setups: Iterable[Setup]) -> dict[str, list]:
    """What the arms differ in, {setting: its values}, numbers sorted, others as they come.

    Of settings that always change together, the first speaks for all; the sequences of a training
    are counted as updates.
    """
    flats = [settings(setup) for setup in setups]
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


def factorial(setups: Sequence[Setup]) -> bool:
    """Whether each combination of what the arms differ in is that of one arm."""
    flats = [settings(setup) for setup in setups]
    alike = any(one == other for one, other in itertools.combinations(flats, 2))
    return math.prod(map(len, varied(setups).values())) == len(setups) and not alike


def settings(setup: Setup) -> dict:
    """An arm's framing, model and training under flat names, and its number of updates."""
    flat = {
        f"{section}.{key}": tuple(value) if isinstance(value, list) else value
        for section in ("framing", "model", "training")
        for key, value in getattr(setup.experiment, section)
        if key not in ("replicas", "snapshots", "vectorized", "processes")
    }
    training = setup.experiment.training
    samples = flat.pop("training.sequences") * samples_per_sequence(setup)
    return flat | {"updates": samples * flat.pop("training.epochs") // training.batch(samples)}


def looks(names: Iterable) -> dict:
    """Colour, kind of line and marker of each of the names; of very many some are alike."""
    kinds = zip(itertools.cycle(style.looks()), itertools.cycle(style.MARKERS), strict=False)
    return {
        name: look | {"marker": marker}
        for name, (look, marker) in zip(dict.fromkeys(names), kinds, strict=False)
    }


def by_cells(arms: Arms) -> bool:
    """Whether most arms have others that differ from them in the number of cells alone."""
    rest = [_without(setup, "model.cells") for setup, _ in arms.values()]
    return 2 * sum(rest.count(one) > 1 for one in rest) > len(rest)


def cells(arms: Arms) -> Figure:
    """Exact accuracy and updates until learned against cells, a line for each other setting."""
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.2))
    rest = {name: _without(setup, "model.cells") for name, (setup, _) in arms.items()}
    styles = looks(rest.values())
    labels = _labels([*styles])
    counts = sorted({setup.experiment.model.cells for setup, _ in arms.values()})
    names = ("exact_accuracy", "updates_until_learned")
    for axes, metric in zip(panels, names, strict=True):
        for group, look in styles.items():
            ours = {
                setup.experiment.model.cells: results.metrics[metric]
                for name, (setup, results) in arms.items()
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


def effects(arms: Arms) -> Figure:
    """Exact accuracy at each level of each factor, all else equal."""
    setups = {name: setup for name, (setup, _) in arms.items()}
    means = {name: results.metrics["exact_accuracy"].mean() for name, (_, results) in arms.items()}
    factors = varied(setups.values())
    figure, panels = plt.subplots(
        1, len(factors), figsize=(2 + 3 * len(factors), 4), sharey=True, squeeze=False
    )
    for axes, (factor, levels) in zip(panels[0], factors.items(), strict=True):
        others = [other for other in factors if other != factor]
        by_rest: dict = {}
        for name, setup in setups.items():
            flat = settings(setup)
            rest = tuple(flat[other] for other in others)
            by_rest.setdefault(rest, {})[flat[factor]] = means[name]
        for line in by_rest.values():
            axes.plot(range(len(levels)), [line[level] for level in levels], "o-", color="#AAAAAA")
        middle = [np.mean([line[level] for line in by_rest.values()]) for level in levels]
        axes.plot(range(len(levels)), middle, "o-", color=style.BLUE, linewidth=4)
        for place, mean in enumerate(middle):
            offset = (0, 9 if mean < 0.9 else -18)
            axes.annotate(
                f"{mean:.1%}",
                (place, mean),
                offset,
                textcoords="offset points",
                ha="center",
                path_effects=style.HALO,
            )
        shown = [f"{level:,}" if isinstance(level, int) else str(level) for level in levels]
        axes.set(xticks=range(len(levels)), xticklabels=shown, xlim=(-0.4, len(levels) - 0.6))
        axes.set(xlabel=WORDS.get(factor, factor), ylim=(-0.03, 1.06))
    panels[0][0].set_ylabel("exact accuracy (share)")
    return figure


def _without(setup: Setup, key: str) -> tuple:
    return tuple((other, value) for other, value in settings(setup).items() if other != key)


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
