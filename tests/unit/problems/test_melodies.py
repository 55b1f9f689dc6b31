"""Melodies: the problem keeps the contract, and its grammar adds up."""

import itertools

import mido
import numpy as np
import pytest
from contract import ProblemContract
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.problems.load import read_config
from pipeline.problems.melodies import commands, metrics
from pipeline.problems.melodies.data import grammar
from pipeline.runs import checkpoint

COUNTS = {"seed": 1, "replicas": 2}


class TestMelodies(ProblemContract):
    """Runs the tests that every problem must pass."""

    config = read_config(
        {
            "name": "melodies",
            "dataset": {"problem": "melodies", "train": 8, "validation": 4, "test": 6, **COUNTS}
            | {"length": 5},
            "experiment": {
                "problem": "melodies",
                "dataset": "melodies",
                "model": {"cells": 3},
                "training": {"sequences": 8, "batch_size": 2, "learning_rate": 0.01, **COUNTS}
                | {"loss": "categorical_crossentropy"},
            },
        }
    )


@pytest.fixture(scope="module")
def melodies() -> np.ndarray:
    """All sequences of three notes."""
    return np.array([*itertools.product(range(grammar.NOTES), repeat=3)], np.uint8)


def test_the_command_plays_different_melodies_that_depend_on_the_seed(tmp_path, monkeypatch):
    config, replicas = TestMelodies.config, TestMelodies.replicas()
    trained = checkpoint.Checkpoint(config, [], {}, {}, np.zeros(2, bool))
    monkeypatch.setattr(checkpoint, "load_for_problem", lambda *_: trained)
    monkeypatch.setattr(checkpoint, "load_replica", lambda *_: replicas)

    def play(*options: str) -> bytes:
        done = CliRunner().invoke(app, ["play", "a", "--out", str(tmp_path / "a.mid"), *options])
        assert done.exit_code == 0, done.output
        return (tmp_path / "a.mid").read_bytes()

    assert play() == play("--seed", "0") != play("--seed", "1")
    assert len(mido.MidiFile(tmp_path / "a.mid").tracks[0]) == 2 * config.dataset.length + 1


def test_the_probabilities_of_all_melodies_add_up_to_one(melodies):
    by_key, of_durations = grammar.log_probabilities(melodies)
    total = np.exp(by_key + of_durations[:, None]).sum(axis=0)
    np.testing.assert_allclose(total, 1, rtol=1e-12)


def test_the_floor_is_the_entropy_of_the_grammar(melodies):
    by_key, of_durations = grammar.log_probabilities(melodies)
    p = np.exp(by_key).mean(axis=1) * np.exp(of_durations)
    entropy = -(p[p > 0] * np.log2(p[p > 0])).sum() / 3
    sample = grammar.generate(200_000, 3, np.random.default_rng(1))
    assert grammar.floor(sample) == pytest.approx(entropy, rel=0.01)


def test_melodies_of_the_grammar_start_and_end_on_the_tonic_of_their_key():
    by_key, _ = grammar.log_probabilities(grammar.generate(100, 16, np.random.default_rng(2)))
    assert np.isfinite(by_key).any(axis=1).all()


def test_few_notes_but_the_first_and_the_last_are_the_tonic():
    held_out = grammar.generate(1000, 16, np.random.default_rng(2))
    (_, before) = metrics.references(TestMelodies.config, held_out)["ends_on_tonic"].values()
    assert 0.1 < before < 0.3


def test_a_midi_file_has_the_notes_of_a_melody(tmp_path):
    melody = grammar.generate(1, 8, np.random.default_rng(3))
    commands._save_midi(melody, tmp_path / "tune.mid")
    played = [message for message in mido.MidiFile(tmp_path / "tune.mid") if "note" in message.type]
    pitch, duration = np.divmod(melody[0].astype(int), len(grammar.DURATIONS))
    assert [m.note for m in played[::2]] == (pitch + grammar.LOWEST).tolist()
    beats = np.array(grammar.DURATIONS)[duration]
    assert sum(m.time for m in played) == pytest.approx(beats.sum() / 2)  # 120 beats per minute
