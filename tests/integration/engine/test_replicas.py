"""The loop over updates gives the weights of Keras' own training, replica by replica."""

import keras
import numpy as np
import pytest

from pipeline import schema
from pipeline.engine import layers
from pipeline.engine.initialization import initial_weights
from pipeline.engine.network import Network
from pipeline.engine.replicas import Replicas
from pipeline.problems.load import Problem, read_config
from pipeline.schema.experiment import RunConfig

ROUNDING = {"rtol": 1e-4, "atol": 2e-6}  # of float32 sums in another order, over some updates

SHAPES = {
    "name": "shape",
    "dataset": {
        "problem": "shapes",
        "shape": "rectangle",
        "seed": 3,
        "replicas": 40,
        "train": 60,
        "validation": 8,
        "test": 8,
    },
    "experiment": {
        "problem": "shapes",
        "dataset": "shape",
        "framing": {"sample": "point"},
        "model": {"cells": 10},
        "training": {
            "seed": 1,
            "replicas": 1,
            "sequences": 60,
            "batch_size": 3,
            "loss": "mae",
            "learning_rate": 0.001,
        },
    },
}
ECHO: dict = {
    "name": "echo",
    "dataset": {
        "problem": "echo",
        "length": 12,
        "classes": 20,
        "seed": 3,
        "replicas": 2,
        "train": 20,
        "validation": 2,
        "test": 2,
    },
    "experiment": {
        "problem": "echo",
        "dataset": "echo",
        "framing": {"window": 5, "echo": 5},
        "model": {"architecture": "lstm", "cells": 8},
        "training": {
            "seed": 1,
            "replicas": 1,
            "sequences": 20,
            "batch_size": 4,
            "loss": "categorical_crossentropy",
            "learning_rate": 0.01,
        },
    },
}

SMALL_ECHO = ECHO | {"dataset": ECHO["dataset"] | {"train": 6}}


def config(document: dict, *, training=(), **sections) -> RunConfig:
    experiment = document["experiment"] | sections
    experiment["training"] = experiment["training"] | dict(training)
    return read_config(document | {"experiment": experiment})


