"""The pictures of a study: every kind, of few trials and of many, the same bytes each time."""

import io

import numpy as np
import pytest
from plans import plan, result

from pipeline import plotting
from pipeline.problems.base import Problem
from pipeline.studies import export, figures
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.run import TUNED, UNTUNED


def shapes(mine: StudyPlan, count: int, state: str = "complete") -> list[Trial]:
    """Trials of the grid, whose networks drew two snapshots; the second of them failed."""
    rng, ended = np.random.default_rng(1), []
    for number in range(count):
        metrics = {"mae_regret": rng.random(2), "consistency_error": rng.random(2) * 1e-6}
        failed = [number == 1 and state == "failed"] * 2
        found = result(metrics | {"size": rng.random(2)}, failed=failed)
        history = {"sequences": np.array([4.0, 12.0])}
        history |= {f"mae{end}": rng.random(2) for end in ("", "_low", "_high")}
        drawn = {"steps": np.array([4, 12]), "polygons": rng.random((2, 2, 4, 2))}
        found = found._replace(history=history, predictions=drawn, parameters=10 + number)
        ended.append(mine.ended(number, mine.ask(number, []), found))
    return ended


def drawn(mine: StudyPlan, ended: list[Trial], confirmed: dict | None = None) -> dict[str, bytes]:
    about = Problem(mine.study.problem).metrics.describe
    summary = export.as_json(export.summary(mine, ended, confirmed or {}, about))
    found = {}
    for picture in figures.draw(mine, ended, confirmed or {}, summary):
        assert picture.caption.endswith(".")
        file = io.BytesIO()
        plotting.save(picture.figure, file, "svg")
        found[picture.name] = file.getvalue()
    return found


GRID = ["curves", "learning", "pictures", "pareto", "heatmap", "frontier"]


@pytest.mark.parametrize("count", [1, 2, 4, 6])
@pytest.mark.parametrize("state", ["complete", "failed"])
def test_every_kind_of_a_grid_is_drawn_of_however_many_trials(count, state):
    mark = {"metric": "size", "below": 0.5, "words": "small"}
    mine = plan("sizes", figures=GRID, reach=0.5, mark=mark)
    ended = shapes(mine, count, state)
    found = drawn(mine, ended)
    assert {"curves", "learning", "pareto", "heatmap", "frontier", "pictures-alone"} <= set(found)
    assert found == drawn(mine, ended)


def test_nothing_is_drawn_if_no_trial_came_to_an_end():
    mine = plan("sizes", figures=GRID, reach=0.5)
    failed = [
        mine.ended(0, mine.ask(0, []), result({}, failed=[True])),
    ]
    assert drawn(mine, failed) == {}


def test_zero_and_decades_find_place_on_one_axis():
    mine = plan("sizes", figures=["pareto", "curves"])
    ended = [
        mine.ended(
            n, mine.ask(n, []), result({"mae_regret": 0.1 * n + 0.1, "consistency_error": v})
        )
        for n, v in enumerate([0.0, 1e-9, 1e-5, 1e-3, 0.1, 1.0])
    ]
    assert set(drawn(mine, ended)) == {"pareto", "curves"}


@pytest.mark.parametrize("count", [1, 6, 20])
def test_every_kind_of_a_search_is_drawn(count):
    mine, rng, ended = plan("search", trials=count), np.random.default_rng(2), []
    for number in range(count):
        pruned = number % 4 == 3
        value = {} if pruned else {"token_accuracy": rng.random(2), "cross_entropy": rng.random(2)}
        point = mine.ask(number, ended[: number - number % 3])
        found = result(value, failed=[False] * 2, pruned=pruned, curve=rng.random(1 + (not pruned)))
        ended.append(mine.ended(number, point, found))
    again = {
        name: result({"token_accuracy": rng.random(3), "cross_entropy": rng.random(3)})
        for name in (TUNED, UNTUNED)
    }
    found = drawn(mine, ended, again)
    assert {"history", "slices", "parallel", "confirmation"} <= set(found)
    assert ("importance" in found) == (count > 4)
    assert found == drawn(mine, ended, again)


def test_of_equal_trials_no_dimension_explains_anything():
    mine, ended = plan("search", trials=6), []
    for number in range(6):
        found = result({"token_accuracy": 0.0, "cross_entropy": 1.0})
        ended.append(mine.ended(number, mine.ask(number, ended[: number - number % 3]), found))
    found = drawn(mine, ended)
    assert "history" in found
    assert "importance" not in found


@pytest.mark.parametrize("metrics", [{}, {"token_accuracy": np.nan, "cross_entropy": np.nan}])
def test_a_confirmation_of_which_nothing_is_left_is_drawn_too(metrics):
    mine = plan("search", trials=1)
    ended = [mine.ended(0, mine.ask(0, []), result({"token_accuracy": 0.5}))]
    again = {name: result(metrics, failed=[True]) for name in (TUNED, UNTUNED)}
    assert "confirmation" in drawn(mine, ended, again)
