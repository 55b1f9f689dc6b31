"""Load report.yaml, and check it against params.yaml."""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.params.names import reference_error
from pipeline.params.read_yaml import get_entries, read_yaml
from pipeline.params.validate import metric_errors, parse_entry
from pipeline.problems.load import Problem
from pipeline.schema.experiment import Section
from pipeline.schema.params import Params
from pipeline.schema.report import (
    Answer,
    Comparison,
    Highlight,
    Lesson,
    PlayableNetworks,
    Question,
    RegisteredModel,
    Report,
    Story,
    Texts,
    split_reference,
)
from pipeline.schema.study import has_numeric_axis
from pipeline.schema.variants import short_name
from pipeline.utils.errors import InputError, unknown_name
from pipeline.utils.expressions import (
    Expression,
    ExpressionError,
    is_format,
    lone_brace,
    placeholders,
)

TYPES: dict[str, type[Section]] = {
    "experiments": Texts,
    "studies": Texts,
    "comparisons": Comparison,
    "highlights": Highlight,
    "models": RegisteredModel,
    "story": Story,
    "lessons": Lesson,
    "results": Answer,
    "questions": Question,
    "page": PlayableNetworks,
}


def load_report(path: Path, params: Params) -> Report:
    """Load report.yaml; raises InputError with all errors. A missing file counts as empty."""
    if not path.is_file():
        return Report(*({} for _ in Report._fields))
    state = path.stat()
    return _load(path, state.st_mtime_ns, state.st_size, params)


@functools.lru_cache(maxsize=4)
def _load(path: Path, modified: int, size: int, params: Params) -> Report:
    """Load and check a file; the result is cached until it or the parameters change."""
    report, errors = _parse(read_yaml(path))
    errors = errors or [
        *_text_errors("experiments", report.experiments, params.experiments),
        *_text_errors("studies", report.studies, params.studies),
        *_variant_errors(report, params),
        *_comparison_errors(report, params),
        *_highlight_errors(report, params),
        *_model_errors(report, params),
        *_answer_errors(report, params),
        *_link_errors(report, params),
        *_story_errors(report, params),
        *_figure_errors(report, params),
        *_page_errors(report, params),
    ]
    if errors:
        raise InputError(*(f"{path.name}: {error}" for error in errors))
    return report


def _parse(document: dict[str, Any]) -> tuple[Report, list[str]]:
    """Return the file's entries and their errors."""
    errors = [
        f"{key}: {unknown_name('section', key, TYPES)}" for key in document if key not in TYPES
    ]
    sections: dict[str, dict[str, Any]] = {}
    for section, kind in TYPES.items():
        sections[section] = {}
        for name, entry in get_entries(document, section, errors).items():
            parsed, wrong = parse_entry(entry, kind)
            errors += [f"{section}.{name}{error}" for error in wrong]
            sections[section][name] = parsed
    return Report(**sections), errors


