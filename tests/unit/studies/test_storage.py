"""Files of finished trials, and their copies in Optuna's storage."""

import json
import random
from pathlib import Path

import damage
import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from plans import make_result, make_trials, small_plan

from pipeline.studies import storage
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.utils.errors import InputError

JOURNAL = Path(".studies/journal.log")


@pytest.fixture(autouse=True)
def repository(in_folder) -> None:
    in_folder("")


@pytest.fixture
def plan() -> StudyPlan:
    return small_plan("search")


@pytest.fixture
def trials(plan) -> list[Trial]:
    results = [
        make_result({"token_accuracy": 0.5, "cross_entropy": 1.5}, curve=[2.0, 1.5]),
        make_result({}, pruned=True, curve=[8.0]),
        make_result({}, diverged=[True]),
    ]
    return make_trials(plan, [result._replace(seconds=3.0) for result in results])


def write(plan: StudyPlan, trials: list[Trial], address: str | None = None) -> None:
    with storage.open_store(plan, address) as store:
        for trial in trials:
            store.add(trial)


def path_of(plan: StudyPlan, name: str) -> Path:
    return Path(".studies", plan.unique_name, f"{name}.npz")


def mirror(plan: StudyPlan, journal: Path = JOURNAL) -> list[optuna.trial.FrozenTrial]:
    """The study's trials as any user of Optuna loads them."""
    backend = JournalStorage(JournalFileBackend(str(journal)))
    return optuna.load_study(study_name=plan.unique_name, storage=backend).trials


def test_trials_are_read_back_from_their_files(plan, trials):
    write(plan, trials)
    expected = {trial.number: trial for trial in trials}
    np.testing.assert_equal(storage.read_trials(plan), expected)
    with storage.open_store(plan) as store:
        np.testing.assert_equal(store.finished(), expected)
    assert storage.read_trials(small_plan("search", seed=3)) == {}


def test_a_damaged_file_costs_its_own_trial_only(plan, trials, capsys):
    write(plan, trials)
    path = path_of(plan, "0001")
    content = path.read_bytes()
    other = path_of(plan, "0002").read_bytes()
    for damaged in (content[:-100], content[:300] + b"?" + content[301:], other, b""):
        path.write_bytes(damaged)
        capsys.readouterr()
        with storage.open_store(plan) as store:
            assert set(store.finished()) == {0, 2}
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"warning: {path}: corrupt or not ours (")
        assert line.endswith("; ignored: the training is repeated when the study runs")
    with storage.open_store(plan) as store:
        store.add(trials[1])
        assert set(store.finished()) == {0, 1, 2}


def test_a_randomly_damaged_file_never_gives_another_result(plan, trials):
    write(plan, trials)
    path, rng = path_of(plan, "0000"), random.Random(1)
    content = path.read_bytes()
    for _ in range(40):
        path.write_bytes(damage.any_of(rng)(content, rng))
        read = storage.read_trials(plan)
        if 0 in read:
            np.testing.assert_equal(read[0], trials[0])


def test_optuna_loads_what_was_measured_and_nothing_private(plan, trials):
    write(plan, trials)
    complete, pruned, failed = mirror(plan)
    assert [trial.state.name for trial in (complete, pruned, failed)] == [
        "COMPLETE",
        "PRUNED",
        "FAIL",
    ]
    assert complete.values == [0.5]
    assert complete.params == trials[0].point
    assert complete.intermediate_values == {0: 2.0}
    assert complete.user_attrs == {
        "replicas diverged": 0,
        "cross_entropy": 1.5,
    }
    assert failed.user_attrs == {"replicas diverged": 1}
    for trial in (complete, pruned, failed):
        assert trial.system_attrs == {}
        assert trial.duration.total_seconds() == pytest.approx(3.0, abs=1e-3)
    write(plan, [])
    assert len(mirror(plan)) == 3  # no trial is added twice


def test_a_new_mirror_receives_the_trials_that_it_lacks(plan, trials):
    write(plan, trials[:2])
    write(plan, trials[2:], "elsewhere.log")
    for journal in (Path("elsewhere.log"), JOURNAL):
        assert [trial.params for trial in mirror(plan, journal)] == [t.point for t in trials]
        write(plan, [])


def states(plan: StudyPlan) -> list[str]:
    return [trial.state.name for trial in mirror(plan)]


