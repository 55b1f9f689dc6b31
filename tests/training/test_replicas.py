"""The compiled loop is the printed procedure, replica by replica."""

import keras
import numpy as np
import pytest

from pipeline import schema
from pipeline.engine.optimizers import initial_weights
from pipeline.engine.replicas import Network, Replicas
from pipeline.problems.base import Problem, read_config
from pipeline.schema.experiment import RunConfig

ROUNDING = {"rtol": 1e-4, "atol": 2e-6}  # float32, summed in another order over some updates

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

FEW = ECHO | {"dataset": ECHO["dataset"] | {"train": 6}}


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
    "cosine with warm-up and clip": config(
        SHAPES, training={"schedule": "cosine", "warmup": 0.2, "clip_norm": 0.05}
    ),
    "all samples in one batch": config(SHAPES, training={"batch_size": "all", "epochs": 20}),
    "warm-up alone": config(SHAPES, training={"warmup": 0.3}),
    "echo": config(ECHO),
    "echo, state carried over a sequence": config(ECHO, training={"state": "sequence"}),
    "echo, state carried over the epoch": config(ECHO, training={"state": "epoch"}),
    "encoder-decoder": config(
        ECHO,
        framing={"window": 5, "echo": 2},
        model={"architecture": "encoder-decoder", "cells": 8},
    ),
    "encoder-decoder, mse": config(
        FEW,
        framing={"window": 5, "echo": 2},
        model={"architecture": "encoder-decoder", "cells": 8},
        training={"loss": "mse"},
    ),
    "scaled integers": config(
        FEW,
        framing={"window": 5, "echo": 5, "representation": "scaled"},
        training={"loss": "mae"},
    ),
    "missing integers, masked": config(FEW, framing={"window": 5, "echo": 5, "missing": "masked"}),
    "missing integers, masked and scaled": config(
        FEW,
        framing={"window": 5, "echo": 5, "missing": "masked", "representation": "scaled"},
        model={"architecture": "lstm", "cells": 8, "activation": "sigmoid"},
        training={"loss": "mse"},
    ),
    "missing integers, marked": config(
        FEW,
        framing={"window": 5, "echo": 2, "missing": "marked"},
        model={"architecture": "vector", "cells": 8},
    ),
    "first integer of the sequence": config(
        FEW,
        framing={"window": 4, "echo": 4, "stride": 4, "answer": "sequence"},
        training={"batch_size": 1, "state": "sequence"},
    ),
    "time steps as features": config(FEW, model={"architecture": "features", "cells": 8}),
    "echo as a vector": config(FEW, model={"architecture": "vector", "cells": 8}),
    "memoryless echo": config(FEW, model={"architecture": "memoryless", "cells": 8}),
    "state handed over": config(
        FEW, model={"architecture": "encoder-decoder", "cells": 8, "decoder_context": "state"}
    ),
    "teacher forcing": config(
        FEW,
        model={
            "architecture": "encoder-decoder",
            "cells": 8,
            "decoder_context": "state",
            "teacher_forcing": True,
            "reverse": True,
        },
    ),
    "teacher forcing beside the vector": config(
        FEW, model={"architecture": "encoder-decoder", "cells": 8, "teacher_forcing": True}
    ),
    "attention, lengths that vary": config(
        FEW,
        framing={"window": 5, "echo": 5, "shortest": 2},
        model={"architecture": "attention", "cells": 8},
    ),
    "attention by position": config(
        FEW,
        framing={"window": 5, "echo": 5, "shortest": 2},
        model={"architecture": "attention", "cells": 8, "keys": "position", "positions": 9},
    ),
    "attending decoder, lengths that vary": config(
        FEW,
        framing={"window": 5, "echo": 5, "shortest": 2},
        model={
            "architecture": "encoder-decoder",
            "cells": 8,
            "decoder_context": "state",
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
    "generator of tokens of any family": config(
        SHAPES | {"dataset": SHAPES["dataset"] | {"shape": "any"}},
        framing={"sample": "tokens", "bins": 16},
        model={"cells": 6},
        training={"loss": "categorical_crossentropy", "vectorized": False},
    ),
    "echo in loops": config(FEW, training={"vectorized": False, "state": "sequence"}),
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
    return (
        samples
        if case.experiment.training.batch_size == "all"
        else (case.experiment.training.batch_size)
    )


def updates(case: RunConfig, inputs: np.ndarray) -> int:
    samples = inputs.shape[1]
    return samples * case.experiment.training.epochs // batch_size(case, samples)


def ours(case: RunConfig, start: list[np.ndarray], stops=None) -> list[np.ndarray]:
    """The weights after the compiled training."""
    inputs, targets = samples(case, start[0].shape[0])
    replicas = Replicas(network(case), start)
    stops = stops or [updates(case, inputs)]
    for _ in replicas.train(
        inputs, targets, case.experiment.training, stops=stops, reset_every=reset_every(case)
    ):
        pass
    return replicas.weights


def printed(case: RunConfig, start: list[np.ndarray]) -> list[np.ndarray]:
    """The weights after Keras' own `fit`, batch by batch, with resets of state in between.

    The learning rate of each update is written out by hand from its definition.
    """
    training, built = case.experiment.training, network(case)
    built.model.set_weights([weight[0] for weight in start])
    (inputs,), (targets,) = samples(case, 1)
    total = updates(case, inputs[None])
    optimizer = {
        "adam": lambda: keras.optimizers.Adam(
            training.learning_rate, global_clipnorm=training.clip_norm
        ),
        "rmsprop": lambda: keras.optimizers.RMSprop(training.learning_rate),
        "sgd": lambda: keras.optimizers.SGD(training.learning_rate, training.momentum),
    }[training.optimizer]()
    learner, size = built.trained or built.model, batch_size(case, len(inputs))
    learner.compile(optimizer=optimizer, loss=loss(case, built))
    for update in range(total):
        batch = np.arange(update * size, (update + 1) * size)
        x, y = built.encode(*(part[batch % len(part)] for part in (inputs, targets)))
        if update % reset_every(case) == 0:
            for layer in built.model.layers:
                if getattr(layer, "stateful", False):
                    layer.reset_states()
        optimizer.learning_rate = rate(training, update, total)
        learner.fit(
            np.asarray(x),
            np.asarray(y),
            sample_weight=weights(case, targets[batch % len(targets)]),
            batch_size=size,
            shuffle=False,
            verbose=0,
        )
    return built.model.get_weights()


def weights(case: RunConfig, targets: np.ndarray) -> np.ndarray | None:
    """Sample weights (B, T) that leave out missing targets, where no mask of Keras does it."""
    masked = getattr(case.experiment.model, "architecture", "lstm") == "lstm"
    if masked or not (targets == -1).any():
        return None
    known = (targets != -1).astype("float32")
    return known / known.mean()


def loss(case: RunConfig, built: Network):
    """Keras' own loss of that name; a generator's, which knows where shapes end, is its own."""
    framing = case.experiment.framing
    return built.loss if getattr(framing, "generative", False) else case.experiment.training.loss


def test_a_mixed_loss_is_that_of_two_keras_outputs():
    """Prediction and drawing as two outputs that Keras weighs, rectangle by rectangle."""
    case = config(
        SHAPES,
        framing={"sample": "shape"},
        model={"cells": 10, "consistency": 0.3},
        training={"batch_size": 1},
    )
    begin, built = start(case, [5]), network(case)
    built.model.set_weights([weight[0] for weight in begin])
    family = case.dataset.family
    projector = (family.matrix @ family.inverse).astype("float32")

    def consistency(_, drawn):
        polygon = keras.ops.reshape(keras.ops.pad(drawn, [[0, 0], [1, 0], [0, 0]]), (-1, 8))
        return keras.ops.mean(keras.ops.abs(polygon - polygon @ projector.T))

    built.trained.compile("adam", loss=["mae", consistency], loss_weights=[0.7, 0.3])
    built.trained.optimizer.learning_rate = 0.001
    (inputs,), (targets,) = samples(case, 1)
    for x, y in zip(inputs[:, None], targets[:, None], strict=True):
        built.trained.fit(x, [y, y], verbose=0)
    expected = built.model.get_weights()
    for mine, theirs in zip(ours(case, begin), expected, strict=True):
        np.testing.assert_allclose(mine[0], theirs, **ROUNDING)
    assert not np.allclose(expected[0], begin[0][0], **ROUNDING)


def rate(training: schema.Training, update: int, total: int) -> float:
    warm = round(training.warmup * total)
    if update < warm:
        first = 0.0 if training.schedule == "cosine" else training.learning_rate / warm
        return first + (training.learning_rate - first) * update / warm
    if training.schedule == "constant":
        return training.learning_rate
    return training.learning_rate * (1 + np.cos(np.pi * (update - warm) / (total - warm))) / 2


def start(case: RunConfig, seeds) -> list[np.ndarray]:
    return initial_weights(lambda: network(case).model, seeds)


@pytest.mark.parametrize("name", CASES)
def test_it_reaches_the_weights_of_the_printed_procedure(name):
    case = CASES[name]
    begin = start(case, [5])
    expected = printed(case, begin)
    for mine, theirs in zip(ours(case, begin), expected, strict=True):
        np.testing.assert_allclose(mine[0], theirs, **ROUNDING)
    assert not np.allclose(expected[0], begin[0][0], **ROUNDING)


@pytest.mark.parametrize("name", ["memoryless", "recurrent", "cosine with warm-up and clip"])
def test_a_replica_alone_and_among_32_others_gets_the_same_weights(name):
    case = CASES[name]
    many = start(case, range(33))
    together = ours(case, many)
    alone = ours(case, [weight[:1] for weight in many])
    for mine, theirs in zip(together, alone, strict=True):
        np.testing.assert_allclose(mine[0], theirs[0], **ROUNDING)


def test_garbage_in_other_replicas_changes_nothing_and_is_reported():
    case = CASES["memoryless"]
    begin = start(case, range(3))
    clean = ours(case, begin)
    for weight in begin:
        weight[1] = np.nan
    inputs, targets = samples(case, 3)
    replicas = Replicas(network(case), begin)
    (progress,) = replicas.train(inputs, targets, case.experiment.training, stops=[60])
    assert progress.failed.tolist() == [False, True, False]
    assert np.isfinite(progress.loss).tolist() == [True, False, True]
    for weight, expected in zip(replicas.weights, clean, strict=True):
        np.testing.assert_allclose(weight[[0, 2]], expected[[0, 2]], **ROUNDING)


def test_a_replica_whose_last_update_loses_it_has_failed():
    """Its losses are all finite: they were taken before."""
    document = SHAPES["experiment"]["training"] | {"optimizer": "sgd", "loss": "mse"}
    case = config(SHAPES, training=document)
    begin, (inputs, targets) = start(case, range(2)), samples(case, 2)
    targets[1] *= 1e19  # its gradient is one, its loss is not infinite, and its weights will be
    training = case.experiment.training.model_copy(update={"learning_rate": 1e38})
    replicas = Replicas(network(case), begin)
    progress = next(replicas.train(inputs, targets, training, stops=[1]))
    assert np.isfinite(progress.loss).all()
    sound = [
        all(np.isfinite(weight[replica]).all() for weight in replicas.weights)
        for replica in range(2)
    ]
    assert progress.failed.tolist() == [not fine for fine in sound]
    assert progress.failed[1]


def test_weights_are_held_for_a_while_only():
    case = CASES["memoryless"]
    begin, others = start(case, [1]), start(case, [2])
    replicas = Replicas(network(case), begin)
    with pytest.raises(RuntimeError), replicas.temporary_weights(others):
        np.testing.assert_array_equal(replicas.weights[0], others[0])
        raise RuntimeError
    np.testing.assert_array_equal(replicas.weights[0], begin[0])


def test_stopping_to_look_changes_nothing():
    case = CASES["echo, state carried over a sequence"]
    begin = start(case, [5, 6])
    for once, often in zip(
        ours(case, begin), ours(case, begin, stops=[1, 2, 7, 20, 40]), strict=True
    ):
        np.testing.assert_array_equal(once, often)


def test_the_reported_loss_is_the_mean_over_the_updates_since_the_last_report():
    case = CASES["memoryless"]
    begin, (inputs, targets) = start(case, [5]), samples(case, 1)
    training = case.experiment.training

    def losses(stops):
        replicas = Replicas(network(case), begin)
        return [p.loss[0] for p in replicas.train(inputs, targets, training, stops=stops)]

    one_by_one = losses(list(range(1, 11)))
    assert losses([4, 10]) == pytest.approx([np.mean(one_by_one[:4]), np.mean(one_by_one[4:])])


@pytest.mark.parametrize("stops", [[], [0, 1], [2, 1], [1, 1], [61]])
def test_stops_that_make_no_sense_are_refused(stops):
    case = CASES["memoryless"]
    inputs, targets = samples(case, 1)
    with pytest.raises((ValueError, IndexError)):
        next(
            Replicas(network(case), start(case, [1])).train(
                inputs, targets, case.experiment.training, stops=stops
            )
        )


@pytest.mark.parametrize(
    "name",
    [
        "recurrent",
        "echo, state carried over a sequence",
        "missing integers, masked",
        "teacher forcing",
        "attending decoder, lengths that vary",
        "generator of tokens",
    ],
)
def test_loops_do_what_plain_steps_do(name):
    vectorized = CASES[name]
    training = vectorized.experiment.training.model_copy(update={"vectorized": False})
    looped = vectorized._replace(
        experiment=vectorized.experiment.model_copy(update={"training": training})
    )
    begin = start(vectorized, [5, 6])
    trained = ours(vectorized, begin)
    for mine, theirs in zip(ours(looped, begin), trained, strict=True):
        np.testing.assert_allclose(mine, theirs, **ROUNDING)
    inputs, targets = samples(vectorized, 2)
    predict_options = training.predict_options(
        Problem(vectorized.experiment.problem).data.samples_per_sequence(looped)
    )
    read, expected = (
        Replicas(network(case), trained).predict(inputs, targets, **predict_options)
        for case in (looped, vectorized)
    )
    for key, values in expected.items():
        np.testing.assert_allclose(read[key], values, **ROUNDING)


def test_predictions_do_not_depend_on_the_batch_size():
    case = CASES["recurrent"]
    inputs, targets = samples(case, 1)
    replicas = Replicas(network(case), start(case, [1, 2]))
    whole = replicas.predict(inputs, targets)["vertices"]
    parts = replicas.predict(inputs, targets, batch_size=7)["vertices"]
    assert whole.shape == (2, 60, 3, 2)
    np.testing.assert_allclose(parts, whole, **ROUNDING)


@pytest.mark.parametrize("batch_size", [60, 7])
def test_a_program_runs_with_the_weights_of_each_replica(batch_size):
    case = CASES["recurrent"]
    inputs, targets = samples(case, 1)
    replicas = Replicas(network(case), start(case, [1, 2]))

    def twice(vertices, scale):
        predicted = replicas.network.model(vertices)
        return {"twice": replicas.network.model(predicted) * scale[:, None, None]}

    scale = np.stack([np.full(60, 2.0), np.arange(60)]).astype("float32")
    found = replicas.run(twice, inputs, scale, batch_size=batch_size)["twice"]
    once = replicas.predict(inputs, targets)["vertices"]
    expected = replicas.predict(once, targets)["vertices"] * scale[..., None, None]
    np.testing.assert_allclose(found, expected, **ROUNDING)


def test_predictions_are_those_of_keras():
    case = CASES["echo, state carried over a sequence"]
    inputs, targets = samples(case, 1)
    begin = start(case, [1])
    built = network(case)
    readout = Replicas(built, begin).predict(inputs, targets, batch_size=4, reset_every=2)
    built.model.set_weights([weight[0] for weight in begin])
    x, _ = built.encode(inputs[0], targets[0])
    expected = []
    for batch in range(len(x) // 4):
        if batch % 2 == 0:
            built.model.get_layer("lstm").reset_states()
        expected.append(np.asarray(built.model(x[4 * batch : 4 * batch + 4])))
    expected = np.concatenate(expected).argmax(axis=-1)
    np.testing.assert_array_equal(readout["integers"][0], expected)
