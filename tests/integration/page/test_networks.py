"""Networks in the page compute what they compute in Keras: untrained ones, and the report's."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ui = pytest.importorskip("ui", reason="selenium is not installed: the extra `dev` has it")

import echoes  # noqa: E402
import playing  # noqa: E402
import untrained  # noqa: E402
import writers  # noqa: E402

from pipeline.engine.backend import keras  # noqa: E402
from pipeline.problems.echo.longest import at_longest  # noqa: E402
from pipeline.problems.load import Problem, read_config  # noqa: E402
from pipeline.problems.shapes.data.examples import PADDING, generate, make_examples  # noqa: E402
from pipeline.problems.shapes.model.drawing import draw_shapes  # noqa: E402
from pipeline.problems.text.data.examples import decode, encode  # noqa: E402
from pipeline.problems.text.model.writing import Writer  # noqa: E402
from pipeline.runs import checkpoint as checkpoints_on_disk  # noqa: E402
from pipeline.runs.checkpoint import Checkpoint, to_replicas  # noqa: E402
from pipeline.schema.experiment import RunConfig  # noqa: E402
from pipeline.utils import paths  # noqa: E402

pytestmark = ui.MARKS

TOLERANCE = 1e-5
ROUNDING = 2e-5
"""What float32 leaves undecided: the last bit of the predicted center of a sharp distribution of
tokens changes their probabilities by 1e-5, and that of a coordinate all later ones."""

SEQUENCES = 4  # of each kind, on which a network is run, unless its batches have a fixed size
ROOT = Path(__file__).parents[3]


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
    "text-faces": writers.config("sequence", dataset={"text": "😀 or 🙃? 😀\n" * 20}),
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


Pairs = Iterator[tuple[np.ndarray, np.ndarray]]
"""What the page and Keras return for an input."""


def outputs(driver, name: str, checkpoint: Checkpoint) -> Pairs:
    """Run a network in the page and in Keras, on some inputs of its problem.

    Outputs are what the page shows: probabilities, coordinates, or the parts of a mixture.
    """
    problem = checkpoint.config.experiment.problem
    return {"shapes": drawn, "echo": echoed, "text": written}[problem](driver, name, checkpoint)


def drawn(driver, name: str, checkpoint: Checkpoint) -> Pairs:
    config = checkpoint.config
    framing = config.experiment.framing
    kinds = len(config.dataset.families)
    few = {"train": kinds, "replicas": 1}  # shapes for training, which are not needed here
    test = generate(config.dataset.model_copy(update=few))["test"][: SEQUENCES * kinds]
    inputs, targets = make_examples(test, config)
    ours: Any
    for example, values, expected in zip(
        inputs, targets, keras_outputs(checkpoint, config, inputs, targets), strict=True
    ):
        if framing.generative:
            values = values[values != PADDING]
            request = {"family": int(example[0]), "values": values.tolist()}
            ours = np.array(playing.ask(driver, "predict", name, request))
            yield readable(ours, framing.sample), readable(expected[: len(ours)], framing.sample)
        else:
            ours = playing.ask(driver, "predict", name, np.atleast_2d(example).tolist())
            yield np.array(ours), np.atleast_2d(expected)


def readable(outputs: np.ndarray, sample: str) -> np.ndarray:
    """Probabilities of logits, which are defined up to a constant, and scales of their logs."""
    if sample == "tokens":
        return softmax(outputs)
    logits, means, scales = np.split(outputs, 3, axis=-1)
    return np.concatenate([softmax(logits), means, np.exp(scales)], axis=-1)


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def echoed(driver, name: str, checkpoint: Checkpoint) -> Pairs:
    config = checkpoint.config
    built = at_longest(config)
    framing = built.experiment.framing
    longest = framing.window
    lengths = [*range(framing.shortest or longest, longest + 1)] * batch_size(config)
    windows = np.full((len(lengths), longest), -1, np.int16)
    rng = np.random.default_rng(1)
    for window, length in zip(windows, lengths, strict=True):
        window[:length] = rng.integers(config.dataset.classes, size=length)
    targets = windows[:, : framing.echo]
    expected = keras_outputs(checkpoint, built, windows, targets)
    for window, length, rows in zip(windows, lengths, expected, strict=True):
        ours = np.array(playing.ask(driver, "predict", name, window[:length].tolist()))
        assert len(ours) == min(length, len(rows))
        yield ours, rows[: len(ours)]


def written(driver, name: str, checkpoint: Checkpoint) -> Pairs:
    config = checkpoint.config
    alphabet = len(config.dataset.alphabet)
    size = (batch_size(config), config.experiment.framing.input_length)
    codes = np.random.default_rng(1).integers(alphabet, size=size, dtype=np.uint8)
    for window, expected in zip(
        codes, keras_outputs(checkpoint, config, codes, codes), strict=True
    ):
        ours = np.array(playing.ask(driver, "predict", name, window.tolist()))
        yield ours, expected.reshape(-1, alphabet)


def batch_size(config: RunConfig) -> int:
    training = config.experiment.training
    return SEQUENCES if training.reset_states_after == "batch" else training.batch_size


def keras_outputs(checkpoint, config: RunConfig, inputs: np.ndarray, targets) -> np.ndarray:
    """The outputs of the plain Keras model for a batch, in Keras's current precision."""
    network = Problem(config.experiment.problem).model.build(config)
    network.model.set_weights([weight[0] for weight in checkpoint.weights])
    inputs = np.asarray(network.preprocess(inputs, targets)[0], keras.config.floatx())
    return np.asarray(network.model(inputs), np.float64)


