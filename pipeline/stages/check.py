"""Stage `check`: params.yaml as a whole, before any other stage runs."""

from pipeline import console
from pipeline.core import files, project, reading
from pipeline.core.params import Params
from pipeline.core.rooms import Room


def run() -> None:
    """Check params.yaml, and write data/checked/: what of it decides each result.

    A file for each dataset, experiment and study, defaults written out: the stage that makes it
    depends on that file, so a changed parameter reruns the stages that it concerns and no others.
    """
    found = reading.read(project.params())
    for name in found.networks:
        setup = found.setup(name)
        for key, what in Room(setup.experiment.problem).models.warnings(setup):
            console.say(f"warning: {project.PARAMS}: {name}: {key}: {what}")
    print(
        f"{project.PARAMS} is sound: {len(found.datasets)} datasets, "
        f"{len(found.experiments)} experiments, {len(found.networks)} networks"
    )
    for path in (project.study("any"), project.trials("any")):  # DVC wants them, if there are none
        path.parent.mkdir(parents=True, exist_ok=True)
    with files.whole(project.checked()) as folder:
        for path, document in _decisive(found).items():
            files.write_json(folder / f"{path}.json", document)


def _decisive(found: Params) -> dict[str, dict]:
    """All that params.yaml says of an entry's result, by `section/entry`."""
    return {
        **{f"datasets/{name}": dataset.model_dump() for name, dataset in found.datasets.items()},
        **{
            f"experiments/{name}": {setup.name: setup.document() for setup in found.setups(name)}
            for name in found.experiments
        },
        **{
            f"studies/{name}": {
                "study": study.model_dump(mode="json"),
                "varied": found.setup(study.network).document(),
            }
            for name, study in found.studies.items()
        },
    }
