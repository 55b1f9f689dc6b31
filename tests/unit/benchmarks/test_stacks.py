"""The activity of a stack follows from its frames."""

import pytest

from benchmarks import stacks

DVC = 'process 1:"python dvc repro"'
STAGE = f'{DVC};process 2:"python -m pipeline train echo-full"'
WORKER = f'{STAGE};process 3:"python -c from spawn import spawn_main; spawn_main(fd=6)"'
MAIN = "thread (7): MainThread"
FIT = "fit (/pipeline/runs/fit.py:1)"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        (f"{DVC};{MAIN};main (/dvc/cli.py:1);hash_file (/dvc/hash.py:9)", ("dvc", "", stacks.DVC)),
        (f"{DVC};{MAIN};main (/dvc/cli.py:1);Popen._try_wait (/lib/subprocess.py:7)", None),
        (
            f"{STAGE};{MAIN};<module> (/a.py:1);_find_and_load (<frozen>:1);f (/keras.py:2)",
            ("train", "echo-full", stacks.IMPORTS),
        ),
        (
            f"{STAGE};{MAIN};run (/pipeline/runs/executors.py:3);Event.wait (/lib/threading.py:5)",
            None,
        ),
        (
            f"{WORKER};{MAIN};{FIT};build (/pipeline/problems/echo/model/network.py:8);f (/k.py:2)",
            ("train", "echo-full", stacks.BUILDING),
        ),
        (
            f"{WORKER};{MAIN};{FIT};Replicas.train (/pipeline/engine/replicas.py:8);f (/e.py:2)",
            ("train", "echo-full", stacks.TRAINING),
        ),
        (
            f"{WORKER};{MAIN};{FIT};curve_metrics (/pipeline/problems/echo/metrics/e.py:8)",
            ("train", "echo-full", stacks.EVALUATION),
        ),
        (
            f"{WORKER};{MAIN};{FIT};make_examples (/pipeline/problems/echo/data/examples.py:8)",
            ("train", "echo-full", stacks.DATA),
        ),
        (
            f"{STAGE};{MAIN};on_message (/pipeline/stages/train.py:1);"
            "log (/pipeline/tracking/logger.py:1)",
            ("train", "echo-full", stacks.TRACKING),
        ),
        (f"{STAGE};thread (8): Thread-1;Event.wait (/lib/threading.py:5)", None),
    ],
)
def test_activity_of_a_stack(tmp_path, stack, expected):
    samples = tmp_path / "samples"
    samples.write_text(f"{stack} 20\n")
    table = stacks.classify(samples, rate=10)
    if expected is None:
        assert table.empty
    else:
        assert table.values.tolist() == [[*expected, 2.0]]
