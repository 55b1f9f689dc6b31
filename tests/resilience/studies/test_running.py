"""Studies as users run them: processes that are killed at any moment, resumed and compared."""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from small import TRIALS, Laboratory
from studying import PATIENCE, exported, kill, mirrored, start, trial_files, wait_until

KILLS = 5
SIZES = ("python", "-m", "pipeline", "study", "sizes", "--workers", "1")


@pytest.mark.parametrize("study", ["sizes", "search"])
def test_one_worker_exports_the_same_bytes_as_two(laboratory, uninterrupted, study):
    laboratory.run("python", "-m", "pipeline", "study", study, "--workers", "1")
    assert exported(laboratory, study) == uninterrupted[study]
    assert mirrored(laboratory)[study] == list(range(TRIALS[study]))


def test_a_study_that_is_killed_at_any_moment_resumes_and_exports_the_same_bytes(
    laboratory, uninterrupted
):
    """SIGKILL at random moments; no start loses a finished trial or runs it again."""
    rng, kept, seconds = random.Random(6), {}, 8.0
    for _ in range(KILLS):
        process = start(laboratory, "search", "--workers", "1")
        time.sleep(rng.uniform(0.5, seconds))
        kill(process)
        contents = {path: path.read_bytes() for path in trial_files(laboratory)}
        assert kept.items() <= contents.items()
        kept = contents
        seconds = 14.0  # now and then long enough for a trial to finish
    laboratory.run("python", "-m", "pipeline", "study", "search")
    assert exported(laboratory, "search") == uninterrupted["search"]
    assert mirrored(laboratory)["search"] == list(range(TRIALS["search"]))


def test_a_damaged_trial_is_run_again(laboratory, uninterrupted):
    laboratory.run(*SIZES, "--trials", "3")
    files = trial_files(laboratory)
    contents = {path: path.read_bytes() for path in files}
    files[1].write_bytes(contents[files[1]][:-100])
    done = laboratory.run(*SIZES)
    name = files[1].relative_to(laboratory.root)
    assert done.stderr.count(f"warning: {name}: corrupt or not ours (") == 1
    assert [files[n].read_bytes() == contents[files[n]] for n in (0, 2)] == [True, True]
    assert exported(laboratory, "sizes") == uninterrupted["sizes"]


def test_a_damaged_journal_is_replaced(laboratory, uninterrupted):
    laboratory.run(*SIZES, "--trials", "3")
    journal = laboratory.root / ".studies/journal.log"
    journal.write_bytes(journal.read_bytes()[:-100])
    done = laboratory.run(*SIZES)
    assert "renamed to journal.log.damaged" in done.stderr
    assert exported(laboratory, "sizes") == uninterrupted["sizes"]
    assert mirrored(laboratory)["sizes"] == list(range(TRIALS["sizes"]))


def test_ctrl_c_keeps_finished_trials(laboratory):
    process = start(laboratory, "sizes", "--workers", "1")
    wait_until(lambda: trial_files(laboratory))
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    count = len(trial_files(laboratory))
    expected = f"{count} of 4 trials are finished and kept; resume with: pipeline study sizes\n"
    assert expected in stderr
    results = laboratory.root / "reports/studies"
    assert not results.exists() or not list(results.iterdir())


def test_changed_parameters_or_code_start_a_new_study(laboratory):
    def studies() -> int:
        return len(list((laboratory.root / ".studies").glob("sizes-*")))

    laboratory.run(*SIZES, "--trials", "1")
    assert studies() == 1
    laboratory.change("figures: [curves, learning, pictures, pareto]", "figures: [curves]")
    laboratory.run(*SIZES, "--trials", "1")
    assert studies() == 1
    laboratory.change("replicas: 2, sequences: 12", "replicas: 2, sequences: 24")
    laboratory.run(*SIZES, "--trials", "1")
    assert studies() == 2
    module = laboratory.root / "pipeline/problems/shapes/model/__init__.py"
    module.write_text(module.read_text() + "\nCHANGED = True\n")
    laboratory.run(*SIZES, "--trials", "1", warm=False)
    assert studies() == 3