def test_optuna_shows_which_trials_wait_and_run(plan, trials):
    """It has our numbers, also if trials end in another order or their process is killed."""
    points = {trial.number: trial.point for trial in trials}
    with storage.open_store(plan) as store:
        store.enqueue(points)
        store.start(2)
        store.start(1)
        store.add(trials[2])
        assert states(plan) == ["WAITING", "RUNNING", "FAIL"]
        killed = JOURNAL.read_bytes()
    assert states(plan) == ["WAITING", "WAITING", "FAIL"]
    JOURNAL.write_bytes(killed)
    with storage.open_store(plan) as store:
        assert states(plan) == ["WAITING", "WAITING", "FAIL"]
        store.enqueue({number: points[number] for number in (0, 1)})
        store.start(0)
        store.add(trials[0])
    complete, waiting, failed = mirror(plan)
    assert complete.datetime_start < complete.datetime_complete
    assert (complete.values, complete.intermediate_values) == ([0.5], {0: 2.0})
    assert [trial.params for trial in (complete, waiting, failed)] == list(points.values())
    JOURNAL.unlink()  # a new mirror has no number for trial 2 before that of trial 1 is known
    with storage.open_store(plan) as store:
        assert states(plan) == ["COMPLETE"]
        store.enqueue({1: points[1]})
        assert states(plan) == ["COMPLETE", "WAITING", "FAIL"]


def test_trials_that_the_mirror_lacks_are_finished_by_the_next_start(plan, trials):
    with storage.open_store(plan) as store:
        store.enqueue({trial.number: trial.point for trial in trials})
        store.start(0)
        killed = JOURNAL.read_bytes()
        store.add(trials[0])
    JOURNAL.write_bytes(killed)  # killed between the file and the mirror
    write(plan, [])
    assert states(plan) == ["COMPLETE", "WAITING", "WAITING"]


def test_attributes_of_the_study(plan):
    for question in ("How many?", "How many cells?"):
        with storage.open_store(plan, None, {"question": question}):
            pass
    backend = JournalStorage(JournalFileBackend(str(JOURNAL)))
    study = optuna.load_study(study_name=plan.unique_name, storage=backend)
    assert study.user_attrs == {"question": "How many cells?"}


DAMAGES = {
    "cut off": lambda content: content[:-50],
    "not JSON": lambda content: content[:200] + b"nothing\n" + content[200:],
    "not UTF-8": lambda content: b"\xff\x00\n" + content,
    "other JSON": lambda content: b"{}\n" + content,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_journal_is_renamed_and_written_anew(plan, trials, capsys, damage):
    write(plan, trials)
    expected = mirror(plan)
    damaged = damage(JOURNAL.read_bytes())
    JOURNAL.write_bytes(damaged)
    capsys.readouterr()
    with storage.open_store(plan) as store:
        assert set(store.finished()) == {0, 1, 2}
    assert mirror(plan) == expected
    assert JOURNAL.with_name("journal.log.damaged").read_bytes() == damaged
    assert capsys.readouterr().err == (
        "warning: .studies/journal.log was corrupt: renamed to journal.log.damaged, and written "
        "again from the files of this study\n"
    )


def test_a_file_that_is_not_a_journal_is_not_touched(plan):
    for content in ("datasets: {}", "datasets: {}\nexperiments: {}\n"):
        Path("params.yaml").write_text(content)
        with pytest.raises(InputError, match=r"^--storage params\.yaml: cannot be used \("):
            write(plan, [], "params.yaml")
        assert Path("params.yaml").read_text() == content


def test_a_mirror_that_fails_does_not_end_the_study(plan, trials, capsys):
    with storage.open_store(plan) as store:
        JOURNAL.unlink()
        JOURNAL.mkdir()
        for trial in trials:
            store.add(trial)
        assert set(store.finished()) == {0, 1, 2}
    assert capsys.readouterr().err.count("warning: Optuna's storage failed (Is a directory)") == 1
    assert set(storage.read_trials(plan)) == {0, 1, 2}
    JOURNAL.rmdir()
    write(plan, [])
    assert len(mirror(plan)) == 3


def test_one_process_at_a_time_runs_a_study(plan):
    with storage.open_store(plan):
        with pytest.raises(InputError, match="study search is being run by another process"):
            storage.open_store(plan).__enter__()
        with storage.open_store(small_plan("search", seed=3)) as other:
            assert other.finished() == {}
    with storage.open_store(plan) as store:
        assert store.finished() == {}


def test_reading_trials_writes_nothing(plan, trials):
    with storage.open_store(plan) as store:
        store.add(trials[0])
        files = {path: path.read_bytes() for path in Path(".studies").rglob("*") if path.is_file()}
        assert set(storage.read_trials(plan)) == {0}
        assert {p: p.read_bytes() for p in Path(".studies").rglob("*") if p.is_file()} == files


def test_a_journal_has_no_results(plan, trials):
    write(plan, trials)
    lines = [json.loads(line) for line in JOURNAL.read_text().splitlines()]
    assert max(len(json.dumps(line)) for line in lines) < 1500
