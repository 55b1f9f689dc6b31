"""Sentences of the report on predictions, and on the shapes that generators draw."""

from pipeline.problems.shapes.metrics.evaluation import OPTIMAL
from pipeline.problems.shapes.metrics.generation import IDEAL, SAMPLE_SIZE, loss_metric
from pipeline.schema.experiment import RunConfig


def summarize(config: RunConfig, metrics: dict, references: dict) -> list[str]:
    """Describe the results of an experiment in sentences, from its aggregated metrics."""
    if config.experiment.framing.generative:
        return _summarize_generator(config, metrics, references)
    mean = {name: entry["mean"] for name, entry in metrics.items()}
    memory = "Without memory" if config.experiment.framing.sample == "point" else "With memory"
    if not config.dataset.family.known:
        return [
            f"{memory}, the network predicts the next vertex with a mean absolute error of "
            f"{mean['mae']:.4f}."
        ]
    return [
        f"{memory}, the network predicts the next vertex with a mean absolute error of "
        f"{mean['mae']:.4f}. The error of the optimal predictor is "
        f"{references['mae'][OPTIMAL]:.4f}, because a size is random until a vertex "
        f"shows it, so the regret is {mean['mae_regret']:.4f}.",
        "On average, the coordinates of its drawing differ by "
        f"{mean['consistency_error']:.4f} from those of the nearest exact {config.dataset.shape}.",
        "It always draws the same shape, so the KS distance between the sizes that it draws and "
        f"those of the data is {mean['ks']:.2f}; for a single shape it is at least 0.5.",
    ]


def _summarize_generator(config: RunConfig, metrics: dict, references: dict) -> list[str]:
    """Describe the results of a generator in sentences, from its aggregated metrics."""
    dataset, framing = config.dataset, config.experiment.framing
    mean = {name: entry["mean"] for name, entry in metrics.items()}
    loss = loss_metric(framing)
    if not dataset.known:
        return [
            f"Each replica drew {SAMPLE_SIZE:,} shapes at random. The largest KS distance between "
            "the distributions of a parameter in these shapes and in the data is "
            f"{mean['ks']:.3f}. The loss on a held-out shape is {mean[loss]:.2f} nats."
        ]
    (floor,) = references[loss].values()
    chance, rounded = references["ks"][IDEAL], references["consistency_error"][IDEAL]
    several = len(dataset.families) > 1
    shape, per_family, averaged = (
        ("shape", " of each family", ", averaged over families,")
        if several
        else (dataset.shape, "", "")
    )
    centers = ", which are centers of bins," if framing.bins else ""
    sentences = [
        f"Each replica drew {SAMPLE_SIZE:,} shapes{per_family} at random; {mean['wrong']:.2%} are "
        "visibly wrong. The largest KS distance between the distributions of a size in these "
        f"shapes and in the data{averaged} is {mean['ks']:.3f}; an ideal generator's would be "
        f"about {chance:.2f} by chance.",
        f"On average, the coordinates of drawn shapes are {mean['consistency_error']:.4f} away "
        f"from the nearest exact {shape}, those of an ideal generator{centers} {rounded:.4f}.",
        f"The loss on a held-out {shape} is {mean[loss]:.2f} nats, {mean['regret']:.2f} above "
        f"{'that of an ideal generator' if framing.bins else 'the lower bound'} ({floor:.2f}).",
    ]
    if several:
        worst = max(dataset.families, key=lambda shape: mean[f"wrong_{shape}"])
        sentences.append(
            f"The family with the most visibly wrong shapes, on average, is {worst}: "
            f"{mean[f'wrong_{worst}']:.2%}, with a KS distance of {mean[f'ks_{worst}']:.3f}. "
            "All families are drawn by the same replicas, so their intervals do not show whether "
            "they differ."
        )
    return sentences
