"""Evaluation of networks: bits per character of the test text, and metrics of generated text.

Reference values come from `baselines.py`, and from held-out text.

Axes: R replica, S passage, N sample, T character that a sample predicts, L character of a passage
or of the test text, P position since the last state reset, Q piece of the test text, B text (one
per temperature), K checkpoint.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.base import Arrays, Evaluation, Metric
from pipeline.problems.text.config.types import Dataset
from pipeline.problems.text.data.corpus import load_corpus
from pipeline.problems.text.data.examples import (
    decode,
    encode,
    join_passages,
    make_examples,
    samples_per_sequence,
)
from pipeline.problems.text.data.prompt import encode_prompt
from pipeline.problems.text.metrics.baselines import (
    baseline_bits,
    framing_floor,
    ngram_bits,
    training_text,
)
from pipeline.problems.text.metrics.generated_text import format_samples, measure_text
from pipeline.schema.experiment import RunConfig

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.problems.text.model.writing import Writer

HELD_OUT = "held-out text"  # reference: a metric of generated text, computed for held-out text
PIECE = 1000  # characters of the test text, in comparisons with n-gram models
HELD_OUT_PIECES = 8  # pieces of held-out text to measure, each as long as a generated text
FLOOR = "floor of the framing"  # reference: see `baselines.framing_floor`
TEMPERATURES = (0.0, 0.5, 0.8, 1.0)  # of generated texts
WRITTEN_LENGTH = 1000  # characters of each generated text
WRITING_SEED = 1  # of the sampling
PROGRESS_TEMPERATURE = 0.5  # of the texts generated at each checkpoint
PROGRESS_LENGTH = 240  # characters of the texts generated at each checkpoint

METRICS = {
    "bits_per_character": Metric(
        "bits per character",
        "mean of −log2 of the probability that the network gave to each actual character of the "
        "test text",
        headline=True,
    ),
    "accuracy": Metric(
        "accuracy",
        "share of the test text's characters that the network predicted as the most likely one",
        higher_is_better=True,
        headline=True,
    ),
    "known_words": Metric(
        "known words",
        "share of the words written at temperature 1 that occur in the training text",
        higher_is_better=True,
        headline=True,
    ),
    "longest_copy": Metric(
        "longest copied passage",
        f"length in characters of the longest passage, in at most {WRITTEN_LENGTH} characters "
        "written at temperature 1, that also occurs in the training text",
        higher_is_better=None,
        headline=True,
    ),
    "parsed_lines": Metric(
        "lines that parse",
        "share of the lines written at temperature 1 that `ast.parse` accepts, each by itself and "
        "without its indentation",
        higher_is_better=True,
        headline=True,
    ),
    "passes": Metric(
        "passes over the training text",
        "characters that the network read in training, divided by those of the training text",
        higher_is_better=None,
    ),
}

AT_TEMPERATURE = {  # label and meaning of these metrics at temperatures other than 1
    "known_words": (
        "known words at temperature {}",
        "share of the words written at temperature {} that occur in the training text",
    ),
    "longest_copy": (
        "longest copied passage at temperature {}",
        "length in characters of the longest passage, in a text written at temperature {}, that "
        "also occurs in the training text",
    ),
    "parsed_lines": (
        "lines that parse at temperature {}",
        "share of the lines written at temperature {} that `ast.parse` accepts",
    ),
}


def describe(name: str) -> Metric:
    """Return the description of a metric; raises KeyError for an unknown name."""
    if match := re.fullmatch(r"(\w+)_at_([0-9.]+)", name):
        label, meaning = (text.format(match[2]) for text in AT_TEMPERATURE[match[1]])
        return Metric(label, meaning, METRICS[match[1]].higher_is_better)
    return METRICS[name]


def curve_metrics(targets: np.ndarray, outputs: Arrays) -> Arrays:
    """Return metrics (R,) from targets (N, T), (1, N, T) or (R, N, T) and outputs (R, N, T)."""
    return {
        "bits_per_character": outputs["bits"].mean(axis=(1, 2), dtype=np.float64),
        "accuracy": (outputs["characters"] == targets).mean(axis=(1, 2)),
    }


def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """Return reference values of metrics, computed without a network.

    They come from n-gram models and compressors of the training text, and from held-out text.
    Raises InputError as `training_text` does.
    """
    train, dataset = training_text(config, held_out), config.dataset
    test = join_passages(held_out)
    bits = dict(baseline_bits(dataset, test.tobytes()))
    most_frequent = np.bincount(encode(train, dataset.alphabet)).argmax()
    accuracy = {"most frequent character": float((test[1:] == most_frequent).mean())}
    if not dataset.has_held_out:
        bits[FLOOR] = framing_floor(config, held_out)
        return {"bits_per_character": bits, "accuracy": accuracy}
    real = _measure_pieces(decode(test[1:], dataset.alphabet), train, dataset.corpus)
    return {"bits_per_character": bits, "accuracy": accuracy} | {
        name: {HELD_OUT: value} for name, value in real.items() if not math.isnan(value)
    }


def _measure_pieces(text: str, train: str, corpus: str) -> dict[str, float]:
    """Return the mean metrics of pieces of a text, each as long as a generated text."""
    last = max(len(text) - WRITTEN_LENGTH, 0)
    starts = sorted({round(start) for start in np.linspace(0, last, HELD_OUT_PIECES)})
    pieces = [measure_text(text[s : s + WRITTEN_LENGTH], train, corpus) for s in starts]
    means = {}
    for name in pieces[0]:
        values = [piece[name] for piece in pieces if not math.isnan(piece[name])]
        means[name] = float(np.mean(values)) if values else math.nan
    return means


def evaluate(
    config: RunConfig,
    replicas: Replicas,
    test: np.ndarray,
    history: Arrays,
    checkpoints: dict[int, list[np.ndarray]],
) -> Evaluation:
    """Measure every replica on test passages (S, L + 1) and on the text that it generates.

    Predictions are:

    - `text` (L,) and `bits` (R, L), the characters of the test text after the first and their
      bits, NaN for characters that no sample predicts;
    - `by_place` (R, P), mean bits by position since the last state reset; missing for one-to-many,
      which predicts from a single character;
    - `written` (R, B, …), texts that continue the prompt `start` at `temperatures` (B,);
    - `early` (K, …), texts of the first replica after `early_seen` (K,) passages of training;
    - `samples`, the texts of the first replica as one string.
    """
    dataset, train = config.dataset, training_text(config, test)
    inputs, targets = make_examples(test, config)
    options = config.experiment.training.predict_options(samples_per_sequence(config))
    outputs = replicas.predict(inputs[None], targets[None], **options)
    metrics = curve_metrics(targets, outputs)

    from pipeline.problems.text.model.writing import Writer  # imports Keras, which takes seconds

    # With `corpus: text`, a network is never trained to continue beyond the end of the passage.
    length = WRITTEN_LENGTH if dataset.has_held_out else min(WRITTEN_LENGTH, dataset.length)
    start, writer = encode_prompt(config), Writer(replicas, config)
    written = writer.write(start, np.array(TEMPERATURES), WRITING_SEED, length)
    metrics |= _measure_written(written, train, dataset)
    if dataset.has_held_out:
        seen = config.experiment.training.sequences_seen * dataset.length
        metrics["passes"] = np.full(replicas.count, seen / len(load_corpus(dataset).train))

    bits, bits_by_position = _arrange_bits(config, test, outputs["bits"])
    progress = _write_checkpoints(writer, checkpoints, start, min(length, PROGRESS_LENGTH))
    final = written[0, TEMPERATURES.index(PROGRESS_TEMPERATURE), :PROGRESS_LENGTH]
    progress[config.experiment.training.sequences_seen] = final
    predictions = {
        "text": join_passages(test)[1:],
        "bits": bits,
        "start": start,
        "written": written,
        "temperatures": np.array(TEMPERATURES),
        "early": np.stack([progress[seen] for seen in sorted(progress)]),
        "early_seen": np.array(sorted(progress)),
        "samples": np.array(format_samples(config, start, written, TEMPERATURES)),
    }
    if config.experiment.framing.sample != "one-to-many":
        predictions["by_place"] = bits_by_position
    return Evaluation(metrics, predictions, _by_piece(dataset, test, bits.mean(axis=0)))


def _by_piece(dataset: Dataset, test: np.ndarray, bits: np.ndarray) -> Arrays:
    """Return the bits (Q,) of a network minus those of n-gram models, by piece of the test text.

    `bits` (L,) are the network's, by character. The intervals of these differences over pieces show
    whether other text of the same kind may change their sign, which replicas do not.
    """
    pieces = len(bits) // PIECE
    if not dataset.has_held_out or pieces < 2:
        return {}
    return {
        name: np.nanmean((bits - values)[: pieces * PIECE].reshape(pieces, PIECE), axis=1)
        for name, values in ngram_bits(dataset, join_passages(test).tobytes()).items()
    }


def _measure_written(written: np.ndarray, train: str, dataset: Dataset) -> Arrays:
    """Return the metrics (R,) of texts (R, B, …) generated at `TEMPERATURES` (B,)."""
    metrics = {}
    for i, temperature in enumerate(TEMPERATURES):
        measured = [
            measure_text(decode(codes, dataset.alphabet), train, dataset.corpus)
            for codes in written[:, i]
        ]
        suffix = "" if temperature == 1 else f"_at_{temperature:g}"
        for name in measured[0]:
            metrics[name + suffix] = np.array([values[name] for values in measured])
    return metrics


def _write_checkpoints(
    writer: Writer, checkpoints: Mapping[int, list[np.ndarray]], start: np.ndarray, length: int
) -> dict[int, np.ndarray]:
    """Return the text of the first replica at each checkpoint: {passages seen: codes}."""
    temperatures = np.array([PROGRESS_TEMPERATURE])
    texts = {}
    for seen, weights in checkpoints.items():
        with writer.replicas.temporary_weights(weights):
            texts[seen] = writer.write(start, temperatures, WRITING_SEED, length)[0, 0]
    return texts


def _arrange_bits(
    config: RunConfig, test: np.ndarray, bits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rearrange bits (R, N, T): by character of the test text (R, L), and means by position (R, P).

    Position p is the prediction from p + 1 characters read since the last state reset.
    """
    training, length, count = config.experiment.training, config.dataset.length, len(bits)
    # Passages of indices, cut like the test passages, give each target's index in the text.
    indices = length * np.arange(len(test))[:, None] + np.arange(length + 1)
    _, targets = make_examples(indices, config)
    by_character = np.full((count, length * len(test) + 1), np.nan)
    by_character[:, targets.ravel()] = bits.reshape(count, -1)
    batch_size, batches_per_reset = 1, 1
    if training.reset_states_after != "batch":
        batch_size = training.batch_size
        batches_per_reset = samples_per_sequence(config) // batch_size
    bits = bits.reshape(count, -1, batches_per_reset, batch_size, bits.shape[-1])
    by_position = bits.mean(axis=(1, 3))
    return by_character[:, 1:], by_position.reshape(count, -1)


def preview(predictions: Arrays) -> Arrays:
    """Return the texts generated during training, which `progress_images` draws."""
    return {name: predictions[name] for name in ("early", "early_seen", "start")}
