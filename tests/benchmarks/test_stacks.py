"""Stacks are told apart by the frames that say what a process does."""

import pytest

from benchmarks import stacks

DVC = 'process 1:"python dvc repro"'
STAGE = f'{DVC};process 2:"python -m pipeline train echo-full"'
WORKER = f'{STAGE};process 3:"python -c from spawn import spawn_main; spawn_main(fd=6)"'
MAIN = "thread (0x7F): MainThread"


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        (f"{DVC};{MAIN};main (dvc/cli.py);hash_file (dvc/hash.py)", ("dvc", "", stacks.DVC)),
        (f"{DVC};{MAIN};main (dvc/cli.py);_try_wait (/usr/lib/subprocess.py)", None),
        (
            f"{STAGE};{MAIN};<module> (pipeline/a.py);_find_and_load (importlib);x (keras/b.py)",
            ("train", "echo-full", stacks.IMPORTS),
        ),
        (f"{STAGE};{MAIN};run (pipeline/workers.py);wait (/usr/lib/threading.py)", None),
        (
            f"{WORKER};{MAIN};train (pipeline/training.py);quick_execute (tensorflow/execute.py)",
            ("train", "echo-full", stacks.TRAINING),
        ),
        (
            f"{STAGE};{MAIN};hear (pipeline/stages/train.py);log (pipeline/tracking/runs.py)",
            ("train", "echo-full", stacks.TRACKING),
        ),
        (f"{STAGE};thread (0x8F): Thread-1;wait (/usr/lib/threading.py)", None),
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
