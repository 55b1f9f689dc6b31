"""Stage `figures@<experiment>`: draw what was measured."""

from collections.abc import Mapping

from pipeline import curves, results, style
from pipeline.core import arms, files, project, reading
from pipeline.core.params import Setup
from pipeline.core.rooms import Results, Room

CAPTIONS = "captions.json"


def run(name: str) -> None:
    """Write reports/figures/<name>/*.svg with their captions, and data/pictures/<network>/."""
    found = {
        setup.name: results.read(setup.name)
        for setup in reading.read(project.params()).setups(name)
    }
    _draw(name, found)
    from pipeline import tracking  # starts MLflow, once what is drawn is on disk

    tracking.record(name)


def _draw(name: str, found: Mapping[str, tuple[Setup, Results]]) -> None:
    ((setup, alone), *others) = found.values()
    room = Room(setup.experiment.problem)
    if others:
        named = {arms.short(network): entry for network, entry in found.items()}
        pictures = [*room.figures.together(named), curves.histories(named)]
    else:
        pictures = [*room.figures.figures(setup, alone), curves.history(setup, alone)]
    with files.whole(project.figures(name)) as folder:
        folder.mkdir()
        for picture in pictures:
            style.save(picture.figure, folder / f"{picture.name}.svg")
        captions = {f"{picture.name}.svg": picture.caption for picture in pictures}
        trained = {network: results.trained_digest(network) for network in found}
        files.write_json(folder / CAPTIONS, {"trained": trained, "captions": captions})
    with files.whole(project.pictures(name)) as folder:
        for network, (setup, one) in found.items():
            place = folder / network.removeprefix(name).lstrip("/")
            place.mkdir(parents=True)
            for key, steps in room.figures.steps(setup, one).items():
                (place / key).mkdir()
                for step, figure in steps.items():
                    style.save(figure, place / key / f"{step}.png")
