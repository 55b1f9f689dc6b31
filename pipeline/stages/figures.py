"""Stage `figures@<experiment>`: draw what was measured."""

from pipeline import files, project, reading, results, style
from pipeline.rooms import Room

CAPTIONS = "captions.json"


def run(name: str) -> None:
    """Write reports/figures/<name>/*.svg with their captions, and data/pictures/<name>/."""
    reading.read(project.params())
    setup, found = results.read(name)
    room = Room(setup.experiment.problem)
    pictures = room.figures.figures(setup, found)
    with files.whole(project.figures(name)) as folder:
        folder.mkdir()
        for picture in pictures:
            style.save(picture.figure, folder / f"{picture.name}.svg")
        captions = {f"{picture.name}.svg": picture.caption for picture in pictures}
        about = {"trained": results.trained_digest(name), "captions": captions}
        files.write_json(folder / CAPTIONS, about)
    with files.whole(project.pictures(name)) as folder:
        folder.mkdir()
        for key, steps in room.figures.steps(setup, found).items():
            (folder / key).mkdir()
            for step, figure in steps.items():
                style.save(figure, folder / key / f"{step}.png")

    from pipeline import tracking

    tracking.record(name)
