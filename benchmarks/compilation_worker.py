"""Compile an experiment's networks: `python -m benchmarks.compilation_worker EXPERIMENT FILE CORE`.

It pins itself to CORE and writes FILE as JSON, one row per network:

network   its name
build_s   seconds to build the network and its initial weights
train_s   seconds to trace and compile the training program
ask_s     seconds to trace the prediction program, which computes the learning curves
programs  programs that XLA compiled
distinct  different names among them: as many as `programs` if none was compiled twice
xla_s     seconds that XLA took for them

A network is trained for two updates and predicts twice, as in the stage `train`. Tracing and
compiling is what the first time takes longer than the second.
"""

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

COMPILED = re.compile(r"Compiled \S*?inference_(\S+?)_\d+ \d+ times, compile time: (\d+) us")


def main(experiment: str, core: int) -> list[dict]:
    """Return a row for each network of the experiment."""
    os.sched_setaffinity(0, {core})  # before TensorFlow is loaded and counts the cores
    from pipeline.params.load import load_params
    from pipeline.utils import paths

    configs = load_params(paths.params()).configs(experiment)
    rows = []
    for config in configs:
        with tempfile.TemporaryFile() as log:
            stderr = os.dup(2)
            os.dup2(log.fileno(), 2)
            try:
                row = _compile(config)
            finally:
                os.dup2(stderr, 2)
                os.close(stderr)
            log.seek(0)
            compiled = COMPILED.findall(log.read().decode(errors="replace"))
        row |= {
            "programs": len(compiled),
            "distinct": len({name for name, _ in compiled}),
            "xla_s": sum(int(microseconds) for _, microseconds in compiled) / 1e6,
        }
        rows.append({"network": config.name, **row})
    return rows


def _compile(config) -> dict:
    """Build a network, train it for two updates and predict twice; return the seconds."""
    # Imports of TensorFlow, which must follow the pinning to a core.
    import numpy as np

    from benchmarks.tasks import changed
    from pipeline.engine import replicas as engine
    from pipeline.engine.initialization import initial_weights
    from pipeline.problems.load import Problem
    from pipeline.schema.experiment import ALL
    from pipeline.stages.train import split_replicas

    engine.MIN_COMPILED_UPDATES = 0  # two updates stand for many
    problem, training = Problem(config.experiment.problem), config.experiment.training
    replicas_per_process = len(split_replicas(training)[0])
    sequences = training.sequences
    if training.batch_size != ALL:  # two updates need few sequences
        needed = -(-2 * training.batch_size // problem.data.samples_per_sequence(config))
        sequences = min(sequences, max(needed, config.dataset.validation))
    sizes = {"replicas": replicas_per_process, "sequences": sequences, "checkpoints": []}
    config = changed(config, {"training": sizes}, replicas=replicas_per_process, train=sequences)
    arrays = problem.data.generate(config.dataset)
    training, per_sequence = config.experiment.training, problem.data.samples_per_sequence(config)

    clock = [time.perf_counter()]
    network = problem.model.build(config)
    weights = initial_weights(lambda: problem.model.build(config).model, [1] * replicas_per_process)
    replicas = engine.Replicas(network, weights)
    inputs, targets = problem.data.make_examples(arrays["train"], config)
    clock.append(time.perf_counter())
    for _ in replicas.train(
        inputs,
        targets,
        training,
        report_after=[1, 2],
        reset_every=training.reset_every(per_sequence),
    ):
        clock.append(time.perf_counter())
    # Validation and training sequences of the learning curves share one program.
    for sequences in (
        arrays["validation"][None],
        arrays["train"][:, : len(arrays["validation"])],
    ):
        replicas.predict(
            *problem.data.make_examples(sequences, config), **training.predict_options(per_sequence)
        )
        clock.append(time.perf_counter())
    build, train_first, train_second, predict_first, predict_second = np.diff(clock)
    return {
        "build_s": build,
        "train_s": max(0.0, train_first - train_second),
        "ask_s": max(0.0, predict_first - predict_second),
    }


if __name__ == "__main__":
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_CPP_VMODULE": "device_compilation_profiler=1"}
    Path(sys.argv[2]).write_text(json.dumps(main(sys.argv[1], int(sys.argv[3]))))
