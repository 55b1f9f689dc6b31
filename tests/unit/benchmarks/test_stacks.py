"""Stacks are told apart by the frames that say what a process does."""

import pytest

from benchmarks import stacks

DVC = 'process 1:"python dvc repro"'
STAGE = f'{DVC};process 2:"python -m pipeline train echo-full"'
WORKER = f'{STAGE};process 3:"python -c from spawn import spawn_main; spawn_main(fd=6)"'
MAIN = "thread (7): MainThread"


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
            f"{STAGE};{MAIN};run (/pipeline/utils/parallel.py:3);Event.wait (/lib/threading.py:5)",
            None,
        ),
        (
            f"{WORKER};{MAIN};Replicas.train (/pipeline/engine/replicas.py:8);execute (/e.py:2)",
            ("train", "echo-full", stacks.TRAINING),
        ),
        (
            f"{STAGE};{MAIN};hear (/pipeline/stages/train.py:1);log (/pipeline/tracking/runs.py:1)",
            ("train", "echo-full", stacks.TRACKING),
        ),
        (f"{STAGE};thread (8): Thread-1;Event.wait (/lib/threading.py:5)", None),
    ],
)
def test_a_stack_is_counted_where_its_frames_say(tmp_path, stack, expected):
    samples = tmp_path / "samples"
    samples.write_text(f"{stack} 20\n")
    found = stacks.classified(samples, rate=10)
    if expected is None:
        assert found.empty
    else:
        assert found.values.tolist() == [[*expected, 2.0]]