CASES = {
    "memoryless": config(SHAPES),
    "recurrent": config(SHAPES, framing={"sample": "shape"}, training={"batch_size": 1}),
    "mse, rmsprop, two epochs": config(
        SHAPES,
        framing={"sample": "shape"},
        training={"batch_size": 2, "loss": "mse", "optimizer": "rmsprop", "epochs": 2},
    ),
    "sgd with momentum": config(SHAPES, training={"optimizer": "sgd", "momentum": 0.9}),
    "cosine schedule, warm-up and clipping": config(
        SHAPES, training={"schedule": "cosine", "warmup": 0.2, "clip_norm": 0.05}
    ),
    "all samples in one batch": config(SHAPES, training={"batch_size": "all", "epochs": 20}),
    "warm-up": config(SHAPES, training={"warmup": 0.3}),
    "echo": config(ECHO),
    "echo, states reset after each sequence": config(
        ECHO, training={"reset_states_after": "sequence"}
    ),
    "echo, states reset after each epoch": config(ECHO, training={"reset_states_after": "epoch"}),
    "encoder-decoder": config(
        ECHO,
        framing={"window": 5, "echo": 2},
        model={"architecture": "encoder-decoder", "cells": 8},
    ),
    "encoder-decoder, mse": config(
        SMALL_ECHO,
        framing={"window": 5, "echo": 2},
        model={"architecture": "encoder-decoder", "cells": 8},
        training={"loss": "mse"},
    ),
    "scaled integers": config(
        SMALL_ECHO,
        framing={"window": 5, "echo": 5, "representation": "scaled"},
        training={"loss": "mae"},
    ),
    "missing integers, masked": config(
        SMALL_ECHO, framing={"window": 5, "echo": 5, "missing": "masked"}
    ),
    "missing integers, masked and scaled": config(
        SMALL_ECHO,
        framing={"window": 5, "echo": 5, "missing": "masked", "representation": "scaled"},
        model={"architecture": "lstm", "cells": 8, "activation": "sigmoid"},
        training={"loss": "mse"},
    ),
    "missing integers, marked": config(
        SMALL_ECHO,
        framing={"window": 5, "echo": 2, "missing": "marked"},
        model={"architecture": "vector", "cells": 8},
    ),
    "first integer of the sequence": config(
        SMALL_ECHO,
        framing={"window": 4, "echo": 4, "stride": 4, "target": "sequence"},
        training={"batch_size": 1, "reset_states_after": "sequence"},
    ),
    "time steps as features": config(SMALL_ECHO, model={"architecture": "features", "cells": 8}),
    "echo as a vector": config(SMALL_ECHO, model={"architecture": "vector", "cells": 8}),
    "memoryless echo": config(SMALL_ECHO, model={"architecture": "memoryless", "cells": 8}),
    "initial state of the decoder": config(
        SMALL_ECHO,
        model={"architecture": "encoder-decoder", "cells": 8, "decoder_context": "initial_state"},
    ),
    "teacher forcing": config(
        SMALL_ECHO,
        model={
            "architecture": "encoder-decoder",
            "cells": 8,
            "decoder_context": "initial_state",
            "teacher_forcing": True,
            "reverse": True,
        },
    ),
    "teacher forcing and vector": config(
        SMALL_ECHO, model={"architecture": "encoder-decoder", "cells": 8, "teacher_forcing": True}
    ),
    "attention, variable lengths": config(
        SMALL_ECHO,
        framing={"window": 5, "echo": 5, "shortest": 2},
        model={"architecture": "attention", "cells": 8},
    ),
    "attention by position": config(
        SMALL_ECHO,
        framing={"window": 5, "echo": 5, "shortest": 2},
        model={"architecture": "attention", "cells": 8, "keys": "position", "positions": 9},
    ),
    "attending decoder, variable lengths": config(
        SMALL_ECHO,
        framing={"window": 5, "echo": 5, "shortest": 2},
        model={
            "architecture": "encoder-decoder",
            "cells": 8,
            "decoder_context": "initial_state",
            "teacher_forcing": True,
            "reverse": True,
            "attends": True,
            "embedding": 3,
            "forget_bias": 2.0,
        },
    ),
    "generator of tokens": config(
        SHAPES,
        framing={"sample": "tokens", "bins": 16},
        model={"cells": 6},
        training={"loss": "categorical_crossentropy", "clip_norm": 1.0},
    ),
    "generator of coordinates": config(
        SHAPES,
        framing={"sample": "coordinates"},
        model={"cells": 6, "components": 3},
        training={"loss": "negative_log_likelihood"},
    ),
    "generator of tokens of all families": config(
        SHAPES | {"dataset": SHAPES["dataset"] | {"shape": ["circle", "rectangle"]}},
        framing={"sample": "tokens", "bins": 16},
        model={"cells": 6},
        training={"loss": "categorical_crossentropy", "vectorized": False},
    ),
    "echo, looped layers": config(
        SMALL_ECHO, training={"vectorized": False, "reset_states_after": "sequence"}
    ),
}


def network(case: RunConfig) -> Network:
    return Problem(case.experiment.problem).model.build(case)


def samples(case: RunConfig, replicas: int) -> tuple[np.ndarray, np.ndarray]:
    problem = Problem(case.experiment.problem)
    sequences = problem.data.generate(case.dataset)["train"][:replicas]
    return problem.data.make_examples(sequences, case)


def reset_every(case: RunConfig) -> int:
    per_sequence = Problem(case.experiment.problem).data.samples_per_sequence(case)
    return case.experiment.training.reset_every(per_sequence)


def batch_size(case: RunConfig, samples: int) -> int:
    size = case.experiment.training.batch_size
    return samples if size == "all" else size


def count_updates(case: RunConfig, inputs: np.ndarray) -> int:
    samples = inputs.shape[1]
    return samples * case.experiment.training.epochs // batch_size(case, samples)


def train(
    case: RunConfig, weights: list[np.ndarray], report_after: list[int] | None = None
) -> list[np.ndarray]:
    """The weights after training with `Replicas`."""
    inputs, targets = samples(case, weights[0].shape[0])
    replicas = Replicas(network(case), weights)
    for _ in replicas.train(
        inputs,
        targets,
        case.experiment.training,
        report_after=report_after or [count_updates(case, inputs)],
        reset_every=reset_every(case),
    ):
        pass
    return replicas.weights


