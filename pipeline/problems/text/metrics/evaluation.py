"""What is measured of networks that write, and what is known before training.

Axes: R replica, N sample, T character that a sample asks for, L character of the test text, P place
after a network knew nothing, B text written.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.base import Evaluation, Metric
from pipeline.problems.text.config.types import Dataset
from pipeline.problems.text.data.corpora import texts
from pipeline.problems.text.data.examples import decode, encode, make_examples, samples_per_sequence
from pipeline.problems.text.metrics import ngrams, written
from pipeline.schema.experiment import RunConfig
from pipeline.utils.errors import InputError

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas

ORDERS = (2, 5, 6)  # of the n-grams beside unigrams
HELD_OUT = "held-out text"
PIECES = 8  # of it, each as long as what is written
FLOOR = "floor of the framing"
SHOWN = 480  # characters of the test text that a figure shows
TEMPERATURES = (0.0, 0.5, 0.8, 1.0)
LENGTH = 1000  # characters that are written at each of them
WRITING_SEED = 1  # of the random numbers that they are drawn by
EARLY = 0.5  # temperature of what is written as training goes on
EARLY_LENGTH = 240

METRICS = {
    "bits_per_character": Metric(
        "bits per character",
        "mean of −log2 of the probability of the character that came, on the test text",
        headline=True,
    ),
    "accuracy": Metric(
        "accuracy",
        "share of the test text's characters that were thought likeliest",
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
        f"characters of the longest passage, of at most {LENGTH} written at temperature 1, that "
        "stands in the training text",
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
}

AT = {
    "known_words": ("known words at temperature {}", "known words, written at temperature {}"),
    "longest_copy": (
        "longest copied passage at temperature {}",
        "longest copied passage, in characters, of a text written at temperature {}",
    ),
    "parsed_lines": (
        "lines that parse at temperature {}",
        "lines that parse, of those written at temperature {}",
    ),
}


def describe(name: str) -> Metric:
    """How a metric that `evaluate` returns is spoken of."""
    if match := re.fullmatch(r"(\w+)_at_([0-9.]+)", name):
        label, meaning = (text.format(match[2]) for text in AT[match[1]])
        return Metric(label, meaning, METRICS[match[1]].higher_is_better)
    return METRICS[name]


def curve(targets: np.ndarray, readout: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Metrics (R,) of targets (N, T), (1, N, T) or (R, N, T) and a readout of (R, N, T) bits."""
    return {
        "bits_per_character": readout["bits"].mean(axis=(1, 2), dtype=np.float64),
        "accuracy": (readout["characters"] == targets).mean(axis=(1, 2)),
    }


def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """What is known before training: tables of n-grams and compressors, fitted on the same text.

    And what held-out text, if there is any, shares with the training text, as much of it as is
    written. Raises InputError as `known` does.
    """
    train, dataset = known(config, held_out), config.dataset
    test = running(held_out)
    found = {"bits_per_character": dict(bits_known(dataset, test.tobytes()))}
    likeliest = np.bincount(encode(train, dataset.alphabet)).argmax()
    found["accuracy"] = {"most frequent character": float((test[1:] == likeliest).mean())}
    if not dataset.holds_out:
        found["bits_per_character"][FLOOR] = floor(config, held_out)
        return found
    shared = _shared(decode(test[1:], dataset.alphabet), train, dataset.corpus)
    return found | {name: {HELD_OUT: v} for name, v in shared.items() if not math.isnan(v)}


def _shared(text: str, train: str, corpus: str) -> dict[str, float]:
    """What some pieces of a text, each as long as what is written, are measured at on average."""
    last = max(len(text) - LENGTH, 0)
    starts = sorted({round(start) for start in np.linspace(0, last, PIECES)})
    found = [written.measured(text[start : start + LENGTH], train, corpus) for start in starts]
    values = {name: [piece[name] for piece in found] for name in found[0]}
    known_ones = {name: [v for v in of if not math.isnan(v)] for name, of in values.items()}
    return {name: float(np.mean(of)) if of else math.nan for name, of in known_ones.items()}


