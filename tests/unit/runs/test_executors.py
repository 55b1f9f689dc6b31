"""Jobs in processes: results, messages, errors, and no process left behind."""

import os
import signal
import subprocess
import sys

import jobs
import psutil
import pytest
from small import ROOT
from studying import PATIENCE, wait_until

from pipeline.runs import executors
from pipeline.utils.errors import TrainingError


def run(function, *arguments, on_message=None) -> dict:
    numbered = {number: (argument,) for number, argument in enumerate(arguments)}
    with executors.open_executor(workers=2) as executor:
        return dict(executor.run(function, numbered, on_message))


def test_jobs_run_in_processes_and_send_messages():
    messages = {}
    results = run(
        jobs.square_with_message,
        *(2, 3, 4),
        on_message=lambda job, message: messages.update({job: message}),
    )
    assert [results[job][0] for job in range(3)] == [4, 9, 16]
    assert os.getpid() not in {process for _, process in results.values()}
    assert messages == {0: "squaring 2", 1: "squaring 3", 2: "squaring 4"}


def test_a_process_is_replaced_after_some_jobs(monkeypatch):
    monkeypatch.setattr(executors, "JOBS_PER_PROCESS", 1)
    results = run(jobs.square, 2, 3, 4)
    assert len({process for _, process in results.values()}) == 3


def test_a_single_job_runs_in_this_process():
    assert list(executors.run_here(jobs.square, [(5,)])) == [(0, (25, os.getpid()))]


def test_an_exception_of_a_job_ends_the_others():
    with pytest.raises(ValueError, match="job 1 fails"):
        run(jobs.fail, 0, 1)
    children = [" ".join(process.cmdline()) for process in psutil.Process().children()]
    assert not [command for command in children if "spawn_main" in command]


def test_a_killed_worker_raises_training_error():
    with pytest.raises(TrainingError, match="a worker process was killed"):
        run(jobs.kill_worker, 0, 1)


def test_cores_are_all_cores_without_sched_getaffinity(monkeypatch):
    assert 1 <= executors.cores() <= os.cpu_count()
    monkeypatch.delattr(os, "sched_getaffinity")
    assert executors.cores() == os.cpu_count()


def test_workers_do_not_outlive_their_parent(tmp_path):
    program = (
        "import sys, pathlib, jobs\n"
        "from pipeline.runs import executors\n"
        "if __name__ == '__main__':\n"
        "    paths = [(pathlib.Path(path),) for path in sys.argv[1:]]\n"
        "    list(executors.run_here(jobs.sleep, paths))\n"
    )
    script = tmp_path / "script.py"
    script.write_text(program)
    paths = [tmp_path / "one", tmp_path / "two"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests/support'}"}
    parent = subprocess.Popen([sys.executable, script, *paths], env=environment)
    wait_until(lambda: all(path.exists() and path.read_text() for path in paths))
    workers = [psutil.Process(int(path.read_text())) for path in paths]
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    gone, alive = psutil.wait_procs(workers, timeout=PATIENCE)
    assert not alive
    assert len(gone) == 2
