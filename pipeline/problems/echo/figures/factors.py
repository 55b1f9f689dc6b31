"""The settings in which an experiment's variants differ, and figures of their effects."""

import itertools
import math
import textwrap
from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import Variants
from pipeline.problems.echo.data.examples import samples_per_sequence
from pipeline.problems.echo.metrics.evaluation import LEARNED
from pipeline.schema.experiment import RunConfig

UPDATES = "updates"  # in place of a setting: they follow from others
LONGEST = 24  # characters in a line below a panel of effects
LONGEST_LEVEL = 9  # and below a value
UNLEARNED = 0.01  # exact accuracy below which a network counts as one that learned nothing
VALUES = {
    "model.architecture": {
        "lstm": "LSTM, by step",
        "vector": "one vector",
        "features": "features of a step",
    },
    "model.decoder_context": {"vector": "input of each step", "initial_state": "initial state"},
    "training.loss": {"mae": "MAE", "mse": "MSE", "categorical_crossentropy": "cross-entropy"},
}
"""The words for values of params.yaml that do not explain themselves, by their keys."""


def varied_settings(configs: Iterable[RunConfig]) -> dict[str, list]:
    """Return the settings in which variants differ and their values, sorted if they are numbers.

    Of settings that always change together, only the first is returned.
    """
    rows = [settings(config) for config in configs]
    varied: dict[str, list] = {}
    for key, *_ in _joint_settings(rows):
        levels = list(dict.fromkeys(row.get(key) for row in rows))
        varied[key] = sorted(levels) if _are_numbers(levels) else levels
    return varied


def _joint_settings(rows: Sequence[dict]) -> list[list[str]]:
    """Return the settings that differ between rows; those that always change together in a list."""
    joint: dict[tuple, list[str]] = {}
    for key in dict.fromkeys(itertools.chain(*rows)):
        values = [row.get(key) for row in rows]
        levels = list(dict.fromkeys(values))
        if len(levels) > 1:
            joint.setdefault(tuple(map(levels.index, values)), []).append(key)
    return list(joint.values())


def _are_numbers(levels: Iterable) -> bool:
    return all(isinstance(level, int | float) for level in levels)


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
    samples = flat.pop("training.sequences") * samples_per_sequence(config)
    flat.pop("training.epochs")
    return flat | {UPDATES: config.experiment.training.updates(samples)}


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
    styles = line_styles(groups.values())
    labels = _labels(list(styles))
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
    rows = [settings(config) for config, _ in variants.values()]
    factors = varied_settings([config for config, _ in variants.values()])
    joint = {keys[0]: keys for keys in _joint_settings(rows)}
    figure, panels = plotting.panels(len(factors), max(2, len(factors)), 4.0, sharey=True)
    for axes, (factor, levels) in zip(panels, factors.items(), strict=True):
        lines = _effects(variants, factors, factor)
        # A line between the values of a setting without an order would be no slope.
        mark = "o-" if len(levels) == 2 or _are_numbers(levels) else "o"
        for line in lines:
            values = [line[level] for level in levels]
            look = mark.replace("-", ":") if max(values) < UNLEARNED else mark
            axes.plot(range(len(levels)), values, look, color="#AAAAAA", clip_on=False)
        overall = [np.mean([line[level] for line in lines]) for level in levels]
        style = {"color": plotting.BLUE, "linewidth": 4, "markersize": 9, "clip_on": False}
        axes.plot(range(len(levels)), overall, mark, **style)
        # Words of settings that change together: `0.001` and `constant`.
        words = {
            row[factor]: ", ".join(
                _level_label(key, row[key])
                for key in joint[factor]
                if key == factor or isinstance(row[key], str)
            )
            for row in rows
        }
        labels = [textwrap.fill(words[level], LONGEST_LEVEL) for level in levels]
        ticks = [f"{label}\n({mean:.1%})" for label, mean in zip(labels, overall, strict=True)]
        axes.set_xticks(range(len(levels)), ticks, fontsize=10)
        axes.set(xlim=(-0.4, len(levels) - 0.6), ylim=(-0.03, 1.03))
        keys = [factor, *(key for key in joint[factor][1:] if key != UPDATES)]
        names = ", ".join(map(plotting.setting_label, keys))
        if factor == "training.batch_size" and UPDATES not in joint[factor]:
            names += " (at the same number of updates)"
        axes.set_xlabel(textwrap.fill(names, LONGEST), fontsize=10)
    panels[0].set_ylabel("exact accuracy (share)")
    return figure


def _effects(variants: Variants, factors: Iterable[str], factor: str) -> list[dict]:
    """Return mean accuracies by level, {level: mean}, of variants that differ in a factor only."""
    lines: dict = {}
    for config, results in variants.values():
        row = settings(config)
        others = tuple(row[other] for other in factors if other != factor)
        mean = results.metrics["exact_accuracy"].mean()
        lines.setdefault(others, {})[row[factor]] = mean
    return list(lines.values())


def describe_unlearned(variants: Variants) -> str:
    """Return a part of a caption of `plot_effects`: which lines are dotted, if any are."""
    factors = varied_settings([config for config, _ in variants.values()])
    effects = {factor: _effects(variants, factors, factor) for factor in factors}
    if not any(max(line.values()) < UNLEARNED for lines in effects.values() for line in lines):
        return ""
    caption = f" Dotted: variants that stay below {UNLEARNED:.0%}"
    for factor, lines in effects.items():
        unlearned = [[level for level in line if line[level] < UNLEARNED] for line in lines]
        if len(unlearned[0]) == 1 and all(levels == unlearned[0] for levels in unlearned):
            label = _level_label(factor, unlearned[0][0])
            caption += f", all those with {plotting.setting_label(factor)}: {label}"
    return f"{caption}."


def _level_label(setting: str, level: object) -> str:
    if isinstance(level, bool):
        return "yes" if level else "no"
    if isinstance(level, int):
        return f"{level:,}"
    return VALUES.get(setting, {}).get(str(level), str(level).replace("_", " "))


def _setting_and_level(setting: str, level: object) -> str:
    """Describe a value; yes, no and numbers of updates need the name of their setting."""
    label = _level_label(setting, level)
    if isinstance(level, bool):
        return f"{plotting.setting_label(setting)}: {label}"
    return f"{label} updates" if setting == UPDATES else label


def _other_settings(config: RunConfig, key: str) -> tuple:
    return tuple((other, value) for other, value in settings(config).items() if other != key)


def _labels(groups: list[tuple]) -> dict[tuple, str]:
    """Label each group with the values of the fewest settings that tell the groups apart."""
    labels = dict.fromkeys(groups, "")
    for values in zip(*groups, strict=True):  # one setting of all groups
        longer = {
            group: f"{labels[group]}, {_setting_and_level(key, value)}"
            for group, (key, value) in zip(groups, values, strict=True)
        }
        if len(set(longer.values())) > len(set(labels.values())):
            labels = longer
    return {group: label.removeprefix(", ") or "all" for group, label in labels.items()}
