"""Studies as their users run them: real processes, killed at any moment, resumed, compared."""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from small import Laboratory
from studying import PATIENCE, exported, in_journal, kill, start, trials_in, wait_until

pytestmark = pytest.mark.slow

KILLS = 10


@pytest.mark.parametrize("study", ["sizes", "search"])
def test_one_worker_leaves_the_same_bytes_as_two(laboratory, defer_interrupt, study):
    laboratory.run("python", "-m", "pipeline", "study", study, "--workers", "1")
    assert exported(laboratory, study) == defer_interrupt[study]
    assert sorted(trials_in(laboratory)) == list(range(6))


def test_a_study_that_is_killed_at_any_moment_goes_on_and_leaves_the_same_bytes(
    laboratory, defer_interrupt
):
    """kill -9 at random moments, ten times; each start finishes what is missing and no more."""
    rng, kept, seconds = random.Random(6), 0, 8.0
    for _ in range(KILLS):
        process = start(laboratory, "search", "--workers", "1")
        time.sleep(rng.uniform(0.5, seconds))
        kill(process)
        journal = laboratory.root / ".studies/journal.log"
        written = trials_in(laboratory) if journal.exists() else []
        assert len(set(written)) == len(written) >= kept  # none twice, none lost
        kept = len(written)
        seconds = 14.0  # now and then far enough for a trial to end
    laboratory.run("python", "-m", "pipeline", "study", "search")
    assert exported(laboratory, "search") == defer_interrupt["search"]
    assert sorted(trials_in(laboratory)) == list(range(6))


def test_a_line_that_was_cut_off_costs_its_trial_and_nothing_else(laboratory, defer_interrupt):
    alone = ("python", "-m", "pipeline", "study", "sizes", "--workers", "1")
    laboratory.run(*alone, "--trials", "3")
    journal = laboratory.root / ".studies/journal.log"
    journal.write_bytes(journal.read_bytes()[:-100])
    laboratory.run(*alone)
    assert exported(laboratory, "sizes") == defer_interrupt["sizes"]
    for damaged in (b"{}\n", b"nothing\n", b"\xff\x00\n{}\n"):
        content = journal.read_bytes()
        journal.write_bytes(content[:200] + damaged + content[200:])
        done = laboratory.run("python", "-m", "pipeline", "study", "sizes", check=False)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert "--storage .studies/journal.log: damaged" in done.stderr
        journal.write_bytes(content)


def test_ctrl_c_ends_cleanly_and_what_was_finished_stays(laboratory):
    process = start(laboratory, "sizes", "--workers", "1")
    wait_until(lambda: in_journal(laboratory) > 0)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "trials are kept. Go on with: pipeline study sizes" in said
    assert trials_in(laboratory)
    assert not (laboratory.root / "reports/studies").exists() or not list(
        (laboratory.root / "reports/studies").iterdir()
    )


def test_changed_parameters_or_code_start_a_new_study(laboratory):
    def studies() -> set[str]:
        text = (laboratory.root / ".studies/journal.log").read_text()
        return {word for word in text.split('"') if word.startswith("sizes-")}

    small = ("python", "-m", "pipeline", "study", "sizes", "--workers", "1", "--trials", "1")
    laboratory.run(*small)
    assert len(studies()) == 1
    laboratory.change("How many cells?", "How many cells are enough?")
    laboratory.change("figures: [curves, learning, pictures, pareto]", "figures: [curves]")
    laboratory.run(*small)
    assert len(studies()) == 1
    laboratory.change("replicas: 2, sequences: 12", "replicas: 2, sequences: 24")
    laboratory.run(*small)
    assert len(studies()) == 2
    module = laboratory.root / "pipeline/problems/shapes/models/__init__.py"
    module.write_text(module.read_text() + "\n# changed\n")
    laboratory.run(*small)
    assert len(studies()) == 3


