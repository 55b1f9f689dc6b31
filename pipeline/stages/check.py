"""Stage `check`: validates params.yaml and report.yaml before any other stage runs."""

import re

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.problems.base import Problem, problem_names
from pipeline.runs import sources
from pipeline.schema.params import Params
from pipeline.utils import console, files, paths
from pipeline.utils.errors import InputError


def run() -> None:
    """Validate params.yaml and report.yaml, and write data/resolved/.

    It holds a file with the full parameters of each dataset, experiment and study, and one with the
    digests of the code of each kind of stage and problem. Stages depend on these files, so a
    changed parameter or module reruns the stages that it concerns and no others.
    """
    if code := re.search("%[0-9A-Fa-f]{2}", str(paths.root())):
        where = f"{paths.root()}: MLflow takes {code.group()} in a path for another character"
        raise InputError(f"{where}; rename the folder")
    params = load_params(paths.params())
    load_report(paths.report_texts(), params)
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
        for path, document in (_resolved(params) | _code()).items():
            files.write_json(folder / f"{path}.json", document)


def _resolved(params: Params) -> dict[str, dict]:
    """The full parameters of each entry, by `section/entry`."""
    return {
        **{f"datasets/{name}": dataset.model_dump() for name, dataset in params.datasets.items()},
        **{
            f"experiments/{name}": {
                config.name: config.to_dict() for config in params.configs(name)
            }
            for name in params.experiments
        },
        **{
            f"studies/{name}": {
                "study": study.model_dump(mode="json"),
                "varied": params.config(study.experiment).to_dict(),
            }
            for name, study in params.studies.items()
        },
    }


def _code() -> dict[str, dict[str, str]]:
    """The digests of the code of each kind of stage, by `code/stage/problem`."""
    return {
        f"code/{stage}/{problem}": sources.digests(patterns, problem)
        for stage, patterns in sources.STAGES.items()
        for problem in problem_names()
    }
