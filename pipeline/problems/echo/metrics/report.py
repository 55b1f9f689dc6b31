"""Sentences of the report on the accuracy of the echo."""

import numpy as np

from pipeline.problems.echo.data.examples import samples_per_sequence
from pipeline.problems.echo.metrics.evaluation import LEARNED
from pipeline.schema.experiment import RunConfig


def summarize(config: RunConfig, metrics: dict, references: dict) -> list[str]:
    """Sentences on the results of an experiment, from its aggregated metrics."""
    framing, replicas = config.experiment.framing, metrics["exact_accuracy"]["replicas"]
    sentences = [_summarize_accuracy(config, metrics, references)]
    if "mae" in metrics:
        sentences.append(
            f"Before rounding, its outputs are off by {metrics['mae']['mean']:.3f} on average; "
            "always predicting the middle of the range would be off by "
            f"{references['mae']['chance']:.1f}."
        )
    else:
        sentences.append(
            f"Its cross-entropy is {metrics['cross_entropy']['mean']:.3f} nats, against "
            f"{references['cross_entropy']['chance']:.3f} for guessing."
        )
    if "exact_accuracy_incomplete" in metrics:
        sentences.append(
            f"{metrics['exact_accuracy_full']['mean']:.2%} of the full windows are echoed exactly, "
            f"and {metrics['exact_accuracy_incomplete']['mean']:.2%} of the windows that start "
            "before their sequence."
        )
    if framing.eval_lengths:
        accuracies = [
            f"{metrics[f'exact_accuracy_at_length_{length}']['mean']:.2%} at length {length}"
            for length in framing.eval_lengths
        ]
        sentences.append(f"Exact echoes by sequence length: {', '.join(accuracies)}.")
    learned = metrics["sequences_until_learned"]
    if learned["replicas"]:
        median = learned["median"]
        after = f"; the median is {median:,.0f} training sequences" if median else ""
        sentences.append(
            f"{learned['replicas']} of {replicas} replicas reached {LEARNED:.0%} exact echoes on "
            f"the validation sequences{after}."
        )
    else:
        sentences.append(
            f"No replica reached {LEARNED:.0%} exact echoes on the validation sequences."
        )
    return sentences


def _summarize_accuracy(config: RunConfig, metrics: dict, references: dict) -> str:
    """The sentences on the task and its accuracy."""
    framing, chance = config.experiment.framing, references["token_accuracy"]["chance"]
    correct = {name: metrics[f"{name}_accuracy"]["mean"] for name in ("token", "exact")}
    if framing.target == "sequence":
        first, *later = (
            metrics[f"accuracy_in_window_{window}"]["mean"]
            for window in range(1, samples_per_sequence(config) + 1)
        )
        return (
            "At every step the network outputs the first integer of the sequence. It is correct in "
            f"{first:.2%} of the steps of the window that shows this integer, and in "
            f"{np.mean(later) if later else 0:.2%} of the steps of later windows; "
            f"guessing would be correct in {chance:.0%}."
        )
    if framing.shortest:
        task = f"windows of {framing.shortest} to {framing.window} integers"
    elif framing.echo == framing.window:
        task = f"windows of {framing.window} integers"
    else:
        task = f"the first {framing.echo} of {framing.window} integers"
    return (
        f"The network echoes {task}: {correct['token']:.2%} of the integers and "
        f"{correct['exact']:.2%} of the complete echoes are correct; guessing would get "
        f"{chance:.0%} of the integers right."
    )
