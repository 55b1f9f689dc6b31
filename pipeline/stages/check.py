"""Stage `check`: validates params.yaml and report.yaml before any other stage runs."""

import re
from collections.abc import Iterator

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.problems.load import Problem
from pipeline.runs import sources
from pipeline.schema.params import Params
from pipeline.utils import console, files, paths
from pipeline.utils.errors import InputError
from pipeline.utils.expressions import typed_numbers

STAGES = {
    "datasets": ("generate",),
    "experiments": ("train", "evaluate", "figures"),
    "studies": ("study",),
}
"""The stages of an entry of each section of params.yaml."""


def run() -> None:
    """Validate params.yaml and report.yaml, and write data/resolved/.

    It holds a file with the full parameters of each dataset, experiment and study, and one with the
    digests of the code of each of its stages; for experiments and studies also one with the labels
    of their variants. Stages depend on these files, so a changed parameter or module reruns the
    stages that it concerns and no others.
    """
    if code := re.search("%[0-9A-Fa-f]{2}", str(paths.root())):
        where = f"{paths.root()}: MLflow takes {code.group()} in a path for another character"
        raise InputError(f"{where}; rename the folder")
    params = load_params(paths.params())
    report = load_report(paths.report_texts(), params)
    for key, answer in report.answers.items():
        for field, text in answer.texts.items():
            if numbers := typed_numbers(text):
                what = f"typed, so they do not follow the results: {', '.join(numbers)}"
                console.print_status(f"warning: {paths.REPORT}: {key}.{field}: {what}")
    for name in params.networks:
        config = params.config(name)
        for key, what in Problem(config.experiment.problem).config.warnings(config):
            console.print_status(f"warning: {paths.PARAMS}: {name}: {key}: {what}")
    print(
        f"{paths.PARAMS} is valid: {len(params.datasets)} datasets, "
        f"{len(params.experiments)} experiments ({len(params.networks)} networks), "
        f"{len(params.studies)} studies"
    )
    # DVC expects these folders to exist even if there are no studies.
    for path in (paths.study("any"), paths.trials("any")):
        path.parent.mkdir(parents=True, exist_ok=True)
    with files.atomic_write(paths.resolved()) as folder:
        for section, name, problem, document in _entries(params):
            files.write_json(folder / section / f"{name}.json", document)
            for stage in STAGES[section]:
                digests = sources.digests(sources.STAGES[stage], problem, document)
                files.write_json(folder / "code" / stage / f"{name}.json", digests)
        for name in (*params.experiments, *params.studies):
            files.write_json(folder / "labels" / f"{name}.json", report.variant_labels(name))


def _entries(params: Params) -> Iterator[tuple[str, str, str, dict]]:
    """Yield the section, the name, the problem and the full parameters of each entry."""
    for name, dataset in params.datasets.items():
        yield "datasets", name, dataset.problem, dataset.model_dump(mode="json")
    for name in params.experiments:
        networks = {config.name: config.to_dict() for config in params.configs(name)}
        yield "experiments", name, params.problem_of([name]), networks
    for name, study in params.studies.items():
        varied = params.config(study.experiment).to_dict()
        yield (
            "studies",
            name,
            study.problem,
            {"study": study.model_dump(mode="json"), "varied": varied},
        )
