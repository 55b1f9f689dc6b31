"""The networks in the page compute what they compute in Keras, for all architectures."""

from collections.abc import Iterator

import numpy as np
import pytest

ui = pytest.importorskip("ui", reason="selenium is not installed: the extra `dev` has it")

import echoes  # noqa: E402
import playing  # noqa: E402
import untrained  # noqa: E402
import writers  # noqa: E402

from pipeline.problems.base import Problem, read_config  # noqa: E402
from pipeline.problems.echo.config.types import at_length  # noqa: E402
from pipeline.problems.shapes.data.examples import generate, make_examples  # noqa: E402
from pipeline.problems.shapes.model.drawing import draw_shapes  # noqa: E402
from pipeline.problems.text.data.examples import decode, encode  # noqa: E402
from pipeline.problems.text.model.writing import Writer  # noqa: E402
from pipeline.runs.checkpoint import to_replicas  # noqa: E402
from pipeline.schema.experiment import RunConfig  # noqa: E402

pytestmark = ui.MARKS

TOLERANCE = 1e-5


def predictor(sample: str) -> RunConfig:
    """A network that predicts vertices."""
    document = untrained.make_config().to_dict()
    experiment = document["experiment"]
    experiment["framing"], experiment["training"]["loss"] = {"sample": sample}, "mae"
    return read_config(document)


SHAPES = {f"shapes-{name.replace(' ', '-')}": config for name, config in untrained.CONFIGS.items()}
SHAPES |= {"shapes-point": predictor("point"), "shapes-shape": predictor("shape")}

FORCED = {"decoder_context": "initial_state", "teacher_forcing": True}
ECHO = {
    "echo-lstm": echoes.config(5, 5, model={"architecture": "lstm", "cells": 6}),
    "echo-marked": echoes.config(5, 5, model={"architecture": "lstm"}, missing="marked"),
    "echo-scaled": echoes.config(
        5, 5, model={"architecture": "lstm", "cells": 6}, representation="scaled"
    ),
    "echo-sigmoid": echoes.config(
        5, 3, model={"architecture": "vector", "activation": "sigmoid"}, representation="scaled"
    ),
    "echo-memoryless": echoes.config(5, 5, model={"architecture": "memoryless", "cells": 6}),
    "echo-vector": echoes.config(5, 3, model={"architecture": "vector", "cells": 6}),
    "echo-features": echoes.config(5, 3, model={"architecture": "features", "cells": 6}),
    "echo-attention": echoes.config(5, 5, model={"architecture": "attention", "cells": 6}),
    "echo-embedding": echoes.config(
        5, 5, model={"architecture": "attention", "cells": 6, "embedding": 3}
    ),
    "echo-position": echoes.config(
        5,
        5,
        model={"architecture": "attention", "cells": 6, "keys": "position", "positions": 12},
        shortest=1,
        eval_lengths=[2, 9],
    ),
    "echo-decoder": echoes.config(5, 2, model={"cells": 6}),
    "echo-state": echoes.config(5, 5, model={"cells": 6, "decoder_context": "initial_state"}),
    "echo-forced": echoes.config(5, 5, model={"cells": 6, **FORCED}),
    "echo-vector-forced": echoes.config(5, 5, model={"cells": 6, "teacher_forcing": True}),
    "echo-reversed": echoes.config(5, 5, model={"cells": 6, "reverse": True, **FORCED}),
    "echo-attends": echoes.config(
        5,
        5,
        model={"cells": 6, "reverse": True, "attends": True, "embedding": 3, **FORCED},
        shortest=2,
    ),
    "echo-vector-embedding": echoes.config(
        5, 5, model={"cells": 6, "embedding": 3, "teacher_forcing": True}
    ),
}
TEXT = {
    "text-layers": writers.config("sequence", 4, model={"layers": 2, "embedding": 3}),
    "text-sequence": writers.config("sequence", 4),
    "text-many-to-one": writers.config("many-to-one", 3),
    "text-one-to-many": writers.config("one-to-many", 3),
    "text-one-to-one": writers.config("one-to-one", 1),
}
CONFIGS = SHAPES | ECHO | TEXT


@pytest.fixture(scope="module")
def checkpoints() -> dict:
    return {name: playing.untrained(config) for name, config in CONFIGS.items()}


@pytest.fixture(scope="module")
def driver(checkpoints, tmp_path_factory) -> Iterator:
    path = tmp_path_factory.mktemp("page") / "index.html"
    playing.write_page(path, checkpoints)
    with ui.browser() as page:
        page.driver.get(path.as_uri())
        yield page.driver