def test_a_diverging_trial_is_recorded_and_stops_nothing(laboratory):
    document = YAML(typ="safe").load(laboratory.params.read_text())
    sizes = document["studies"]["sizes"]
    sizes["change"]["training"] |= {"optimizer": "sgd", "loss": "mse"}
    sizes["space"] = {"training.learning_rate": [0.01, 1.0e38]}
    sizes["figures"] = ["curves"]
    del sizes["variants"]
    with laboratory.params.open("w") as file:
        YAML(typ="safe").dump(document, file)
    laboratory.run("python", "-m", "pipeline", "study", "sizes", "--workers", "1")
    rows = (laboratory.root / "reports/studies/sizes/trials.csv").read_text().splitlines()
    assert [row.split(",")[1] for row in rows[1:]] == ["complete", "failed"]


def test_trials_that_came_from_dvc_are_not_made_again(laboratory, defer_interrupt):
    laboratory.run("python", "-m", "pipeline", "study", "sizes", "--workers", "1")
    (laboratory.root / ".studies/journal.log").unlink()
    program = """
from contextlib import contextmanager
from pipeline.cli import app
from pipeline.studies import pools
class Nobody:
    def run(self, jobs):
        raise AssertionError(f"trials are made again: {list(jobs)}")
@contextmanager
def opened(count, address):
    yield Nobody()
pools.opened = opened
app(["study", "sizes"])
"""
    laboratory.run("python", "-W", "ignore", "-c", program)
    assert exported(laboratory, "sizes") == defer_interrupt["sizes"]


def test_trials_that_mlflow_does_not_have_are_added_from_the_storage(laboratory):
    dead = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    command = ("python", "-m", "pipeline", "study", "sizes", "--workers", "1", "--trials", "2")
    done = laboratory.run(*command, env=dead)
    assert done.stderr.count("MLflow at http://127.0.0.1:9 fails") == 1
    (laboratory.root / "data/studies/sizes.npz").unlink()  # as if it had been killed
    track = ("python", "-m", "pipeline", "track")
    assert "sizes: added 2 trials" in laboratory.run(*track).stdout
    assert "sizes: complete" in laboratory.run(*track).stdout
    query = "select value from tags where key = 'laboratory.trial' order by value"
    assert laboratory.rows(query) == [("0",), ("1",)]


def test_two_at_once_are_one_too_many(laboratory):
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


def refused(laboratory: Laboratory, *words: str) -> str:
    done = laboratory.run("python", "-m", "pipeline", "study", *words, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.removeprefix("error: ").strip()


def test_refusals(laboratory):
    assert refused(laboratory, "size") == (
        "unknown study 'size' (did you mean 'sizes'?); known: search, sizes"
    )
    address = "postgresql://student:secret@127.0.0.1:9/none"
    said = refused(laboratory, "sizes", "--storage", address)
    assert said.startswith("--storage postgresql://…@127.0.0.1:9/none: cannot be reached (")
    assert "secret" not in said
    said = refused(laboratory, "sizes", "--storage", "nonsense://here")
    assert said.startswith("--storage nonsense://here: cannot be used (")
    said = refused(laboratory, "sizes", "--dask", "tcp://127.0.0.1:9")
    assert said.startswith("--dask tcp://127.0.0.1:9: cannot be reached (")
    said = refused(laboratory, "sizes", "--dask", "nowhere")
    assert said == "--dask: must be an address such as tcp://host:8786, got 'nowhere'"
    for folder in (".studies", "reports"):
        shutil.rmtree(laboratory.root / folder)
    Path(laboratory.root / ".studies").write_text("no folder")
    assert "--storage .studies/journal.log: cannot be written (" in refused(laboratory, "sizes")
    (laboratory.root / ".studies").unlink()
    shutil.rmtree(laboratory.root / "reports")
    Path(laboratory.root / "reports").write_text("no folder")
    assert "reports/studies: cannot be written (" in refused(laboratory, "sizes")
