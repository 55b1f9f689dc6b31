"""Draws rectangles in a process of its own: `python -m benchmarks.drawing KIND REPETITIONS CORE`.

The laboratory draws all shapes in one compiled program; the loop asks Keras' `predict` for every
coordinate of every shape and draws it in NumPy, from the same random numbers.
"""

import json
import os
import sys
import time

import numpy as np

SHAPES = 10_000
LOOPED = 3  # shapes of the loop's sample
SEED = 5


def main(kind: str, repetitions: int, core: int) -> list[dict]:
    """A row for each way of drawing."""
    os.sched_setaffinity(0, {core})
    from pipeline.engine.optimizers import initial_weights
    from pipeline.engine.replicas import Replicas
    from pipeline.params.load import load_params
    from pipeline.problems.shapes import model
    from pipeline.problems.shapes.model.drawing import Drawer
    from pipeline.utils import paths

    config = load_params(paths.params()).config(f"rectangle-generators/{kind}")
    network = model.build(config)
    # Drawing takes the same time whatever was learned.
    weights = initial_weights(lambda: model.build(config).model, [1])
    network.model.set_weights([weight[0] for weight in weights])
    replicas = Replicas(network, weights)
    drawer = Drawer(replicas, config)
    shape = config.dataset.shape

    def compiled() -> np.ndarray:
        return drawer(shape, SHAPES, SEED)[0]

    def looped() -> np.ndarray:
        return _loop(network, drawer, LOOPED)

    first, _ = _seconds(compiled)
    _seconds(looped)  # traces
    seconds = {"drawer": [], "predict": []}
    for _ in range(repetitions):
        took, drawn = _seconds(compiled)
        seconds["drawer"].append(took)
        took, by_loop = _seconds(looped)
        seconds["predict"].append(took)
    difference = float(np.abs(drawn[:LOOPED] - by_loop).max())
    return [
        _row("drawer", SHAPES, seconds["drawer"], "all", 0.0),
        _row("drawer-first", SHAPES, [first], "once, compilation included", 0.0),
        _row("predict", LOOPED, seconds["predict"], f"sample of {LOOPED} shapes", difference),
    ]


def _row(way: str, shapes: int, seconds: list[float], how: str, difference: float) -> dict:
    return {
        "way": way,
        "shapes": shapes,
        "repetitions": len(seconds),
        "median_s": float(np.median(seconds)),
        "min_s": min(seconds),
        "max_s": max(seconds),
        "how": how,
        "difference": difference,
    }


def _seconds(draw) -> tuple[float, np.ndarray]:
    started = time.perf_counter()
    drawn = draw()
    return time.perf_counter() - started, drawn


def _loop(network, drawer, count: int) -> np.ndarray:
    """Shapes (count, V, 2) of the first random numbers that `drawer` takes."""
    from pipeline.problems.shapes.data.grids import Grid
    from pipeline.utils import seeds

    config, steps = drawer.config, drawer.slots.steps
    bins, family = config.experiment.framing.bins, config.dataset.family
    uniform = seeds.generator(SEED, "draw", 0).random((SHAPES, steps, drawer.random), np.float32)
    drawn = np.zeros((count, steps))
    for shape in range(count):
        # The number of the family, then the coordinates so far; those to come may be anything.
        so_far = np.zeros((1, steps), np.float32)
        for step in range(steps):
            shown, _ = network.preprocess(so_far, None)
            outputs = network.model.predict(np.asarray(shown), verbose=0)[0, step]
            drawn[shape, step] = _drawn(outputs, uniform[shape, step], bins)
            if step + 1 < steps:
                so_far[0, step + 1] = drawn[shape, step]
    grid = Grid(family, bins)
    freely = grid.led_by(drawn) if bins is None else grid.centres(grid.along(drawn.astype(int)))
    return drawer.put_back(config.dataset.shape, freely)


def _drawn(outputs: np.ndarray, uniform: np.ndarray, bins: int | None) -> float:
    """A token, or a value of a component's logistic distribution."""
    if bins is not None:
        return _picked(outputs, uniform[0])
    logits, means, log_scales = np.split(outputs, 3)
    component = _picked(logits, uniform[0])
    u = np.clip(uniform[1], 1e-6, 1 - 1e-6)
    value = means[component] + np.exp(log_scales[component]) * np.log(u / (1 - u))
    return float(np.clip(value, 0, 1))


def _picked(logits: np.ndarray, uniform: float) -> int:
    """An index drawn from logits."""
    below = np.exp(logits - logits.max()).cumsum()
    return min(int((below <= uniform * below[-1]).sum()), len(logits) - 1)


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))), file=answers)
