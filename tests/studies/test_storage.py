"""Where finished trials are kept: who may write there, and who only looks."""

import pytest
from plans import plan, result

from pipeline.studies import storage
from pipeline.utils.errors import InputError


def test_one_process_at_a_time_runs_a_study(tmp_path):
    journal = str(tmp_path / "journal.log")
    with storage.opened(plan("sizes"), journal):
        with pytest.raises(InputError, match="study sizes is being run by another process"):
            storage.opened(plan("sizes"), journal).__enter__()
        with storage.opened(plan("sizes", space={"model.cells": [7]}), journal) as other:
            assert other.finished() == {}  # of other parameters it is another study
    with storage.opened(plan("sizes"), journal) as store:
        assert store.finished() == {}


def test_who_only_looks_writes_nothing(tmp_path):
    mine, journal = plan("sizes"), tmp_path / "journal.log"
    with storage.opened(mine, str(journal)) as store:
        metrics = {"mae_regret": 0.5, "consistency_error": 0.25}
        store.add(mine.ended(0, mine.ask(0, []), result(metrics)))
    before = journal.read_bytes()
    assert list(storage.peek(mine, str(journal))) == [0]
    assert storage.peek(plan("sizes", seed=3), str(journal)) == {}
    assert journal.read_bytes() == before


def test_a_confirmation_of_other_replicas_is_trained_anew(tmp_path):
    journal = str(tmp_path / "journal.log")
    with storage.opened(plan("search", confirm=1), journal) as store:
        store.confirm("tuned", result({"token_accuracy": 0.5}))
        assert set(store.confirmations()) == {"tuned"}
    with storage.opened(plan("search", confirm=2), journal) as store:
        assert store.confirmations() == {}
