"""The settings in which an experiment's variants differ, and figures of their effects."""

import itertools
import math
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import Variants
from pipeline.problems.echo.data.examples import samples_per_sequence
from pipeline.problems.echo.metrics.evaluation import LEARNED
from pipeline.schema.experiment import RunConfig


def varied_settings(configs: Iterable[RunConfig]) -> dict[str, list]:
    """Return the settings in which variants differ and their values, sorted if they are numbers.

    Of settings that always change together, only the first is returned.
    """
    rows = [settings(config) for config in configs]
    varied: dict[str, list] = {}
    partitions = []
    for key in dict.fromkeys(itertools.chain(*rows)):
        values = [row.get(key) for row in rows]
        levels = list(dict.fromkeys(values))
        partition = [levels.index(value) for value in values]
        if len(levels) > 1 and partition not in partitions:
            partitions.append(partition)
            numbers = all(isinstance(level, int | float) for level in levels)
            varied[key] = sorted(levels) if numbers else levels
    return varied


def is_full_factorial(configs: Sequence[RunConfig]) -> bool:
    """Whether there is exactly one variant for each combination of the varied settings."""
    rows = [settings(config) for config in configs]
    duplicates = any(one == other for one, other in itertools.combinations(rows, 2))
    combinations = math.prod(map(len, varied_settings(configs).values()))
    return combinations == len(configs) and not duplicates


def settings(config: RunConfig) -> dict:
    """Flatten framing, model and training, with the number of updates in place of sequences."""
    flat = {
        f"{section}.{key}": tuple(value) if isinstance(value, list) else value
        for section in ("framing", "model", "training")
        for key, value in getattr(config.experiment, section)
        if key not in ("replicas", "checkpoints", "vectorized", "workers")
    }
    training = config.experiment.training
    samples = flat.pop("training.sequences") * samples_per_sequence(config)
    return flat | {"updates": samples * flat.pop("training.epochs") // training.batch(samples)}


def line_styles(names: Iterable) -> dict:
    """Assign color, line style and marker to each name; with very many names they repeat."""
    styles = zip(
        itertools.cycle(plotting.line_styles()), itertools.cycle(plotting.MARKERS), strict=False
    )
    return {
        name: style | {"marker": marker}
        for name, (style, marker) in zip(dict.fromkeys(names), styles, strict=False)
    }


def compares_cells(variants: Variants) -> bool:
    """Whether most variants have another that differs from them only in the number of cells."""
    others = [_other_settings(config, "model.cells") for config, _ in variants.values()]
    return 2 * sum(others.count(one) > 1 for one in others) > len(others)


def plot_cells(variants: Variants) -> Figure:
    """Exact accuracy and updates until learned against cells, a line per other setting.

    The second panel is left out unless at least two of the lines have values there.
    """
    groups = {
        name: _other_settings(config, "model.cells") for name, (config, _) in variants.items()
    }
    by_variant = line_styles(variants)
    # The first variant of a group lends it its style.
    styles = {group: by_variant[name] for name, group in reversed(groups.items())}
    labels = _labels(list(dict.fromkeys(groups.values())))
    ticks = sorted({config.experiment.model.cells for config, _ in variants.values()})
    labels_by_metric = {
        "exact_accuracy": "exact accuracy (share)",
        "updates_until_learned": f"updates until {LEARNED:.0%} exact",
    }
    learned = {
        groups[name]
        for name, (_, results) in variants.items()
        if not np.isnan(results.metrics["updates_until_learned"]).all()
    }
    if len(learned) < 2:  # nothing to compare
        del labels_by_metric["updates_until_learned"]
    figure, panels = plotting.panels(len(labels_by_metric), 2, 4.2)
    for axes, (metric, label) in zip(panels, labels_by_metric.items(), strict=True):
        for group in labels:
            by_cells = {
                config.experiment.model.cells: results.metrics[metric]
                for name, (config, results) in variants.items()
                if groups[name] == group
            }
            means = []
            for count, values in by_cells.items():
                dots = styles[group] | {"linestyle": "none", "alpha": 0.3}
                axes.plot(np.full(len(values), count), values, clip_on=False, **dots)
                means.append(np.nan if np.isnan(values).all() else np.nanmean(values))
            axes.plot([*by_cells], means, label=labels[group], clip_on=False, **styles[group])
        axes.set_xscale("log")
        axes.set(xlabel="cells", ylabel=label, xticks=ticks, xticklabels=ticks)
        axes.minorticks_off()
    panels[0].set_ylim(-0.03, 1.03)
    for axes in panels[1:]:
        axes.margins(y=0.1)
        axes.set_ylim(bottom=0)
    plotting.figure_legend(figure)
    return figure


def plot_effects(variants: Variants) -> Figure:
    """Exact accuracy at each value of each setting, with all others equal."""
    flat = {name: settings(config) for name, (config, _) in variants.items()}
    means = {
        name: results.metrics["exact_accuracy"].mean() for name, (_, results) in variants.items()
    }
    factors = varied_settings([config for config, _ in variants.values()])
    figure, panels = plotting.panels(len(factors), max(2, len(factors)), 4.0, sharey=True)
    for axes, (factor, levels) in zip(panels, factors.items(), strict=True):
        lines: dict = {}  # of the variants that differ in this factor alone: {level: mean}
        for name, row in flat.items():
            others = tuple(row[other] for other in factors if other != factor)
            lines.setdefault(others, {})[row[factor]] = means[name]
        for line in lines.values():
            values = [line[level] for level in levels]
            axes.plot(range(len(levels)), values, "o-", color="#AAAAAA", clip_on=False)
        overall = [np.mean([line[level] for line in lines.values()]) for level in levels]
        style = {"color": plotting.BLUE, "linewidth": 4, "clip_on": False}
        axes.plot(range(len(levels)), overall, "o-", **style)
        labels = [_level_label(level) for level in levels]
        ticks = [f"{label}\n({mean:.1%})" for label, mean in zip(labels, overall, strict=True)]
        axes.set(xticks=range(len(levels)), xticklabels=ticks, xlim=(-0.4, len(levels) - 0.6))
        axes.set(xlabel=_axis_label(factor), ylim=(-0.03, 1.03))
    panels[0].set_ylabel("exact accuracy (share)")
    return figure


def _level_label(level: object) -> str:
    if isinstance(level, bool):
        return "yes" if level else "no"
    return f"{level:,}" if isinstance(level, int) else str(level).replace("_", " ")


def _axis_label(setting: str) -> str:
    if setting == "training.reset_states_after":
        return "state reset after every"
    return setting.rpartition(".")[2].replace("_", " ")


def _other_settings(config: RunConfig, key: str) -> tuple:
    return tuple((other, value) for other, value in settings(config).items() if other != key)


def _labels(groups: list[tuple]) -> dict[tuple, str]:
    """Label each group with the values of the fewest settings that tell the groups apart."""
    labels = dict.fromkeys(groups, "")
    for values in zip(*groups, strict=True):  # one setting of all groups
        longer = {
            group: f"{labels[group]}, {value}".replace("_", " ")
            for group, (_, value) in zip(groups, values, strict=True)
        }
        if len(set(longer.values())) > len(set(labels.values())):
            labels = longer
    return {group: label.removeprefix(", ") or "all" for group, label in labels.items()}
