"""Stage `figures@<experiment>`: plot the results of an experiment."""

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
    params = load_params(paths.params())
    plotting.set_scale(params.scale)
    evaluated = {config.name: results.load_results(config.name) for config in params.configs(name)}
    _write_figures(name, evaluated)
    _write_progress_images(name, evaluated)
    make_tracker().record_experiment(name)


def _write_figures(name: str, evaluated: Mapping[str, tuple[RunConfig, Results]]) -> None:
    """The figures of the report, and captions.json with the digests of what they show."""
    ((config, network_results), *others) = evaluated.values()
    problem = Problem(config.experiment.problem)
    if others:
        variants = {short_name(network): entry for network, entry in evaluated.items()}
        pictures = problem.figures.plot_variants(variants)
        pictures += [learning_curves.variants_history(variants)]
    else:
        pictures = problem.figures.figures(config, network_results)
        pictures += [learning_curves.history(config, network_results)]
    with files.atomic_write(paths.figures(name)) as folder:
        folder.mkdir()
        for picture in pictures:
            plotting.save(picture.figure, folder / f"{picture.name}.svg")
        captions = {f"{picture.name}.svg": picture.caption for picture in pictures}
        trained = {network: results.checkpoint_digest(network) for network in evaluated}
        files.write_json(folder / paths.CAPTIONS, {"trained": trained, "captions": captions})


def _write_progress_images(name: str, evaluated: Mapping[str, tuple[RunConfig, Results]]) -> None:
    """The images of MLflow's step slider: <network>/<key>/<step>.png."""
    with files.atomic_write(paths.pictures(name)) as folder:
        for network, (config, network_results) in evaluated.items():
            place = folder / network.removeprefix(name).lstrip("/")
            place.mkdir(parents=True)
            images = Problem(config.experiment.problem).figures.progress_images(
                config, network_results
            )
            for key, steps in images.items():
                (place / key).mkdir()
                for step, figure in steps.items():
                    plotting.save(figure, place / key / f"{step}.png")
