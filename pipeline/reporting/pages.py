"""The pages of the report: one for each experiment, study and comparison."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.problems.base import Metric
from pipeline.problems.load import Problem
from pipeline.reporting import comparisons, studies
from pipeline.reporting.formats import FILTERS, number
from pipeline.reporting.links import link
from pipeline.runs import results
from pipeline.schema.experiment import Dataset, Experiment, RunConfig
from pipeline.schema.params import Params
from pipeline.schema.report import Report
from pipeline.schema.variants import SECTIONS, experiment_of, short_name
from pipeline.utils import files, paths, statistics
from pipeline.utils.templates import render


def captions(kind: str, name: str) -> dict[str, str]:
    """Return the captions of the figures of an experiment or study by their files.

    `kind` is the folder of its figures in reports/: `figures` or `studies`.
    """
    if kind == paths.study(name).parent.name:
        path, hint = paths.study(name) / paths.CAPTIONS, f"run: dvc repro study@{name}"
        return files.read_json(path, hint=hint)
    hint = f"run: dvc repro figures@{name}"
    return files.read_json(paths.captions(name), hint=hint)["captions"]


def write_experiments(path: Path, params: Params, report: Report) -> None:
    """Write the pages of all experiments and studies into a folder."""
    for name in params.experiments:
        text = _render("experiment", **_experiment(name, params, report))
        files.write_text(path / f"{name}.md", text)
    for name, study in params.studies.items():
        text = _render(
            "study",
            problem=Problem(study.problem).title,
            see=[link(experiment_of(study.experiment), report, up="../")],
            **studies.section(name, study, report),
        )
        files.write_text(path / f"{name}.md", text)


def write_comparisons(path: Path, params: Params, report: Report) -> None:
    """Write the pages of all comparisons into a folder."""
    for name, comparison in report.comparisons.items():
        networks = params.expand(comparison.experiments)
        problem = Problem(params.problem_of(comparison.experiments))
        rows = comparisons.differences(comparison, params)
        text = _render(
            "comparison",
            name=name,
            problem=problem.title,
            metrics={metric: problem.metrics.describe(metric) for metric in comparison.metrics},
            rows=rows,
            tested=any(row["p_value"] is not None for row in rows),
            see=[
                link(each, report, up="../") for each in dict.fromkeys(map(experiment_of, networks))
            ],
            question=comparison.question,
            answer=comparison.answer,
        )
        files.write_text(path / f"{name}.md", text)


def _render(template: str, **values: object) -> str:
    text = render(
        Path(__file__).with_name(f"{template}.md.j2"),
        FILTERS,
        confidence=f"{100 * statistics.CONFIDENCE:.0f}%",
        **values,
    )
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"  # of parts that are empty


def _experiment(name: str, params: Params, report: Report) -> dict:
    """Return the template's values for an experiment: its texts, figures and networks."""
    configs = params.configs(name)
    problem = Problem(configs[0].experiment.problem)
    shared, own = _settings([config.experiment for config in configs])
    networks = [
        _network(problem, config) | {"settings": settings, "title": _title(config.name, report)}
        for config, settings in zip(configs, own, strict=True)
    ]
    return {
        "name": name,
        "problem": problem.title,
        **report.texts(name).model_dump(),
        "figures": captions("figures", name),
        "settings": shared,
        "origin": _origin(configs[0].dataset),
        "networks": networks,
        "headline": _describe(problem, networks, headline=True),
        "metrics": _describe(problem, networks),
        "references": _references(
            problem, {config.name: results.load_aggregates(config.name) for config in configs}
        ),
        "see": _see_also(name, params, report),
    }


def _see_also(name: str, params: Params, report: Report) -> list[str]:
    """Return links to the comparisons and studies of an experiment's networks."""
    compared = [
        key
        for key, comparison in report.comparisons.items()
        if name in map(experiment_of, params.expand(comparison.experiments))
    ]
    varied = [
        key for key, study in params.studies.items() if experiment_of(study.experiment) == name
    ]
    return [link(key, report, up="../") for key in (*compared, *varied)]


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
                lines.setdefault(line, []).append(short_name(network))
    return [
        line if len(names) == len(aggregates) else f"{line} ({', '.join(names)})"
        for line, names in lines.items()
    ]


def _origin(dataset: Dataset) -> str | None:
    """Return the user's files that a dataset is from, as Markdown; None if it is generated."""
    path, contents = (getattr(dataset, key, None) for key in ("path", "contents"))
    if contents is None:
        return None
    counted = f"{contents.count:,} {contents.unit}"
    return f"`{paths.INPUTS}/{path}`: {counted}, SHA-256 `{contents.sha256}`"


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


def _title(network: str, report: Report) -> str:
    """Return a variant's label, if it has one, with its name."""
    name = short_name(network)
    label = report.variant_labels(experiment_of(network)).get(name)
    return f"{label} (`{name}`)" if label else name


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
