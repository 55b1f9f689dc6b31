"""The report: reports/README.md and its figures."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline import plotting
from pipeline.problems.base import Metric, Problem
from pipeline.reporting import comparisons, highlights, study_sections
from pipeline.reporting.templates import render
from pipeline.runs import results
from pipeline.schema.experiment import Dataset, Experiment, RunConfig
from pipeline.schema.params import Params
from pipeline.schema.report import Report
from pipeline.schema.variants import SECTIONS, experiment_of, short_name
from pipeline.utils import files, paths, statistics

TEMPLATE = Path(__file__).with_name("report.md.j2")


def write_report(params: Params, report: Report) -> None:
    """Write reports/README.md and its figures from the results of all stages."""
    plotting.set_scale(params.scale)
    problems = dict.fromkeys(network.problem for network in params.networks.values())
    page = render(
        TEMPLATE,
        {
            "number": number,
            "slug": slug,
            "mean_with_interval": mean_with_interval,
        },
        problems=[_problem(problem, params, report) for problem in problems],
        results=report.results,
        questions=[
            {**entry.model_dump(), "see": [_link(name, report) for name in entry.see]}
            for entry in report.questions.values()
        ],
        highlights=[panel.title for panel in highlights.panels(report).values()],
        confidence=f"{100 * statistics.CONFIDENCE:.0f}%",
        few=statistics.MIN_FOR_BOOTSTRAP,
        min_for_band=plotting.MIN_FOR_BAND,
        scale=params.scale,
        speed=_speed(),
    )
    files.write_text(paths.report(), page)
    with files.atomic_write(paths.comparisons()) as folder:
        folder.mkdir()
        for name in report.comparisons:
            figure = comparisons.plot_comparison(name, params, report)
            plotting.save(figure, folder / f"{name}.svg")
    with files.atomic_write(paths.highlights()) as path:
        plotting.save(highlights.plot_highlights(params, report), path, "svg")


def _link(name: str, report: Report) -> str:
    """Return a link from the report to an entry of it, or to a page of docs/."""
    if name.startswith("docs/"):
        return f"[{name}](../{name})"
    return f"[{name}](#{'comparison-' if name in report.comparisons else ''}{name})"


def _speed() -> dict | None:
    """Return the summary of the benchmarks; None if a project has none."""
    path = paths.benchmark_summary()
    return files.read_json(path, hint="run: make bench") if path.exists() else None


def slug(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def number(value: float | None) -> str:
    """Format a value for tables: four decimals, more if it is small, none if it is large."""
    if value is None or np.isnan(value):
        return "–"
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.4f}" if abs(value) >= 0.001 else f"{value:.2g}"


def mean_with_interval(entry: Mapping, replicas: int | None = None) -> str:
    """Format a metric's `statistics.summary`: `0.12 [0.11, 0.13]`.

    Appends `(3 of 4)` if only some of the network's `replicas` have a value. A censored metric that
    not all of them have is its median, or a dash if it is unknown.
    """
    if not entry["replicas"]:
        return "–"
    if entry["mean"] is None:
        median = entry["median"]
        text = "–" if median is None else f"median {number(median)}"
    else:
        text = number(entry["mean"])
    if entry["low"] is not None:
        text += f" [{number(entry['low'])}, {number(entry['high'])}]"
    if replicas and entry["replicas"] < replicas:
        text += f" ({entry['replicas']} of {replicas})"
    return text


def _problem(name: str, params: Params, report: Report) -> dict:
    """Return the template's values for a problem."""
    problem = Problem(name)
    aggregates = {
        network: results.load_aggregates(network)
        for network, experiment in params.networks.items()
        if experiment.problem == name
    }
    experiments = dict.fromkeys(experiment_of(network) for network in aggregates)
    return {
        "title": problem.title,
        "text": problem.description,
        "headline": _describe(problem, aggregates.values(), headline=True),
        "references": _references(problem, aggregates),
        "overview": {name: aggregates[name] for name in experiments if name in aggregates},
        "comparisons": [
            {
                "name": key,
                **comparison.model_dump(),
                "rows": comparisons.differences(comparison, params),
            }
            for key, comparison in report.comparisons.items()
            if params.problem_of(comparison.experiments) == name
        ],
        "experiments": [_experiment(problem, name, params, report) for name in experiments],
        "metrics": _describe(problem, aggregates.values()),
        "studies": study_sections.sections(name, params, report),
    }


