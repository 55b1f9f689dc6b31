"""Apply `scale` of params.yaml: make everything smaller, for a quick look at every figure.

The numbers of sequences (or of epochs, if batches do not allow so few sequences), replicas,
held-out sequences and TPE trials are multiplied by the factor, down to the minimums below, and so
are checkpoints. Grids keep the smallest and the largest choice of each numeric dimension. Metrics
then mean little, and figures are marked "quick look".
"""

from collections.abc import Mapping
from typing import Any

from pipeline.params.validate import network_errors
from pipeline.params.validate_study import study_errors
from pipeline.schema.experiment import Dataset, Experiment, RunConfig, Training
from pipeline.schema.params import Params
from pipeline.schema.study import Study, is_numeric

MIN_REPLICAS = 2
MIN_HELD_OUT = 64  # sequences
MIN_TRIALS = 8


def scale_params(params: Params) -> Params:
    """Return the same datasets, experiments and studies at `params.scale` times their size."""
    factor = params.scale
    datasets = {name: _scale_dataset(entry, factor) for name, entry in params.datasets.items()}
    experiments = {
        experiment: {
            name: _scale_network(RunConfig(name, network, datasets[network.dataset]), factor)
            for name, network in networks.items()
        }
        for experiment, networks in params.experiments.items()
    }
    scaled = Params(datasets, experiments, {}, factor)
    studies = {
        name: _scale_study(study, params.networks[study.experiment].training, scaled)
        for name, study in params.studies.items()
    }
    return scaled._replace(studies=studies)


def _scale_dataset(dataset: Dataset, factor: float) -> Dataset:
    sizes = {}
    for part in ("validation", "test"):
        count = getattr(dataset, part)
        target = max(MIN_HELD_OUT, round(factor * count))
        # Rounded down to a power of two: held-out shapes are Sobol points, which need that.
        sizes[part] = min(count, 2 ** (target.bit_length() - 1))
    return dataset.model_copy(update=sizes)


def _scale_network(config: RunConfig, factor: float) -> Experiment:
    """Return the network at a smaller scale.

    Its number of sequences is the smallest one of at least `factor` times the original that makes a
    valid network: batches must divide the samples.
    """
    training = config.experiment.training
    for sequences in range(max(1, round(factor * training.sequences)), training.sequences + 1):
        changes = _scale_training(training, sequences, factor)
        scaled = config.experiment.model_copy(
            update={"training": training.model_copy(update=changes)}
        )
        datasets = {scaled.dataset: config.dataset}
        if not network_errors(config.name, scaled, datasets, datasets):
            return scaled
    return config.experiment


def _scale_training(training: Training, sequences: int, factor: float) -> dict[str, Any]:
    epochs = max(1, round(factor * training.sequences * training.epochs / sequences))
    epochs = min(epochs, training.epochs)
    return {
        "sequences": sequences,
        "epochs": epochs,
        "replicas": _scale_replicas(training.replicas, factor),
        "checkpoints": _scale_checkpoints(training.checkpoints, sequences * epochs, factor),
    }


def _scale_replicas(replicas: int, factor: float) -> int:
    return min(replicas, max(MIN_REPLICAS, round(factor * replicas)))


def _scale_checkpoints(checkpoints: list[int], sequences_seen: int, factor: float) -> list[int]:
    return sorted({min(sequences_seen, max(1, round(factor * count))) for count in checkpoints})


def _scale_study(study: Study, base: Training, params: Params) -> Study:
    """Return the study at a smaller scale; sequences as in `_scale_network`, for all its trials.

    `base` is the training of its experiment, not scaled; `params` are.
    """
    factor = params.scale
    overrides = {"checkpoints": [], **study.overrides.get("training", {})}
    training = base.model_copy(update=overrides)
    confirm = study.confirm_replicas and _scale_replicas(study.confirm_replicas, factor)
    for sequences in range(max(1, round(factor * training.sequences)), training.sequences + 1):
        changes = overrides | _scale_training(training, sequences, factor)
        scaled = study.model_copy(
            update={
                "overrides": study.overrides | {"training": changes},
                "space": _scale_space(study, factor),
                "variants": {name: _scale_variant(v, factor) for name, v in study.variants.items()},
                "confirm_replicas": confirm,
                "trials": study.trials
                and min(study.trials, max(MIN_TRIALS, round(factor * study.trials))),
            }
        )
        if not study_errors(scaled, params.datasets, params.datasets, params.experiments):
            return scaled
    return study


def _scale_space(study: Study, factor: float) -> dict[str, Any]:
    """Return the space with fewer sequences; a grid keeps two choices of a numeric dimension."""
    space = dict(study.space)
    for key, choices in space.items():
        if isinstance(choices, list):
            if key == "training.sequences":
                choices = [max(1, round(factor * count)) for count in choices]
            if study.sampler == "grid" and is_numeric(choices) and len(choices) > 2:
                choices = [min(choices), max(choices)]
            space[key] = choices
    return space


def _scale_variant(variant: Mapping[str, Mapping], factor: float) -> dict[str, Any]:
    training = dict(variant.get("training", {}))
    if "sequences" in training:
        training["sequences"] = max(1, round(factor * training["sequences"]))
    return {**variant, "training": training} if training else dict(variant)
