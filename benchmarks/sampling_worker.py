"""Sample rectangles: `python -m benchmarks.sampling_worker KIND REPETITIONS CORE` prints JSON rows.

This project samples all shapes in one compiled program. The loop calls Keras' `predict` for every
coordinate of every shape and samples it in NumPy, from the same random numbers.
"""

import json
import os
import sys
import time

import numpy as np

SHAPES = 10_000
LOOP_SHAPES = 3  # that the loop samples; its time per shape does not depend on their number
SEED = 5


def main(kind: str, repetitions: int, core: int) -> list[dict]:
    """Return a row for each way of sampling."""
    os.sched_setaffinity(0, {core})  # before TensorFlow is loaded and counts the cores
    from pipeline.engine.initialization import initial_weights
    from pipeline.engine.replicas import Replicas
    from pipeline.params.load import load_params
    from pipeline.problems.shapes import model
    from pipeline.problems.shapes.model.drawing import ShapeSampler
    from pipeline.utils import paths

    config = load_params(paths.params()).config(f"rectangle-generators/{kind}")
    network = model.build(config)
    # Untrained weights will do: sampling takes the same time with any.
    weights = initial_weights(lambda: model.build(config).model, [1])
    network.model.set_weights([weight[0] for weight in weights])
    sampler = ShapeSampler(Replicas(network, weights), config)

    def sample_compiled() -> np.ndarray:
        return sampler.sample(config.dataset.shape, SHAPES, SEED)[0]

    def sample_in_loop() -> np.ndarray:
        return _sample_in_loop(network, sampler, LOOP_SHAPES)

    first, _ = _timed(sample_compiled)
    _timed(sample_in_loop)  # `predict` is traced in the first call
    seconds = {"drawer": [], "predict": []}
    for _ in range(repetitions):
        elapsed, shapes = _timed(sample_compiled)
        seconds["drawer"].append(elapsed)
        elapsed, loop_shapes = _timed(sample_in_loop)
        seconds["predict"].append(elapsed)
    difference = float(np.abs(shapes[:LOOP_SHAPES] - loop_shapes).max())
    sample = f"sample of {LOOP_SHAPES} shapes"
    return [
        _row("drawer", SHAPES, seconds["drawer"], "all", 0.0),
        _row("drawer-first", SHAPES, [first], "once, compilation included", 0.0),
        _row("predict", LOOP_SHAPES, seconds["predict"], sample, difference),
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


def _timed(sample) -> tuple[float, np.ndarray]:
    """Call a function; return the seconds and its result."""
    start = time.perf_counter()
    shapes = sample()
    return time.perf_counter() - start, shapes


def _sample_in_loop(network, sampler, count: int) -> np.ndarray:
    """Sample shapes (count, V, 2) from the first random numbers that `sampler` uses."""
    from pipeline.problems.shapes.data.grids import Grid
    from pipeline.utils import seeds

    config, steps = sampler.config, sampler.slots.steps
    bins, family = config.experiment.framing.bins, config.dataset.family
    size = (SHAPES, steps, sampler.uniforms_per_step)
    uniform = seeds.generator(SEED, "draw", 0).random(size, np.float32)
    sampled = np.zeros((count, steps))
    for shape in range(count):
        # The index of the family, then all steps but the last; those to come may have any value.
        inputs = np.zeros((1, steps), np.float32)
        for step in range(steps):
            encoded, _ = network.preprocess(inputs, None)
            outputs = network.model.predict(np.asarray(encoded), verbose=0)[0, step]
            sampled[shape, step] = _sample_step(outputs, uniform[shape, step], bins)
            if step + 1 < steps:
                inputs[0, step + 1] = sampled[shape, step]
    grid = Grid(family, bins)
    if bins is None:
        polygons = grid.from_steps(sampled)
    else:
        polygons = grid.from_bins(grid.from_tokens(sampled.astype(int)))
    return sampler.clip(config.dataset.shape, polygons)


def _sample_step(outputs: np.ndarray, uniform: np.ndarray, bins: int | None) -> float:
    """Sample a token from logits, or a step from a mixture of logistic distributions."""
    if bins is not None:
        return _pick(outputs, uniform[0])
    logits, means, log_scales = np.split(outputs, 3)
    component = _pick(logits, uniform[0])
    u = np.clip(uniform[1], 1e-6, 1 - 1e-6)
    value = means[component] + np.exp(log_scales[component]) * np.log(u / (1 - u))
    return float(np.clip(value, 0, 1))


def _pick(logits: np.ndarray, uniform: float) -> int:
    """Sample an index from logits."""
    cumulative = np.exp(logits - logits.max()).cumsum()
    return min(int((cumulative <= uniform * cumulative[-1]).sum()), len(logits) - 1)


if __name__ == "__main__":
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to stderr
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))), file=output)
