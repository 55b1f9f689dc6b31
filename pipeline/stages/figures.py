"""Stage `figures@<experiment>`: draw what was measured."""

from collections.abc import Callable, Mapping

from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.problems.base import Problem, Results
from pipeline.reporting import learning_curves
from pipeline.runs import results
from pipeline.runs.tracker import Tracker
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import short_name
from pipeline.utils import files, paths


def run(name: str, make_tracker: Callable[[], Tracker] = Tracker) -> None:
    """Write reports/figures/<name>/*.svg with their captions, and data/pictures/<network>/."""
    found = {
        config.name: results.read(config.name)
        for config in load_params(paths.params()).configs(name)
    }
    _draw(name, found)
    make_tracker().record_experiment(name)


def _draw(name: str, found: Mapping[str, tuple[RunConfig, Results]]) -> None:
    ((config, alone), *others) = found.values()
    problem = Problem(config.experiment.problem)
    if others:
        named = {short_name(network): entry for network, entry in found.items()}
        pictures = [*problem.figures.plot_variants(named), learning_curves.histories(named)]
    else:
        pictures = [*problem.figures.figures(config, alone), learning_curves.history(config, alone)]
    with files.atomic_write(paths.figures(name)) as folder:
        folder.mkdir()
        for picture in pictures:
            plotting.save(picture.figure, folder / f"{picture.name}.svg")
        captions = {f"{picture.name}.svg": picture.caption for picture in pictures}
        trained = {network: results.trained_digest(network) for network in found}
        files.write_json(folder / paths.CAPTIONS, {"trained": trained, "captions": captions})
    with files.atomic_write(paths.pictures(name)) as folder:
        for network, (config, one) in found.items():
            place = folder / network.removeprefix(name).lstrip("/")
            place.mkdir(parents=True)
            for key, steps in problem.figures.progress_images(config, one).items():
                (place / key).mkdir()
                for step, figure in steps.items():
                    plotting.save(figure, place / key / f"{step}.png")