def known(config: RunConfig, held_out: np.ndarray) -> str:
    """The training text; InputError if it is not the one that the test was held out of.

    It is made anew from this Python's own corpus, which may be another than the dataset's.
    """
    found, name = texts(config.dataset), config.experiment.dataset
    test = encode(found.test, config.dataset.alphabet)[: len(running(held_out))]
    if not np.array_equal(test, running(held_out)):
        raise InputError(
            f"data/{name}.npz: was made from the {config.dataset.corpus} of another version of "
            f"Python; make it with: dvc repro --force generate@{name}"
        )
    return found.train


def running(passages: np.ndarray) -> np.ndarray:
    """The text (S·L + 1,) that passages (S, L + 1) were cut from."""
    return np.append(passages[:, :-1], passages[-1, -1])


@functools.lru_cache(maxsize=8)
def bits_known(dataset: Dataset, test: bytes) -> dict[str, float]:
    """Bits per character of a text, given as the bytes of its codes, for what can only count."""
    codes, letters = np.frombuffer(test, np.uint8), len(dataset.alphabet)
    train = texts(dataset).train
    seen = encode(train, dataset.alphabet)
    found = {"uniform": math.log2(letters), "unigram": ngrams.Table(seen, 1, letters).bits(codes)}
    if not dataset.holds_out:  # too short to compress, and long n-grams would be the text itself
        return found
    for order in ORDERS:
        found[f"order-{order} n-gram"] = ngrams.Table(seen, order, letters).bits(codes)
    return found | ngrams.compressed(train, decode(codes[1:], dataset.alphabet))


def floor(config: RunConfig, passages: np.ndarray) -> float:
    """The fewest bits per character of passages (S, L + 1) that are all known by heart.

    What a sample shows may go on in several ways; that much its framing cannot know.
    """
    framing = config.experiment.framing
    if config.experiment.training.reset_states_after != "batch":
        return 0.0  # the place in the text is known
    inputs, targets = make_examples(passages, config)
    after: dict[tuple, Counter] = defaultdict(Counter)
    for shown, asked in zip(inputs.tolist(), targets.tolist(), strict=True):
        for place, character in enumerate(asked):
            read = shown[: place + 1] if framing.sample == "sequence" else shown
            after[(place, *read)][character] += 1
    costs = [
        -count * math.log2(count / ways.total())
        for ways in after.values()
        for count in ways.values()
    ]
    return sum(costs) / targets.size


def evaluate(
    config: RunConfig,
    replicas: Replicas,
    test: np.ndarray,
    history: dict[str, np.ndarray],
    checkpoints: dict[int, list[np.ndarray]],
) -> Evaluation:
    """Metrics of every replica on test passages (S, L + 1), and what it wrote.

    Predictions: `text` (L,) and `bits` (R, L), the first characters of the test and what they cost
    (NaN where none was asked for); `by_place` (R, P), bits per character by how many characters
    before it were read, unless that is always one; `written` (R, B, …) at `temperatures` (B,),
    after `start`; `early` (K, …) and `early_seen` (K,), what the first replica wrote as it learned;
    `samples`, texts to read.
    """
    dataset, train = config.dataset, known(config, test)
    inputs, targets = make_examples(test, config)
    predict_options = config.experiment.training.predict_options(samples_per_sequence(config))
    readout = replicas.predict(inputs[None], targets[None], **predict_options)
    metrics = curve(targets, readout)

    from pipeline.problems.text.data.prompt import begin
    from pipeline.problems.text.model.writing import Writer

    # What follows on a text of one's own was never trained on.
    length = LENGTH if dataset.holds_out else min(LENGTH, dataset.length)
    start, writer = begin(config, None), Writer(replicas, config)
    drawn = writer.write(start, np.array(TEMPERATURES), WRITING_SEED, length)
    for place, temperature in enumerate(TEMPERATURES):
        each = [
            written.measured(decode(text[place], dataset.alphabet), train, dataset.corpus)
            for text in drawn
        ]
        at = "" if temperature == 1 else f"_at_{temperature:g}"
        metrics |= {name + at: np.array([found[name] for found in each]) for name in each[0]}

    bits, places = _by_character(config, test, readout["bits"])
    early = {}
    for seen, weights in checkpoints.items():
        with replicas.temporary_weights(weights):
            some = writer.write(start, np.array([EARLY]), WRITING_SEED, min(length, EARLY_LENGTH))
        early[seen] = some[0, 0]
    last = config.experiment.training.sequences_seen
    early[last] = drawn[0, TEMPERATURES.index(EARLY), :EARLY_LENGTH]
    predictions = {
        "text": running(test)[1 : SHOWN + 1],
        "bits": bits[:, :SHOWN],
        "start": start,
        "written": drawn,
        "temperatures": np.array(TEMPERATURES),
        "early": np.stack([early[seen] for seen in sorted(early)]),
        "early_seen": np.array(sorted(early)),
        "samples": np.array(written.page(config, start, drawn, TEMPERATURES)),
    }
    if config.experiment.framing.sample != "one-to-many":  # which reads one wherever it writes
        predictions["by_place"] = places
    return Evaluation(metrics, predictions)


