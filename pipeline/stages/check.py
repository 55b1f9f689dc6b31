"""Stage `check`: params.yaml as a whole, before any other stage runs."""

from pipeline import console
from pipeline.core import files, project, reading
from pipeline.core.rooms import Room


def run() -> None:
    """Check params.yaml, and write data/checked for the other stages to depend on.

    Its content never changes, so a changed parameter reruns the stages that read it and no others.
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
    files.write_text(project.checked(), f"{project.PARAMS} is sound\n")
