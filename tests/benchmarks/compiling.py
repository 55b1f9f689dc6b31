"""Compiles an experiment's networks: `python -m benchmarks.compiling EXPERIMENT ANSWER CORE`.

Each is trained for two updates and asked twice, as the stage `train` does it: what the first takes
longer than the second is tracing and compiling. TensorFlow's log names each program that XLA
compiles; one of each name, `advance` and `asked`, is what there should be.
"""

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

LOGGED = re.compile(r"Compiled \S*?inference_(\S+?)_\d+ \d+ times, compile time: (\d+) us")


def main(experiment: str, core: int) -> list[dict]:
    """A row for each network."""
    os.sched_setaffinity(0, {core})
    from pipeline.params.load import load_params
    from pipeline.utils import paths

    configs = load_params(paths.params()).configs(experiment)
    rows = []
    for config in configs:
        with tempfile.TemporaryFile() as log:
            before = os.dup(2)
            os.dup2(log.fileno(), 2)
            try:
                row = _compiled(config)
            finally:
                os.dup2(before, 2)
                os.close(before)
            log.seek(0)
            compiled = LOGGED.findall(log.read().decode(errors="replace"))
        row |= {
            "programs": len(compiled),
            "distinct": len({name for name, _ in compiled}),
            "xla_s": sum(int(microseconds) for _, microseconds in compiled) / 1e6,
        }
        rows.append({"network": config.name, **row})
    return rows


def _compiled(config) -> dict:
    """Seconds until a network's first weights, its first update and its first answers are there."""
    import numpy as np

    from benchmarks.tasks import changed
    from pipeline.engine.optimizers import initial_weights
    from pipeline.engine.replicas import Replicas
    from pipeline.problems.base import Problem
    from pipeline.schema.experiment import ALL
    from pipeline.stages.train import packs

    problem, training = Problem(config.experiment.problem), config.experiment.training
    lanes = len(packs(training)[0])
    sequences = training.sequences
    if training.batch_size != ALL:
        needed = -(-2 * training.batch_size // problem.data.samples_per_sequence(config))
        sequences = min(sequences, max(needed, config.dataset.validation))
    small = {"training": {"replicas": lanes, "sequences": sequences, "checkpoints": []}}
    config = changed(config, small, replicas=lanes, train=sequences)
    arrays = problem.data.generate(config.dataset)
    training, per_sequence = config.experiment.training, problem.data.samples_per_sequence(config)

    clock = [time.perf_counter()]
    network = problem.model.build(config)
    weights = initial_weights(lambda: problem.model.build(config).model, [1] * lanes)
    replicas = Replicas(network, weights)
    inputs, targets = problem.data.make_examples(arrays["train"], config)
    clock.append(time.perf_counter())
    trained = replicas.train(
        inputs, targets, training, stops=[1, 2], reset_every=training.reset_every(per_sequence)
    )
    for _ in trained:
        clock.append(time.perf_counter())
    some = arrays["train"][:, : len(arrays["validation"])]
    for look in (arrays["validation"][None], some):
        replicas.predict(
            *problem.data.make_examples(look, config), **training.predict_options(per_sequence)
        )
        clock.append(time.perf_counter())
    build, first, second, ask_first, ask_second = np.diff(clock)
    return {
        "build_s": build,
        "train_s": max(0.0, first - second),
        "ask_s": max(0.0, ask_first - ask_second),
    }


if __name__ == "__main__":
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_CPP_VMODULE": "device_compilation_profiler=1"}
    Path(sys.argv[2]).write_text(json.dumps(main(sys.argv[1], int(sys.argv[3]))))