def _by_character(
    config: RunConfig, test: np.ndarray, bits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bits (R, N, T) by character of the text (R, L), and their means by place (R, P).

    A place is how many characters a network has read before one, since it last forgot.
    """
    training, length, count = config.experiment.training, config.dataset.length, len(bits)
    _, where = make_examples(length * np.arange(len(test))[:, None] + np.arange(length + 1), config)
    by_character = np.full((count, length * len(test) + 1), np.nan)
    by_character[:, where.ravel()] = bits.reshape(count, -1)
    lanes, windows = 1, 1
    if training.reset_states_after != "batch":
        lanes = training.batch_size
        windows = samples_per_sequence(config) // lanes
    by_place = bits.reshape(count, -1, windows, lanes, bits.shape[-1]).mean(axis=(1, 3))
    return by_character[:, 1:], by_place.reshape(count, -1)


def preview(predictions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What was written as training went on."""
    return {name: predictions[name] for name in ("early", "early_seen", "start")}


def summarize(config: RunConfig, metrics: dict, references: dict) -> list[str]:
    """What an experiment found, in sentences made from its aggregated metrics."""
    bits, lines = metrics["bits_per_character"], references["bits_per_character"]
    beaten = {name: value for name, value in lines.items() if bits["mean"] < value}
    above = [f"{name} ({value:.3f})" for name, value in lines.items() if name not in beaten]
    what = "Held-out text" if config.dataset.holds_out else "The text"
    sentences = [
        f"{what} costs it {bits['mean']:.3f} bits per character, less than "
        f"{_listed([f'{name} ({value:.3f})' for name, value in beaten.items()])} and more than "
        f"{_listed(above)}."
    ]
    share, longest = metrics["known_words"], metrics["longest_copy"]
    if share["mean"] is not None and "known_words" in references:
        real = references["known_words"][HELD_OUT]
        sentences.append(
            f"Of the words that it writes at temperature 1, {share['mean']:.0%} occur in the "
            f"training text, and {real:.0%} of those of held-out text do."
        )
    copied = (
        f"The longest passage that it copies from the training text has {longest['mean']:.0f} "
        "characters on average"
    )
    if "longest_copy" in references:
        real = references["longest_copy"][HELD_OUT]
        copied += f", in held-out text of that length {real:.0f}"
    sentences.append(f"{copied}.")
    if metrics.get("parsed_lines", {}).get("mean") is not None and "parsed_lines" in references:
        sentences.append(
            f"Python parses {metrics['parsed_lines']['mean']:.0%} of its lines, and "
            f"{references['parsed_lines'][HELD_OUT]:.0%} of the held-out ones."
        )
    return sentences


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