@pytest.mark.parametrize("rates", [[0.01, 1.0e38], [0.9e38, 1.0e38]], ids=["one", "all"])
def test_a_trial_that_diverges_is_recorded_and_does_not_end_the_study(laboratory, rates):
    """If all of them diverge, the study fails once it has written its results."""
    document = YAML(typ="safe").load(laboratory.params.read_text())
    sizes = document["studies"]["sizes"]
    sizes["overrides"]["training"] |= {"optimizer": "sgd", "loss": "mse"}
    sizes["space"] = {"training.learning_rate": rates}
    sizes["figures"] = ["curves"]
    del sizes["variants"]
    with laboratory.params.open("w") as file:
        YAML(typ="safe").dump(document, file)
    done = laboratory.run(*SIZES, check=False)
    rows = (laboratory.root / "reports/studies/sizes/trials.csv").read_text().splitlines()
    states = [row.split(",")[1] for row in rows[1:]]
    if rates[0] < 1:
        assert (done.returncode, states) == (0, ["complete", "failed"])
    else:
        assert (done.returncode, states) == (1, ["failed", "failed"])
        assert done.stderr.splitlines()[-1].startswith(
            "error: sizes: all replicas of all 2 trials diverged; try smaller choices of "
        )


def test_trials_from_the_dvc_cache_are_not_run_again(laboratory, uninterrupted):
    laboratory.run(*SIZES)
    shutil.rmtree(laboratory.root / ".studies")
    program = """
from contextlib import contextmanager
from pipeline.cli.app import app
from pipeline.runs import executors
class NoExecutor:
    def run(self, function, jobs, on_message=None):
        assert not jobs, f"trials are run again: {list(jobs)}"
        return ()
@contextmanager
def open_executor(workers, dask):
    yield NoExecutor()
executors.open_executor = open_executor
app(["study", "sizes"])
"""
    laboratory.run("python", "-W", "ignore", "-c", program)
    assert exported(laboratory, "sizes") == uninterrupted["sizes"]
    assert mirrored(laboratory)["sizes"] == list(range(TRIALS["sizes"]))


def test_sync_adds_the_trials_of_a_study_that_was_not_finished(laboratory):
    dead = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    done = laboratory.run(*SIZES, "--trials", "2", env=dead)
    assert done.stderr.count("MLflow at http://127.0.0.1:9 fails") == 1
    (laboratory.root / "data/studies/sizes.npz").unlink()  # as if it had been killed
    sync = ("python", "-m", "pipeline", "sync")
    assert "sizes: added 2 trials" in laboratory.run(*sync).stdout
    assert "sizes: complete" in laboratory.run(*sync).stdout
    query = "select value from tags where key = 'laboratory.trial' order by value"
    assert laboratory.rows(query) == [("0",), ("1",)]


def test_a_study_cannot_run_twice_at_once(laboratory):
    process = start(laboratory, "sizes", "--workers", "1")
    try:
        wait_until(lambda: (laboratory.root / ".studies/journal.log").exists())
        done = laboratory.run("python", "-m", "pipeline", "study", "sizes", check=False)
        assert (done.returncode, done.stderr) == (
            2,
            "error: study sizes is being run by another process\n",
        )
    finally:
        kill(process)


def error(laboratory: Laboratory, *arguments: str) -> str:
    done = laboratory.run("python", "-m", "pipeline", "study", *arguments, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.removeprefix("error: ").strip()


def test_errors(laboratory):
    assert error(laboratory, "size") == (
        "unknown study 'size' (did you mean 'sizes'?); known: search, sizes"
    )
    assert error(laboratory, "sizes", "--trials", "5") == (
        "--trials: must be at most 4 for study sizes, got 5"
    )
    address = "postgresql://student:secret@127.0.0.1:9/none"
    message = error(laboratory, "sizes", "--storage", address)
    assert message.startswith("--storage postgresql://…@127.0.0.1:9/none: cannot be used (")
    assert "secret" not in message
    message = error(laboratory, "sizes", "--storage", "nonsense://here")
    assert message.startswith("--storage nonsense://here: cannot be used (")
    message = error(laboratory, "sizes", "--storage", "missing/journal.log")
    assert message == "--storage missing/journal.log: cannot be used (No such file or directory)"
    message = error(laboratory, "sizes", "--dask", "tcp://127.0.0.1:9")
    assert message.startswith("--dask tcp://127.0.0.1:9: cannot be reached (")
    message = error(laboratory, "sizes", "--dask", "nowhere")
    assert message == "--dask: must be an address such as tcp://host:8786, got 'nowhere'"
    shutil.rmtree(laboratory.root / ".studies")
    Path(laboratory.root / ".studies").write_text("not a folder")
    message = error(laboratory, "sizes")
    assert message.startswith(".studies/sizes-")
    assert ": cannot be written (" in message
    (laboratory.root / ".studies").unlink()
    shutil.rmtree(laboratory.root / "reports")
    Path(laboratory.root / "reports").write_text("not a folder")
    assert "reports/studies: cannot be written (" in error(laboratory, "sizes")