def _describe(
    problem: Problem, aggregates: Iterable[Mapping], *, headline: bool = False
) -> dict[str, Metric]:
    """Describe the metrics, or headline metrics, of which at least one network has a value."""
    measured: dict[str, bool] = {}
    for entry in aggregates:
        for name, values in entry["metrics"].items():
            measured[name] = measured.get(name, False) or values["mean"] is not None
    metrics = {name: problem.metrics.describe(name) for name, has in measured.items() if has}
    return {name: metric for name, metric in metrics.items() if metric.headline or not headline}


def _references(problem: Problem, aggregates: Mapping[str, Mapping]) -> list[str]:
    """Return a line for each reference value, with the networks that it holds for."""
    lines: dict[str, list[str]] = {}
    for network, entry in aggregates.items():
        for metric, references in entry["references"].items():
            for reference, value in references.items():
                label = problem.metrics.describe(metric).label
                line = f"{label}, {reference}: {number(value)}"
                lines.setdefault(line, []).append(network)
    return [
        line if len(names) == len(aggregates) else f"{line} ({_name_networks(names, aggregates)})"
        for line, names in lines.items()
    ]


def _name_networks(names: Sequence[str], all_names: Iterable[str]) -> str:
    """Return the names of networks as text, shortened to the experiment's for all its variants."""
    by_experiment: dict[str, list[str]] = {}
    for name in names:
        by_experiment.setdefault(experiment_of(name), []).append(name)
    sizes = Counter(map(experiment_of, all_names))
    return "; ".join(
        experiment
        if len(networks) == sizes[experiment]
        else f"{experiment}: {', '.join(map(short_name, networks))}"
        for experiment, networks in by_experiment.items()
    )


def _experiment(problem: Problem, name: str, params: Params, report: Report) -> dict:
    """Return the template's values for an experiment: its texts, figures and networks."""
    captions = files.read_json(paths.captions(name), hint=f"run: dvc repro figures@{name}")
    configs = params.configs(name)
    shared, own = _settings([config.experiment for config in configs])
    networks = [
        _network(problem, config) | {"settings": settings}
        for config, settings in zip(configs, own, strict=True)
    ]
    return {
        "name": name,
        **report.texts(name).model_dump(),
        "figures": captions["captions"],
        "settings": shared,
        "origin": _origin(configs[0].dataset),
        "networks": networks,
        "headline": _describe(problem, networks, headline=True),
    }


def _origin(dataset: Dataset) -> str | None:
    """Return the user's files that a dataset is from, as Markdown; None if it is generated."""
    if not (contents := getattr(dataset, "contents", None)):
        return None
    counted = f"{contents.count:,} {contents.unit}"
    return f"`{paths.INPUTS}/{dataset.path}`: {counted}, SHA-256 `{contents.sha256}`"


def _network(problem: Problem, config: RunConfig) -> dict:
    aggregates = results.load_aggregates(config.name)
    metrics, references = aggregates["metrics"], aggregates["references"]
    return {
        "name": short_name(config.name),
        "pieces": {
            reference: statistics.summary(np.array(values))
            for reference, values in aggregates.get("by_piece", {}).items()
        },
        "sentences": problem.metrics.summarize(config, metrics, references),
        **aggregates,
    }


def _settings(experiments: Sequence[Experiment]) -> tuple[str, list[str]]:
    """Return the parameters that all networks share, and those of each network that differ."""
    entries = [experiment.model_dump(exclude_unset=True) for experiment in experiments]
    flat = [
        {(section, key): v for section in SECTIONS for key, v in entry.get(section, {}).items()}
        for entry in entries
    ]
    first, *others = flat
    shared = {key: v for key, v in first.items() if all(other.get(key) == v for other in others)}
    own = [{key: v for key, v in values.items() if key not in shared} for values in flat]
    return _format_settings(shared), [_format_settings(values) for values in own]


def _format_settings(values: Mapping[tuple[str, str], object]) -> str:
    return ", ".join(f"{section}.{key} {value}" for (section, key), value in values.items())
