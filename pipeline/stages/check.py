"""Stage `check`: params.yaml as a whole, before any other stage runs."""

from pipeline.params.load import load_params
from pipeline.problems.base import Problem
from pipeline.schema.params import Params
from pipeline.utils import console, files, paths


def run() -> None:
    """Check params.yaml, and write data/resolved/: what of it decides each result.

    A file for each dataset, experiment and study, defaults written out: the stage that makes it
    depends on that file, so a changed parameter reruns the stages that it concerns and no others.
    """
    found = load_params(paths.params())
    for name in found.networks:
        config = found.config(name)
        for key, what in Problem(config.experiment.problem).config.warnings(config):
            console.print_status(f"warning: {paths.PARAMS}: {name}: {key}: {what}")
    print(
        f"{paths.PARAMS} is sound: {len(found.datasets)} datasets, "
        f"{len(found.experiments)} experiments, {len(found.networks)} networks"
    )
    for path in (paths.study("any"), paths.trials("any")):  # DVC wants them, if there are none
        path.parent.mkdir(parents=True, exist_ok=True)
    with files.atomic_write(paths.resolved()) as folder:
        for path, document in _decisive(found).items():
            files.write_json(folder / f"{path}.json", document)


def _decisive(found: Params) -> dict[str, dict]:
    """All that params.yaml says of an entry's result, by `section/entry`."""
    return {
        **{f"datasets/{name}": dataset.model_dump() for name, dataset in found.datasets.items()},
        **{
            f"experiments/{name}": {config.name: config.to_dict() for config in found.configs(name)}
            for name in found.experiments
        },
        **{
            f"studies/{name}": {
                "study": study.model_dump(mode="json"),
                "varied": found.config(study.experiment).to_dict(),
            }
            for name, study in found.studies.items()
        },
    }