def train_with_keras(case: RunConfig, weights: list[np.ndarray]) -> list[np.ndarray]:
    """The weights after Keras' `train_on_batch`, with resets of states in between.

    The learning rate of each update is computed from its definition, without Keras' schedules.
    """
    training, built = case.experiment.training, network(case)
    built.model.set_weights([weight[0] for weight in weights])
    (inputs,), (targets,) = samples(case, 1)
    total = count_updates(case, inputs[None])
    optimizer = {
        "adam": lambda: keras.optimizers.Adam(
            training.learning_rate, global_clipnorm=training.clip_norm
        ),
        "rmsprop": lambda: keras.optimizers.RMSprop(training.learning_rate),
        "sgd": lambda: keras.optimizers.SGD(training.learning_rate, training.momentum),
    }[training.optimizer]()
    model, size = built.training_model or built.model, batch_size(case, len(inputs))
    model.compile(optimizer=optimizer, loss=keras_loss(case, built), jit_compile=False)
    for update in range(total):
        batch = np.arange(update * size, (update + 1) * size)
        x, y = built.preprocess(*(array[batch % len(array)] for array in (inputs, targets)))
        if update % reset_every(case) == 0:
            for layer in built.model.layers:
                if getattr(layer, "stateful", False):
                    layer.reset_states()
        optimizer.learning_rate = learning_rate(training, update, total)
        weights_of_samples = sample_weights(case, targets[batch % len(targets)])
        model.train_on_batch(np.asarray(x), np.asarray(y), weights_of_samples)
    return built.model.get_weights()


def sample_weights(case: RunConfig, targets: np.ndarray) -> np.ndarray | None:
    """Sample weights (B, T) that leave out missing targets, where no mask of Keras does it."""
    masked = getattr(case.experiment.model, "architecture", "lstm") == "lstm"
    if masked or not (targets == -1).any():
        return None
    present = (targets != -1).astype("float32")
    return present / present.mean()


def keras_loss(case: RunConfig, built: Network):
    """Keras' loss of that name; generators have their own, which depends on where shapes end."""
    framing = case.experiment.framing
    return built.loss if getattr(framing, "generative", False) else case.experiment.training.loss


def learning_rate(training: schema.Training, update: int, total: int) -> float:
    warmup = round(training.warmup * total)
    if update < warmup:
        first = 0.0 if training.schedule == "cosine" else training.learning_rate / warmup
        return first + (training.learning_rate - first) * update / warmup
    if training.schedule == "constant":
        return training.learning_rate
    return training.learning_rate * (1 + np.cos(np.pi * (update - warmup) / (total - warmup))) / 2


def initial(case: RunConfig, seeds) -> list[np.ndarray]:
    return initial_weights(lambda: network(case).model, seeds)


STOCK, OURS = layers.MIN_CELLS, 1  # smallest layer that is ours: none of the cases, or all


@pytest.mark.parametrize("name", CASES)
def test_training_gives_the_weights_of_keras(name, monkeypatch):
    case = CASES[name]
    start = initial(case, [5])
    expected = train_with_keras(case, start)
    assert not np.allclose(expected[0], start[0][0], **ROUNDING)
    for min_cells in (STOCK, OURS):
        monkeypatch.setattr(layers, "MIN_CELLS", min_cells)
        for weight, theirs in zip(train(case, start), expected, strict=True):
            np.testing.assert_allclose(weight[0], theirs, **ROUNDING)


@pytest.mark.parametrize(
    ("name", "min_cells"),
    [
        ("recurrent", STOCK),
        ("generator of tokens of all families", STOCK),
        ("echo, states reset after each sequence", OURS),
        ("encoder-decoder", OURS),
        ("attending decoder, variable lengths", OURS),
    ],
)
def test_compiled_training_gives_the_same_weights(name, min_cells, monkeypatch):
    case = CASES[name]
    start = initial(case, [5, 6])
    expected = train(case, start)
    monkeypatch.setattr("pipeline.engine.replicas.MIN_COMPILED_UPDATES", 0)
    monkeypatch.setattr(layers, "MIN_CELLS", min_cells)
    for weight, theirs in zip(train(case, start), expected, strict=True):
        np.testing.assert_allclose(weight, theirs, **ROUNDING)


