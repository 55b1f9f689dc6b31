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
    from pipeline.core import project, reading

    setups = reading.read(project.params()).setups(experiment)
    rows = []
    for setup in setups:
        with tempfile.TemporaryFile() as log:
            before = os.dup(2)
            os.dup2(log.fileno(), 2)
            try:
                row = _compiled(setup)
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
        rows.append({"network": setup.name, **row})
    return rows


def _compiled(setup) -> dict:
    """Seconds until a network's first weights, its first update and its first answers are there."""
    import numpy as np

    from benchmarks.tasks import changed
    from pipeline.core.params import ALL
    from pipeline.core.rooms import Room
    from pipeline.stages.train import packs
    from pipeline.training.replicas import Replicas
    from pipeline.training.starting import initial_weights

    room, training = Room(setup.experiment.problem), setup.experiment.training
    lanes = len(packs(training)[0])
    sequences = training.sequences
    if training.batch_size != ALL:
        needed = -(-2 * training.batch_size // room.data.samples_per_sequence(setup))
        sequences = min(sequences, max(needed, setup.dataset.validation))
    small = {"training": {"replicas": lanes, "sequences": sequences, "snapshots": []}}
    setup = changed(setup, small, replicas=lanes, train=sequences)
    arrays = room.data.generate(setup.dataset)
    training, per_sequence = setup.experiment.training, room.data.samples_per_sequence(setup)

    clock = [time.perf_counter()]
    network = room.models.network(setup)
    weights = initial_weights(lambda: room.models.network(setup).model, [1] * lanes)
    replicas = Replicas(network, weights)
    inputs, targets = room.data.frame(arrays["train"], setup)
    clock.append(time.perf_counter())
    trained = replicas.train(
        inputs, targets, training, stops=[1, 2], carry=training.carry(per_sequence)
    )
    for _ in trained:
        clock.append(time.perf_counter())
    some = arrays["train"][:, : len(arrays["validation"])]
    for look in (arrays["validation"][None], some):
        replicas.predict(*room.data.frame(look, setup), **training.asking(per_sequence))
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