def keras_outputs(checkpoint, config: RunConfig, inputs: np.ndarray, targets) -> np.ndarray:
    """The outputs of the plain Keras model for a batch."""
    network = Problem(config.experiment.problem).model.build(config)
    network.model.set_weights([weight[0] for weight in checkpoint.weights])
    return np.asarray(network.model(network.preprocess(inputs, targets)[0]), np.float64)


@pytest.mark.parametrize("name", SHAPES)
def test_networks_that_draw(driver, checkpoints, name):
    config = SHAPES[name]
    test = generate(config.dataset)["test"]
    inputs, targets = make_examples(test, config)
    outputs = keras_outputs(checkpoints[name], config, inputs, targets)
    if not config.experiment.framing.generative:
        single = inputs[:, None] if inputs.ndim == 2 else inputs
        ours = [playing.ask(driver, "predict", name, each.tolist()) for each in single]
        np.testing.assert_allclose(np.squeeze(ours), np.squeeze(outputs), atol=TOLERANCE)
        return
    for shape, values, expected in zip(inputs, targets, outputs, strict=True):
        values = values[values != -1]
        request = {"family": int(shape[0]), "values": values.tolist()}
        ours = np.array(playing.ask(driver, "predict", name, request))
        expected = expected[: len(values)]
        if config.experiment.framing.sample == "tokens":  # logits are defined up to a constant
            ours, expected = softmax(ours), softmax(expected)
        np.testing.assert_allclose(ours, expected, atol=TOLERANCE, rtol=TOLERANCE)


@pytest.mark.parametrize("name", ECHO)
def test_networks_that_echo(driver, checkpoints, name):
    config = ECHO[name]
    framing = config.experiment.framing
    longest = max(framing.eval_lengths, default=framing.window)
    built = at_length(config, longest) if framing.eval_lengths else config
    lengths = [*range(framing.shortest or longest, longest + 1)] * 3
    windows = np.full((len(lengths), longest), -1, np.int16)
    rng = np.random.default_rng(1)
    for window, length in zip(windows, lengths, strict=True):
        window[:length] = rng.integers(config.dataset.classes, size=length)
    targets = windows[:, : built.experiment.framing.echo]
    outputs = keras_outputs(checkpoints[name], built, windows, targets)
    for window, length, expected in zip(windows, lengths, outputs, strict=True):
        ours = np.array(playing.ask(driver, "predict", name, window[:length].tolist()))
        assert len(ours) == min(length, len(expected))
        np.testing.assert_allclose(ours, expected[: len(ours)], atol=TOLERANCE)


@pytest.mark.parametrize("name", TEXT)
def test_networks_that_write(driver, checkpoints, name):
    config = TEXT[name]
    alphabet = len(config.dataset.alphabet)
    rng = np.random.default_rng(1)
    codes = rng.integers(alphabet, size=(4, config.experiment.framing.input_length), dtype=np.uint8)
    outputs = keras_outputs(checkpoints[name], config, codes, codes)
    for window, expected in zip(codes, outputs, strict=True):
        ours = playing.ask(driver, "predict", name, window.tolist())
        np.testing.assert_allclose(ours, expected.reshape(-1, alphabet), atol=TOLERANCE)


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("name", SHAPES)
def test_a_seed_draws_what_it_draws_on_the_command_line(driver, checkpoints, name):
    config, replicas = SHAPES[name], to_replicas(checkpoints[name])
    shape = [*config.dataset.families][-1]
    for seed, temperature in ((0, 1.0), (4_000_000_000, 0.5)):
        expected = draw_shapes(replicas, config, 5, seed, temperature, shape)
        request = {"shape": shape, "seed": seed, "temperature": temperature, "count": 5}
        ours = np.array(playing.ask(driver, "sample", name, request))
        expected = expected[: len(ours)].reshape(ours.shape)  # a predictor draws one shape only
        np.testing.assert_allclose(ours, expected, atol=TOLERANCE)


@pytest.mark.parametrize("name", TEXT)
def test_a_seed_writes_what_it_writes_on_the_command_line(driver, checkpoints, name):
    config, prompt = TEXT[name], "the cat sat"
    writer = Writer(to_replicas(checkpoints[name]), config)
    start = encode(prompt, config.dataset.alphabet)
    for temperature in (1.0, 0.0):
        codes = writer.write(start, np.array([temperature]), 3, 80)[0, 0]
        request = {"prompt": prompt, "seed": 3, "temperature": temperature, "length": 80}
        ours = playing.ask(driver, "sample", name, request)
        assert ours == decode(codes, config.dataset.alphabet)