def _text_errors(section: str, texts: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return an error for each text of an experiment or study that params.yaml does not have."""
    kind = "study" if section == "studies" else "experiment"
    return [
        f"{section}.{name}: {unknown_name(kind, name, known)}"
        for name in texts
        if name not in known
    ]


def _variant_errors(report: Report, params: Params) -> Iterator[str]:
    """Yield errors of variants' labels: unknown variants, and two variants of the same label."""
    variants = {name: [*map(short_name, networks)] for name, networks in params.experiments.items()}
    variants |= {name: [*study.variants] for name, study in params.studies.items()}
    for name in (*report.experiments, *report.studies):
        section = "studies" if name in report.studies else "experiments"
        key, labels = f"{section}.{name}.variants", report.variant_labels(name)
        known = variants.get(name, []) if labels else []
        for variant in labels:
            if variant not in known:
                yield f"{key}: {unknown_name('variant', variant, known)}"
        for label, count in Counter(labels.get(variant, variant) for variant in known).items():
            if count > 1:
                yield f"{key}: {count} variants are called {label!r}"


def _comparison_errors(report: Report, params: Params) -> list[str]:
    """Return errors of comparisons: unknown networks or metrics, and different problems."""
    errors = []
    for name, comparison in report.comparisons.items():
        key, networks = f"comparisons.{name}", params.expand(comparison.experiments)
        if name in params.experiments or name in params.studies:
            errors.append(f"{key}: is also the name of an experiment or study")
        if wrong := _network_errors(params, f"{key}.experiments", networks):
            errors += wrong
            continue
        problem = params.networks[networks[0]].problem
        for metric in comparison.metrics:
            errors += metric_errors(f"{key}.metrics", metric, problem)
        errors += _label_errors(f"{key}.labels", comparison.labels, networks)
    return errors


def _highlight_errors(report: Report, params: Params) -> list[str]:
    """Return errors of highlights: unknown networks, studies or metrics."""
    errors = []
    for name, highlight in report.highlights.items():
        key = f"highlights.{name}"
        if bool(highlight.networks) == bool(highlight.study):
            errors.append(f"{key}: needs either experiments or a study")
        elif highlight.study is None:
            rows = params.expand(highlight.experiments)
            networks = [split_reference(row)[0] for row in rows]
            wrong = _network_errors(params, f"{key}.experiments", networks)
            errors += wrong or metric_errors(
                f"{key}.metric", highlight.metric, params.networks[networks[0]].problem
            )
            errors += _label_errors(f"{key}.labels", highlight.labels, rows)
        elif highlight.study not in params.studies:
            errors.append(f"{key}.study: {unknown_name('study', highlight.study, params.studies)}")
        elif not has_numeric_axis(params.studies[highlight.study]):
            errors.append(f"{key}.study: {highlight.study} varies no numbers to draw a curve over")
        elif highlight.metric not in (known := params.studies[highlight.study].measured):
            errors.append(f"{key}.metric: {unknown_name('metric', highlight.metric, known)}")
    return errors


def _label_errors(key: str, labels: Iterable[str], networks: Sequence[str]) -> list[str]:
    """Return an error for each label of a network that is not drawn."""
    return [
        f"{key}: {unknown_name('network', name, networks)}"
        for name in labels
        if name not in networks
    ]


def _model_errors(report: Report, params: Params) -> list[str]:
    """Return errors of registered models: candidates and metrics that cannot be compared."""
    errors = []
    for name, model in report.models.items():
        networks = params.expand(model.candidates)
        if wrong := _network_errors(params, f"models.{name}.candidates", networks):
            errors += wrong
            continue
        key, problem = f"models.{name}.metric", params.networks[networks[0]].problem
        if wrong := metric_errors(key, model.metric, problem):
            errors += wrong
        elif Problem(problem).metrics.describe(model.metric).higher_is_better is None:
            cause = "neither higher nor lower values are better"
            errors.append(f"{key}: {model.metric!r} cannot select a model: {cause}")
    return errors


def _answer_errors(report: Report, params: Params) -> Iterator[str]:
    """Yield errors of placeholders and evidence: syntax, unknown names, words not in the answer."""
    for key, entry in report.answers.items():
        scope = key.removeprefix("experiments.")
        texts = entry.texts
        for field, filled in texts.items():
            if brace := lone_brace(filled):
                what = "a brace belongs to no placeholder; write {expression:format}"
                yield f"{key}.{field}: {brace!r}: {what}"
            for text, format_ in placeholders(filled):
                yield from _expression_errors(f"{key}.{field}: {{{text}}}", text, scope, params)
                if not is_format(format_):
                    what = f"the format must be that of a number, such as .3f, got {format_}"
                    yield f"{key}.{field}: {{{text}:{format_}}}: {what}"
        for words, text in entry.claims:
            place = f"{key}.evidence: {text!r}"
            if not any(words in text for text in texts.values()):
                yield f"{key}.evidence: {words!r} is not in the {' or '.join(texts)}"
            yield from _expression_errors(place, text, scope, params, comparison=True)


def _link_errors(report: Report, params: Params) -> Iterator[str]:
    """Yield errors of links to entries that do not exist; pages of docs/ may be missing."""
    known = [*params.experiments, *params.studies, *report.comparisons]
    for section in ("questions", "story", "lessons"):
        for name, entry in getattr(report, section).items():
            for link in entry.see:
                if not link.startswith("docs/") and link not in known:
                    yield f"{section}.{name}.see: {unknown_name('entry', link, known)}"


def _figure_errors(report: Report, params: Params) -> Iterator[str]:
    """Yield errors of figures of experiments and studies that do not exist."""
    for section in ("story", "lessons"):
        for name, entry in getattr(report, section).items():
            folder, owner, _ = entry.figure.split("/")
            kind, known = (
                ("study", params.studies)
                if folder == "studies"
                else ("experiment", params.experiments)
            )
            if owner not in known:
                yield f"{section}.{name}.figure: {unknown_name(kind, owner, known)}"


def _story_errors(report: Report, params: Params) -> Iterator[str]:
    """Yield errors of the story: unknown entries in commands, unknown highlights."""
    for name, entry in report.story.items():
        entries = [*params.experiments, *params.studies]
        for target in re.findall(r"@([\w-]+)", entry.run):
            if target not in entries:
                yield f"story.{name}.run: {unknown_name('entry', target, entries)}"
        if entry.highlight and entry.highlight not in report.highlights:
            what = unknown_name("highlight", entry.highlight, report.highlights)
            yield f"story.{name}.highlight: {what}"


def _expression_errors(
    place: str, text: str, scope: str, params: Params, *, comparison: bool = False
) -> Iterator[str]:
    try:
        expression = Expression(text)
    except ExpressionError as error:
        yield f"{place}: {error}"
        return
    if expression.is_comparison != comparison:
        yield f"{place}: must be a {'comparison' if comparison else 'number'}"
    for name in expression.names.values():
        if what := reference_error(name, scope, params):
            yield f"{place}: {what}"


def _page_errors(report: Report, params: Params) -> list[str]:
    """Return errors of the page's networks: unknown ones, and those of another problem."""
    errors = []
    problems = {network.problem for network in params.networks.values()}
    for name, entry in report.page.items():
        networks, key = params.expand(entry.networks), f"page.{name}.networks"
        if name not in problems:
            errors.append(f"page.{name}: {unknown_name('problem', name, problems)}")
        elif wrong := _network_errors(params, key, networks):
            errors += wrong
        elif (problem := params.networks[networks[0]].problem) != name:
            errors.append(f"{key}: must be networks of {name}, got {networks[0]} of {problem}")
    return errors


def _network_errors(params: Params, key: str, names: list[str]) -> list[str]:
    """Return errors of networks: unknown ones, and those of different problems."""
    networks = params.networks
    if missing := [name for name in names if name not in networks]:
        # Of an experiment with variants, only these can be named where a network is needed.
        known = {*params.experiments, *networks} - {*missing}
        return [f"{key}: {unknown_name('experiment', name, known)}" for name in missing]
    problems = {networks[name].problem for name in names}
    if len(problems) > 1:
        return [f"{key}: must be of one problem, got {' and '.join(sorted(problems))}"]
    return []
