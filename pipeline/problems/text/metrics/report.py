"""Sentences of the report on bits per character and on generated text."""

from pipeline.problems.text.metrics.evaluation import HELD_OUT
from pipeline.schema.experiment import RunConfig


def summarize(config: RunConfig, metrics: dict, references: dict) -> list[str]:
    """Return sentences for the report, made from the aggregated metrics."""
    sentences = [_compare_bits(config, metrics, references)]
    share = metrics["known_words"]["mean"]
    if share is not None and "known_words" in references:
        sentences.append(
            f"Of the words that it writes at temperature 1, {share:.0%} occur in the training "
            f"text; of the words in held-out text, {references['known_words'][HELD_OUT]:.0%} do."
        )
    copied = (
        "The longest passage that it copies from the training text has "
        f"{metrics['longest_copy']['mean']:.0f} characters on average"
    )
    if "longest_copy" in references:
        real = references["longest_copy"][HELD_OUT]
        copied += f"; in held-out text of the same length, the longest such passage has {real:.0f}"
    sentences.append(f"{copied}.")
    share = metrics.get("parsed_lines", {}).get("mean")
    if share is not None and "parsed_lines" in references:
        sentences.append(
            f"Python parses {share:.0%} of the lines that it writes at temperature 1, and "
            f"{references['parsed_lines'][HELD_OUT]:.0%} of the held-out lines."
        )
    return sentences


def _compare_bits(config: RunConfig, metrics: dict, references: dict) -> str:
    """Compare bits per character with the reference values in a sentence."""
    bits, baselines = metrics["bits_per_character"]["mean"], references["bits_per_character"]
    worse = [f"{name} ({value:.3f})" for name, value in baselines.items() if bits < value]
    better = [f"{name} ({value:.3f})" for name, value in baselines.items() if not bits < value]
    where = "held-out text" if config.dataset.has_held_out else "the text"
    comparisons = [
        f"{comparison} {_join(names)}"
        for comparison, names in (("fewer than", worse), ("more than", better))
        if names
    ]
    return f"The network needs {bits:.3f} bits per character on {where}: {'; '.join(comparisons)}."


def _join(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
