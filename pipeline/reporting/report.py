"""The report: what was asked, measured and found, as a page to read."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import plotting
from pipeline.problems.base import Metric, Problem
from pipeline.reporting import comparisons, highlights, studies, templates
from pipeline.runs import results
from pipeline.schema.experiment import Experiment, RunConfig
from pipeline.schema.params import Params
from pipeline.schema.variants import SECTIONS, experiment_of, short_name
from pipeline.utils import files, paths, statistics

TEMPLATE = Path(__file__).with_name("report.md.j2")
SPEED = Path("reports", "benchmarks", "summary.json")  # by `make bench`, no stage of DVC's


def write(params: Params) -> None:
    """Write reports/README.md and its pictures, and curves/, from the results of everything."""
    problems = dict.fromkeys(network.problem for network in params.networks.values())
    page = templates.page(
        TEMPLATE,
        {"number": number, "spread": spread, "name_of_interval": statistics.name_of_interval},
        problems=[_problem(problem, params) for problem in problems],
        findings=[finding.title for finding in highlights.shown(params).values()],
        confidence=f"{100 * statistics.CONFIDENCE:.0f} %",
        few=statistics.FEW,
        speed=files.read_json(paths.root() / SPEED, hint="make it with: make bench"),
    )
    files.write_text(paths.report(), page)
    with files.atomic_write(paths.comparisons()) as folder:
        folder.mkdir()
        for name in params.comparisons:
            plotting.save(comparisons.draw(name, params), folder / f"{name}.svg")
    with files.atomic_write(paths.findings()) as path:
        plotting.save(highlights.draw(params), path, "svg")
    with files.atomic_write(paths.curves()) as folder:
        folder.mkdir()
        for problem in problems:
            curves = _curves(problem, params).to_csv(index=False)
            files.write_text(folder / f"{problem}.csv", curves)


def number(value: float | None) -> str:
    """A value as tables show it: four decimals, more where it is small, none where it is large."""
    if value is None or np.isnan(value):
        return "–"
    if value == round(value):
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.4f}" if abs(value) >= 0.001 else f"{value:.2g}"


def spread(entry: Mapping, replicas: int | None = None) -> str:
    """Mean and interval of an aggregated metric, and how many of the replicas are in it, if few."""
    if entry["mean"] is None:
        return "–"
    told = number(entry["mean"])
    if entry["low"] is not None:
        told += f" [{number(entry['low'])}, {number(entry['high'])}]"
    if replicas and entry["replicas"] < replicas:
        told += f" ({entry['replicas']} of {replicas})"
    return told


def _problem(problem: str, found: Params) -> dict:
    """What the template shows of one problem."""
    room = Problem(problem)
    aggregates = {
        name: results.aggregates(name)
        for name, network in found.networks.items()
        if network.problem == problem
    }
    experiments = dict.fromkeys(experiment_of(network) for network in aggregates)
    headline = _described(room, aggregates.values(), headline=True)
    return {
        "title": room.title,
        "text": room.description,
        "headline": headline,
        "references": _references(room, aggregates),
        "overview": {name: aggregates[name] for name in experiments if name in aggregates},
        "comparisons": [
            {
                "name": name,
                **comparison.model_dump(),
                "intervals": _intervals(
                    aggregates[network]["replicas"] for network in found.compared(comparison)
                ),
                "rows": list(comparisons.differences(comparison, found)),
            }
            for name, comparison in found.comparisons.items()
            if found.networks[found.compared(comparison)[0]].problem == problem
        ],
        "experiments": [_experiment(room, name, found) for name in experiments],
        "metrics": _described(room, aggregates.values()),
        "studies": studies.sections(problem, found),
    }


def _curves(problem: str, found: Params) -> pd.DataFrame:
    """The learning curves of a problem's experiments, one below the other.

    Experiments with arms have plots of their own, and so have networks that are measured in another
    way than the problem's first one.
    """
    ours = [name for name, network in found.networks.items() if network.problem == problem]
    alone = [name for name in ours if name in found.experiments]
    tables = {name: results.history(name) for name in alone or ours}
    first = next(iter(tables.values())).columns
    tables = {name: table for name, table in tables.items() if table.columns.equals(first)}
    return pd.concat(tables, names=["experiment", None]).reset_index("experiment")


def _described(
    room: Problem, aggregates: Iterable[Mapping], *, headline: bool = False
) -> dict[str, Metric]:
    """Every metric of which some experiment has a value, in order, and how it is spoken of."""
    told: dict[str, bool] = {}
    for entry in aggregates:
        for name, values in entry["metrics"].items():
            told[name] = told.get(name, False) or values["mean"] is not None
    names = [name for name, some in told.items() if some]
    described = {name: room.metrics.describe(name) for name in names}
    return {name: metric for name, metric in described.items() if metric.headline or not headline}


def _references(room: Problem, aggregates: Mapping[str, Mapping]) -> list[str]:
    """What was known before training, each once, with the networks that it holds for."""
    holds: dict[str, list[str]] = {}
    for name, entry in aggregates.items():
        for metric, known in entry["references"].items():
            for reference, value in known.items():
                line = f"{room.metrics.describe(metric).label}, {reference}: {number(value)}"
                holds.setdefault(line, []).append(name)
    return [
        line if len(names) == len(aggregates) else f"{line} ({_named(names, aggregates)})"
        for line, names in holds.items()
    ]


def _named(names: Sequence[str], everything: Iterable[str]) -> str:
    """Networks in words: an experiment by its name, if all of its arms are meant."""
    by_experiment: dict[str, list[str]] = {}
    for name in names:
        by_experiment.setdefault(experiment_of(name), []).append(name)
    sizes = Counter(map(experiment_of, everything))
    return "; ".join(
        experiment
        if len(mine) == sizes[experiment]
        else f"{experiment}: {', '.join(map(short_name, mine))}"
        for experiment, mine in by_experiment.items()
    )


def _intervals(replicas: Iterable[int]) -> str:
    """What the bars of means over so many replicas each are called."""
    names = dict.fromkeys(f"{statistics.name_of_interval(count)}s" for count in replicas)
    return " or ".join(names)


def _experiment(room: Problem, name: str, found: Params) -> dict:
    """What the template shows of an experiment: its figures, and each of its networks."""
    captions = files.read_json(
        paths.figures(name) / paths.CAPTIONS, hint=f"make it with: dvc repro figures@{name}"
    )["captions"]
    configs = found.configs(name)
    shared, own = _settings([config.experiment for config in configs])
    networks = [
        _network(room, config) | {"settings": settings}
        for config, settings in zip(configs, own, strict=True)
    ]
    return {
        "name": name,
        "question": found.questions.get(name, ""),
        "answer": found.answers.get(name, ""),
        "figures": captions,
        "settings": shared,
        "networks": networks,
        "headline": _described(room, networks, headline=True),
    }


def _network(room: Problem, config: RunConfig) -> dict:
    aggregate = results.aggregates(config.name)
    return {
        "name": short_name(config.name),
        "findings": room.metrics.summarize(config, aggregate["metrics"], aggregate["references"]),
        **aggregate,
    }


def _settings(experiments: Sequence[Experiment]) -> tuple[str, list[str]]:
    """The parameters that all networks share, and those of each network beside them."""
    documents = [experiment.model_dump(exclude_unset=True) for experiment in experiments]
    flat = [
        {(part, key): value for part in SECTIONS for key, value in document[part].items()}
        for document in documents
    ]
    first, *others = flat
    shared = {key: v for key, v in first.items() if all(other.get(key) == v for other in others)}
    own = [{key: v for key, v in entries.items() if key not in shared} for entries in flat]
    return _listed(shared), [_listed(entries) for entries in own]


def _listed(entries: Mapping[tuple[str, str], object]) -> str:
    return ", ".join(f"{part}.{key} {value}" for (part, key), value in entries.items())