def test_consistency_loss_is_that_of_two_weighted_keras_outputs():
    """The model has two outputs, next vertices and free-running drawing, one shape per batch."""
    case = config(
        SHAPES,
        framing={"sample": "shape"},
        model={"cells": 10, "consistency": 0.3},
        training={"batch_size": 1},
    )
    start, built = initial(case, [5]), network(case)
    built.model.set_weights([weight[0] for weight in start])
    family = case.dataset.family
    projector = (family.matrix @ family.inverse).astype("float32")

    def consistency(_, drawn):
        polygon = keras.ops.reshape(keras.ops.pad(drawn, [[0, 0], [1, 0], [0, 0]]), (-1, 8))
        return keras.ops.mean(keras.ops.abs(polygon - polygon @ projector.T))

    model = built.training_model
    model.compile("adam", ["mae", consistency], loss_weights=[0.7, 0.3], jit_compile=False)
    model.optimizer.learning_rate = 0.001
    (inputs,), (targets,) = samples(case, 1)
    for x, y in zip(inputs[:, None], targets[:, None], strict=True):
        model.train_on_batch(x, [y, y])
    expected = built.model.get_weights()
    for weight, theirs in zip(train(case, start), expected, strict=True):
        np.testing.assert_allclose(weight[0], theirs, **ROUNDING)
    assert not np.allclose(expected[0], start[0][0], **ROUNDING)


@pytest.mark.parametrize(
    "name", ["memoryless", "recurrent", "cosine schedule, warm-up and clipping"]
)
def test_a_replica_gets_the_same_weights_alone_and_beside_32_others(name, monkeypatch):
    if name == "recurrent":
        monkeypatch.setattr("pipeline.engine.replicas.MIN_COMPILED_UPDATES", 0)
    case = CASES[name]
    start = initial(case, range(33))
    together = train(case, start)
    alone = train(case, [weight[:1] for weight in start])
    for weight, expected in zip(together, alone, strict=True):
        np.testing.assert_allclose(weight[0], expected[0], **ROUNDING)


def test_a_diverged_replica_is_reported_and_does_not_affect_the_others():
    case = CASES["memoryless"]
    start = initial(case, range(3))
    expected = train(case, start)
    for weight in start:
        weight[1] = np.nan
    inputs, targets = samples(case, 3)
    replicas = Replicas(network(case), start)
    (progress,) = replicas.train(inputs, targets, case.experiment.training, report_after=[60])
    assert progress.diverged.tolist() == [False, True, False]
    assert np.isfinite(progress.loss).tolist() == [True, False, True]
    for weight, clean in zip(replicas.weights, expected, strict=True):
        np.testing.assert_allclose(weight[[0, 2]], clean[[0, 2]], **ROUNDING)


def test_a_replica_that_diverges_in_the_last_update_has_failed():
    """Its loss is finite, because a loss is computed before its update; its weights are huge."""
    changes = SHAPES["experiment"]["training"] | {"optimizer": "sgd", "loss": "mse"}
    case = config(SHAPES, training=changes)
    start, (inputs, targets) = initial(case, range(2)), samples(case, 2)
    targets[1] *= 1e18
    training = case.experiment.training.model_copy(update={"learning_rate": 1.0})
    replicas = Replicas(network(case), start)
    progress = next(replicas.train(inputs, targets, training, report_after=[1]))
    assert np.isfinite(progress.loss).all()
    assert progress.diverged.tolist() == [False, True]


def test_temporary_weights_are_restored_after_an_exception():
    case = CASES["memoryless"]
    start, others = initial(case, [1]), initial(case, [2])
    replicas = Replicas(network(case), start)
    with pytest.raises(RuntimeError), replicas.temporary_weights(others):
        np.testing.assert_array_equal(replicas.weights[0], others[0])
        raise RuntimeError
    np.testing.assert_array_equal(replicas.weights[0], start[0])


def test_weights_do_not_depend_on_the_reports():
    case = CASES["echo, states reset after each sequence"]
    start = initial(case, [5, 6])
    once = train(case, start)
    often = train(case, start, report_after=[1, 2, 7, 20, 40])
    for one, two in zip(once, often, strict=True):
        np.testing.assert_array_equal(one, two)


