"""Stage `check`: params.yaml as a whole, before any other stage runs."""

from pipeline import files, project, reading


def run() -> None:
    """Check params.yaml, and write data/checked for the other stages to depend on.

    Its content never changes, so a changed parameter reruns the stages that read it and no others.
    """
    found = reading.read(project.params())
    print(
        f"{project.PARAMS} is sound: {len(found.datasets)} datasets, "
        f"{len(found.experiments)} experiments, {len(found.networks)} networks"
    )
    files.write_text(project.checked(), f"{project.PARAMS} is sound\n")
