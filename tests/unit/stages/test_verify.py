"""`pipeline verify`, on tables of small repositories."""

import subprocess

import numpy as np
import pandas as pd
import pytest

from pipeline.stages import verify
from pipeline.utils.errors import InputError

REPLICAS = 8


def draw(seed: int, shift: float = 0.0, networks: int = 40) -> pd.DataFrame:
    """The metrics of many networks, in the format of reports/metrics/*.csv."""
    rng = np.random.default_rng(seed)
    rows = [
        {"network": f"made/{n}", "replica": r, "diverged": 0}
        | {"mae": 0.1 + 0.01 * rng.normal() + shift, "size": rng.normal(), "constant": 1.0}
        for n in range(networks)
        for r in range(REPLICAS)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A function that commits a table, and then replaces it by another one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").touch()
    place = tmp_path / "reports/metrics/made.csv"
    place.parent.mkdir(parents=True)

    def make(before: pd.DataFrame, now: pd.DataFrame) -> None:
        before.to_csv(place, index=False)
        user = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        for command in (("init", "-q"), ("add", "-A"), (*user, "commit", "-qm", "Results")):
            subprocess.run(["git", *command], check=True)
        now.to_csv(place, index=False)

    return make


def counts(printed: str) -> dict[str, int]:
    """The counts of the table's only row."""
    header, row, *_ = printed.splitlines()
    return dict(zip(header.split()[1:], map(int, row.split()[1:]), strict=True))


def test_equal_tables_are_the_same(repository, capsys):
    repository(draw(1), draw(1))
    assert verify.run("HEAD")
    assert counts(capsys.readouterr().out)["same"] == 3 * 40


def test_rounding_is_not_a_difference(repository, capsys):
    now = draw(1)
    now["mae"] *= 1 + 1e-7
    repository(draw(1), now)
    assert verify.run("HEAD")
    assert counts(capsys.readouterr().out)["rounding"] == 40


@pytest.mark.parametrize("seed", range(2, 6))
def test_other_samples_of_the_same_distribution_agree(repository, seed):
    repository(draw(1), draw(seed))
    assert verify.run("HEAD")


def test_other_means_do_not_agree(repository, capsys):
    repository(draw(1), draw(2, shift=0.05))
    assert not verify.run("HEAD")
    shown = capsys.readouterr()
    assert counts(shown.out)["outside"] >= 35
    assert "made, made/0: mae 0.1" in shown.err


def test_one_network_that_differs_fails_if_it_is_the_only_one(repository):
    now = draw(1)
    now.loc[now["network"] == "made/3", "mae"] += 1
    repository(draw(1), now)
    assert not verify.run("HEAD")


def test_one_replica_cannot_tell(repository, capsys):
    one, other = (draw(seed)[::REPLICAS] for seed in (1, 2))
    repository(one, other)
    assert verify.run("HEAD")
    assert counts(capsys.readouterr().out)["unclear"] == 2 * 40


def test_networks_of_one_side_only_are_counted(repository, capsys):
    repository(draw(1), draw(1, networks=39))
    assert verify.run("HEAD")
    assert counts(capsys.readouterr().out)["unmatched"] == 1


def test_tables_of_benchmarks_are_not_compared(repository, tmp_path, capsys):
    table = tmp_path / "reports/benchmarks/trials.csv"
    table.parent.mkdir()
    table.write_text("executor,seconds\nDask,1\n")
    repository(draw(1), draw(1))
    assert verify.run("HEAD")
    assert counts(capsys.readouterr().out)["same"] == 3 * 40


def test_errors(repository):
    repository(draw(1), draw(1))
    with pytest.raises(InputError, match=r"^unknown revision 'no-such-branch'$"):
        verify.run("no-such-branch")