@pytest.fixture(params=["float32", "float64"])
def precision(request) -> Iterator[str]:
    """The precision in which Keras computes."""
    keras.config.set_floatx(request.param)
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


def tolerance(config: RunConfig, precision: str) -> float:
    tokens = getattr(config.experiment.framing, "sample", None) == "tokens"
    return ROUNDING if tokens and precision == "float32" else TOLERANCE


@pytest.mark.parametrize("name", CONFIGS)
def test_networks_compute_what_keras_computes(driver, checkpoints, name, precision):
    allowed = tolerance(CONFIGS[name], precision)
    for ours, expected in outputs(driver, name, checkpoints[name]):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=allowed)


def test_networks_of_the_report_compute_what_keras_computes(monkeypatch, precision):
    monkeypatch.chdir(ROOT)
    path = ROOT / "reports/index.html"
    index = json.loads(re.search(r'id="data">(.*?)</script>', path.read_text("utf-8"), re.S)[1])
    networks = [name for name, entry in index["networks"].items() if "weights" in entry]
    if not all(paths.model(name).is_dir() for name in networks):
        pytest.skip("its networks are not here: dvc repro")
    with ui.browser() as page:
        page.driver.get(path.as_uri())
        for name in networks:
            checkpoint = load(name)
            pairs = outputs(page.driver, name, checkpoint)
            largest = max(np.abs(ours - expected).max() for ours, expected in pairs)
            print(f"{name}: {largest:.1e}")
            assert largest <= tolerance(checkpoint.config, precision), name


def load(name: str) -> Checkpoint:
    """A trained network; its first replica is that of the page."""
    return checkpoints_on_disk.load(name).without_diverged()


def test_up_to_four_networks_echo_side_by_side(driver):
    address = driver.current_url.split("#")[0]
    driver.get(f"{address}#echo?networks=echo-lstm,echo-lstm,echo-memoryless")
    titles = "return [...document.querySelectorAll('.card h2')].map((e) => e.textContent)"
    ui.wait(lambda: driver.execute_script(titles) == ["echo-lstm", "echo-memoryless"])
    menu = driver.find_element("css selector", ".field:last-child select")
    taken = "return [...arguments[0].options].filter((o) => o.disabled).map((o) => o.value)"
    for name in ("echo-vector", "echo-attention"):
        assert driver.execute_script(taken, menu) == driver.execute_script(titles)
        menu.find_element("css selector", f"option[value={name}]").click()
        ui.wait(lambda name=name: name in driver.execute_script(titles))
    assert not menu.is_enabled()


def test_an_unknown_network_or_shape_is_named(driver):
    for what, network, request, message in (
        ("predict", "nope", [], "“nope” is no network that this page can run"),
        ("sample", "shapes-tokens", {"shape": "nope"}, "“nope” is no shape of this network; these"),
    ):
        with pytest.raises(AssertionError, match=message):
            playing.ask(driver, what, network, request)


@pytest.mark.parametrize("name", SHAPES)
def test_a_seed_draws_what_it_draws_on_the_command_line(driver, checkpoints, name):
    config, replicas = SHAPES[name], to_replicas(checkpoints[name])
    shape = [*config.dataset.families][-1]
    for seed, temperature in ((0, 1.0), (4_000_000_000, 0.5)):
        expected = draw_shapes(replicas, config, 5, seed, temperature, shape)
        request = {"shape": shape, "seed": seed, "temperature": temperature, "count": 5}
        ours = np.array(playing.ask(driver, "sample", name, request))
        expected = expected[: len(ours)].reshape(ours.shape)  # a predictor draws one shape only
        np.testing.assert_allclose(ours, expected, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("name", TEXT)
def test_a_seed_writes_what_it_writes_on_the_command_line(driver, checkpoints, name):
    config = TEXT[name]
    prompt = config.dataset.text[:11]
    writer = Writer(to_replicas(checkpoints[name]), config)
    start = encode(prompt, config.dataset.alphabet)
    for temperature in (1.0, 0.0):
        codes = writer.write(start, np.array([temperature]), 3, 80)[0, 0]
        request = {"prompt": prompt, "seed": 3, "temperature": temperature, "length": 80}
        ours = playing.ask(driver, "sample", name, request)
        assert ours == decode(codes, config.dataset.alphabet)


def test_characters_beyond_the_basic_plane_are_shown_whole(driver):
    driver.execute_script("location.hash = '#write/text-faces?temperature=1&seed=1'")
    press = "//button[text()='To the end']"
    ui.wait(lambda: driver.find_element("xpath", press).is_enabled())
    driver.find_element("xpath", press).click()
    script = "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)"
    characters = set("😀🙃 or?") | {"↵\n"}
    assert set(driver.execute_script(script, ".written")) == characters
    assert set(driver.execute_script(script, ".chances .what")) == set("😀🙃␣or?↵")