def test_the_reported_loss_is_the_mean_over_the_updates_since_the_last_report():
    case = CASES["memoryless"]
    start, (inputs, targets) = initial(case, [5]), samples(case, 1)
    training = case.experiment.training

    def losses(report_after: list[int]) -> list[float]:
        replicas = Replicas(network(case), start)
        reports = replicas.train(inputs, targets, training, report_after=report_after)
        return [progress.loss[0] for progress in reports]

    one_by_one = losses(list(range(1, 11)))
    assert losses([4, 10]) == pytest.approx([np.mean(one_by_one[:4]), np.mean(one_by_one[4:])])


@pytest.mark.parametrize("report_after", [[], [0, 1], [2, 1], [1, 1], [61]])
def test_invalid_report_updates_are_rejected(report_after):
    case = CASES["memoryless"]
    inputs, targets = samples(case, 1)
    replicas = Replicas(network(case), initial(case, [1]))
    with pytest.raises((ValueError, IndexError)):
        next(replicas.train(inputs, targets, case.experiment.training, report_after=report_after))


@pytest.mark.parametrize("name", ["recurrent", "missing integers, masked"])
def test_looped_and_unrolled_layers_compute_the_same(name):
    unrolled = CASES[name]
    training = unrolled.experiment.training.model_copy(update={"vectorized": False})
    looped = unrolled._replace(
        experiment=unrolled.experiment.model_copy(update={"training": training})
    )
    start = initial(unrolled, [5, 6])
    trained = train(unrolled, start)
    for weight, expected in zip(train(looped, start), trained, strict=True):
        np.testing.assert_allclose(weight, expected, **ROUNDING)
    inputs, targets = samples(unrolled, 2)
    predict_options = training.predict_options(
        Problem(unrolled.experiment.problem).data.samples_per_sequence(looped)
    )
    outputs, expected = (
        Replicas(network(case), trained).predict(inputs, targets, **predict_options)
        for case in (looped, unrolled)
    )
    for key, values in expected.items():
        np.testing.assert_allclose(outputs[key], values, **ROUNDING)


def test_predictions_do_not_depend_on_the_batch_size():
    case = CASES["recurrent"]
    inputs, targets = samples(case, 1)
    replicas = Replicas(network(case), initial(case, [1, 2]))
    one_batch = replicas.predict(inputs, targets)["vertices"]
    batches = replicas.predict(inputs, targets, batch_size=7)["vertices"]
    assert one_batch.shape == (2, 60, 3, 2)
    np.testing.assert_allclose(batches, one_batch, **ROUNDING)


@pytest.mark.parametrize("batch_size", [60, 7])
def test_a_program_runs_with_the_weights_of_each_replica(batch_size, monkeypatch):
    monkeypatch.setattr("pipeline.engine.replicas.MAX_BATCH", batch_size)
    case = CASES["recurrent"]
    inputs, targets = samples(case, 1)
    replicas = Replicas(network(case), initial(case, [1, 2]))

    def apply_twice(vertices, scale):
        predicted = replicas.network.model(vertices)
        return {"twice": replicas.network.model(predicted) * scale[:, None, None]}

    scale = np.stack([np.full(60, 2.0), np.arange(60)]).astype("float32")
    outputs = replicas.run(apply_twice, inputs, scale)["twice"]
    once = replicas.predict(inputs, targets)["vertices"]
    expected = replicas.predict(once, targets)["vertices"] * scale[..., None, None]
    np.testing.assert_allclose(outputs, expected, **ROUNDING)


def test_predictions_of_a_stateful_network_are_those_of_keras():
    case = CASES["echo, states reset after each sequence"]
    inputs, targets = samples(case, 1)
    start = initial(case, [1])
    built = network(case)
    outputs = Replicas(built, start).predict(inputs, targets, batch_size=4, reset_every=2)
    built.model.set_weights([weight[0] for weight in start])
    x, _ = built.preprocess(inputs[0], targets[0])
    expected = []
    for batch in range(len(x) // 4):
        if batch % 2 == 0:
            built.model.get_layer("lstm").reset_states()
        expected.append(np.asarray(built.model(x[4 * batch : 4 * batch + 4])))
    expected = np.concatenate(expected).argmax(axis=-1)
    np.testing.assert_array_equal(outputs["integers"][0], expected)
