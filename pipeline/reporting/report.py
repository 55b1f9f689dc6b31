"""The report: reports/README.md, the pages that it links to, and its figures."""

from pathlib import Path

from pipeline import plotting
from pipeline.problems.load import Problem
from pipeline.reporting import comparisons, highlights, links, pages
from pipeline.reporting.formats import FILTERS
from pipeline.schema.params import Params
from pipeline.schema.report import Lesson, Report, Story
from pipeline.utils import files, paths, statistics
from pipeline.utils.errors import InputError, unknown_name
from pipeline.utils.templates import render

TEMPLATE = Path(__file__).with_name("report.md.j2")


def write_report(params: Params, report: Report) -> None:
    """Write reports/README.md, its pages and its figures from the results of all stages."""
    plotting.set_scale(params.scale)
    problems = dict.fromkeys(network.problem for network in params.networks.values())
    text = render(
        TEMPLATE,
        FILTERS,
        story=[_story(name, entry, report) for name, entry in report.story.items()],
        results=report.results,
        questions=[
            {**entry.model_dump(), "see": _links(entry.see, report)}
            for entry in report.questions.values()
        ],
        lessons=[_lesson(name, entry, report) for name, entry in report.lessons.items()],
        short=[entry for entry in report.lessons.values() if entry.short],
        problems=[_problem(problem, params, report) for problem in problems],
        highlights=[panel.title for panel in highlights.panels(report).values()],
        confidence=f"{100 * statistics.CONFIDENCE:.0f}%",
        few=statistics.MIN_FOR_BOOTSTRAP,
        min_for_band=plotting.MIN_FOR_BAND,
        scale=params.scale,
        speed=_speed(),
    )
    files.write_text(paths.report(), text)
    with files.atomic_write(links.folder()) as folder:
        folder.mkdir()
        pages.write_experiments(folder, params, report)
    with files.atomic_write(paths.comparisons()) as folder:
        folder.mkdir()
        pages.write_comparisons(folder, params, report)
        for name in report.comparisons:
            figure = comparisons.plot_comparison(name, params, report)
            plotting.save(figure, folder / f"{name}.svg")
    with files.atomic_write(paths.highlights()) as path:
        plotting.save(highlights.plot_highlights(params, report), path, "svg")


def _links(names: list[str], report: Report) -> list[str]:
    return [links.link(name, report) for name in names]


def _story(name: str, entry: Story, report: Report) -> dict:
    """Return the template's values for a question of the story, with its figure's caption."""
    return {
        **entry.model_dump(),
        "caption": _caption(f"story.{name}", entry.figure),
        "see": _links(entry.see, report),
    }


def _lesson(name: str, entry: Lesson, report: Report) -> dict:
    """Return the template's values for a lesson."""
    _caption(f"lessons.{name}", entry.figure)
    return {**entry.model_dump(), "see": _links(entry.see, report)}


def _caption(key: str, figure: str) -> str:
    """Return the caption of a figure; raises InputError if it does not exist."""
    folder, entry, file = Path(figure).parts
    captions = pages.captions(folder, entry)
    if file not in captions:
        key = f"{paths.REPORT}: {key}.figure"
        raise InputError(f"{key}: {unknown_name('figure', file, captions)}")
    return captions[file]


def _speed() -> dict | None:
    """Return the summary of the benchmarks; None if a project has none."""
    path = paths.benchmark_summary()
    return files.read_json(path, hint="run: make bench") if path.exists() else None


def _problem(name: str, params: Params, report: Report) -> dict:
    """Return the template's values for a problem: its texts, and a row for each page."""
    problem = Problem(name)
    rows = []
    for key, networks in params.experiments.items():
        if params.problem_of([key]) == name:
            count = f"{len(networks)} network{'s' if len(networks) > 1 else ''}"
            rows.append((key, report.texts(key).question, count))
    for key, study in params.studies.items():
        if study.problem == name:
            rows.append((key, report.texts(key).question, f"study of `{study.experiment}`"))
    for key, comparison in report.comparisons.items():
        if params.problem_of(comparison.experiments) == name:
            rows.append((key, comparison.question, "comparison"))
    return {
        "title": problem.title,
        "text": problem.description,
        "entries": [
            {"name": key, "link": links.link(key, report), "question": question, "kind": kind}
            for key, question, kind in rows
        ],
    }
