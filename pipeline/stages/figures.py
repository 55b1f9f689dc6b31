"""Stage `figures@<experiment>`: plot the results of an experiment."""

from collections.abc import Callable, Mapping

from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.problems.base import StoredResults, Variants
from pipeline.problems.load import Problem
from pipeline.reporting import learning_curves
from pipeline.runs import results
from pipeline.runs.tracker import Tracker
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import short_name
from pipeline.utils import files, paths


def run(name: str, make_tracker: Callable[[], Tracker] = Tracker) -> None:
    """Write reports/figures/<name>/*.svg, their captions, and data/pictures/<network>/."""
    params = load_params(paths.params())
    plotting.set_scale(params.scale)
    evaluated = {config.name: results.load_results(config.name) for config in params.configs(name)}
    _write_figures(name, evaluated)
    _write_progress_images(name, evaluated)
    make_tracker().record_experiment(name)


def _write_figures(name: str, evaluated: Mapping[str, tuple[RunConfig, StoredResults]]) -> None:
    """The figures of the report, and their captions with the digests of what they show."""
    ((config, network_results), *others) = evaluated.values()
    problem = Problem(config.experiment.problem)
    if others:
        variants = label_variants(name, evaluated)
        captioned = problem.figures.plot_variants(variants)
        captioned += [learning_curves.variants_history(variants)]
    else:
        captioned = problem.figures.figures(config, network_results)
        captioned += [learning_curves.history(config, network_results)]
    with files.atomic_write(paths.figures(name)) as folder:
        folder.mkdir()
        for entry in captioned:
            plotting.save(entry.figure, folder / f"{entry.name}.svg")
    captions = {f"{entry.name}.svg": entry.caption for entry in captioned}
    digests = {network: results.checkpoint_digest(network) for network in evaluated}
    document = {"checkpoint_digest": digests, "captions": captions}
    files.write_json(paths.captions(name), document)


def label_variants(name: str, evaluated: Variants) -> Variants:
    """The networks of an experiment by the labels of its variants in report.yaml."""
    labels = plotting.variant_labels(name)
    names = {network: short_name(network) for network in evaluated}
    return {
        plotting.escape(labels.get(names[network], names[network])): entry
        for network, entry in evaluated.items()
    }


def _write_progress_images(
    name: str, evaluated: Mapping[str, tuple[RunConfig, StoredResults]]
) -> None:
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
