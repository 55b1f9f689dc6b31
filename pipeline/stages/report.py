"""Stage `report`: what was asked, measured and found, as a page to read."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd

from pipeline import comparisons, files, project, reading, results, statistics, style
from pipeline.params import Params
from pipeline.rooms import Metric, Room
from pipeline.stages.figures import CAPTIONS

TEMPLATE = "report.md.j2"


def run() -> None:
    """Write reports/README.md, comparisons/ and curves/ from the results of all experiments."""
    found = reading.read(project.params())
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"number": number, "spread": spread}
    problems = dict.fromkeys(experiment.problem for experiment in found.experiments.values())
    page = environment.get_template(TEMPLATE).render(
        problems=[_problem(problem, found) for problem in problems],
        confidence=f"{100 * statistics.CONFIDENCE:.0f} %",
    )
    files.write_text(project.report(), page)
    with files.whole(project.comparisons()) as folder:
        folder.mkdir()
        for name in found.comparisons:
            style.save(comparisons.draw(name, found), folder / f"{name}.svg")
    with files.whole(project.curves()) as folder:
        folder.mkdir()
        for problem in problems:
            curves = _curves(problem, found).to_csv(index=False)
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


def spread(entry: Mapping) -> str:
    """Mean and interval of an aggregated metric."""
    if entry["mean"] is None:
        return "–"
    if entry["low"] is None:
        return number(entry["mean"])
    return f"{number(entry['mean'])} [{number(entry['low'])}, {number(entry['high'])}]"


def _problem(problem: str, found: Params) -> dict:
    """What the template shows of one problem."""
    room = Room(problem)
    ours = {name: entry for name, entry in found.experiments.items() if entry.problem == problem}
    aggregates = {name: results.aggregates(name) for name in ours}
    title, _, text = import_module(f"pipeline.{problem}").__doc__.strip().partition("\n")
    headline = _described(room, aggregates.values(), headline=True)
    return {
        "title": title.rstrip("."),
        "text": text.strip(),
        "headline": headline,
        "references": _references(room, aggregates),
        "overview": [(name, aggregates[name]) for name in ours],
        "comparisons": [
            {
                "name": name,
                **comparison.model_dump(),
                "rows": list(comparisons.differences(comparison, found)),
            }
            for name, comparison in found.comparisons.items()
            if found.problem(comparison) == problem
        ],
        "experiments": [_experiment(room, name, found, aggregates[name]) for name in ours],
        "metrics": _described(room, aggregates.values()),
    }


def _curves(problem: str, found: Params) -> pd.DataFrame:
    """The learning curves of a problem's experiments, one below the other."""
    tables = {
        name: results.history(name)
        for name, experiment in found.experiments.items()
        if experiment.problem == problem
    }
    return pd.concat(tables, names=["experiment", None]).reset_index("experiment")


def _described(
    room: Room, aggregates: Iterable[Mapping], *, headline: bool = False
) -> dict[str, Metric]:
    """Every metric that some experiment has, in order, and how it is spoken of."""
    names = dict.fromkeys(name for entry in aggregates for name in entry["metrics"])
    described = {name: room.metrics.describe(name) for name in names}
    return {name: metric for name, metric in described.items() if metric.headline or not headline}


def _references(room: Room, aggregates: Mapping[str, Mapping]) -> list[str]:
    """What was known before training, each once, with the experiments that it holds for."""
    holds: dict[str, list[str]] = {}
    for name, entry in aggregates.items():
        for metric, known in entry["references"].items():
            for reference, value in known.items():
                line = f"{room.metrics.describe(metric).label}, {reference}: {number(value)}"
                holds.setdefault(line, []).append(name)
    return [
        line if len(names) == len(aggregates) else f"{line} ({', '.join(names)})"
        for line, names in holds.items()
    ]


def _experiment(room: Room, name: str, found: Params, aggregate: Mapping) -> dict:
    setup = found.setup(name)
    captions = files.read_json(
        project.figures(name) / CAPTIONS, remedy=f"make it with: dvc repro figures@{name}"
    )["captions"]
    return {
        "name": name,
        "question": setup.experiment.question,
        "framing": _listed(setup.experiment.framing.model_dump()),
        "model": _listed(setup.experiment.model.model_dump()),
        "training": _listed(setup.experiment.training.model_dump(exclude_defaults=True)),
        "findings": room.metrics.findings(setup, aggregate["metrics"], aggregate["references"]),
        "figures": captions,
        **aggregate,
    }


def _listed(section: Mapping) -> str:
    return ", ".join(f"{key} {value}" for key, value in section.items())
