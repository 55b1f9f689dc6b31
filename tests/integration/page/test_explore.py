"""Questions and studies that are written down here, on a page without networks, in Chromium."""

from collections.abc import Iterator

import pytest

ui = pytest.importorskip("ui", reason="selenium is not installed: the extra `dev` has it")

from selenium.webdriver.common.keys import Keys  # noqa: E402
from ui import wait  # noqa: E402

from pipeline.page import build  # noqa: E402

pytestmark = ui.MARKS

ROWS = [
    ["a", 0.1, 0.05, 0.15],
    ["b", 0.9, 0.85, 0.95],
    ["c", 0.88, 0.83, 0.93],
    ["d", 0.5, 0.4, 0.6],
]
"""Values of which b and c cannot be distinguished."""

VARIANTS = [f"variant-{number}" for number in range(8)]


def question(rows: list) -> dict:
    texts = {"title": "Shares", "expect": "Some *are* `equal`.", "answer": "So.", "caveat": "No."}
    about = {"run": "dvc repro", "label": "share", "higherIsBetter": True}
    return texts | about | {"question": "Which?", "study": "grid", "networks": {}, "rows": rows}


def study(dimensions: dict[str, list], without: tuple[int, ...] = ()) -> dict:
    """A study of all combinations of two settings; some trials have no value."""
    first, second = dimensions.items()
    points = [(a, b) for a in first[1] for b in second[1]]
    keys = [first[0], second[0]]
    return {
        "experiment": "x",
        "problem": "shapes",
        "dimensions": [
            {"key": key, "choices": choices, "numeric": not isinstance(choices[0], str)}
            for key, choices in dimensions.items()
        ],
        "objectives": {"size": "maximize"},
        "measured": ["size", "error"],
        "best": [0],
        "trials": [
            {
                "number": number,
                "state": "pruned" if number in without else "complete",
                "point": dict(zip(keys, point, strict=True)),
                "weights": 10,
                "metrics": {} if number in without else {"size": [0.2 + number / 30, None, None]},
                "curves": {},
                "drawings": [],
            }
            for number, point in enumerate(points)
        ],
    }


STUDIES = {
    "grid": study({"a": [1, 2, 3], "b": [1, 2, 3]}, without=(1, 4)),
    "framing": study({"variant": VARIANTS, "cells": [1, 2]}),
}
METRIC = {"label": "share", "meaning": "a share", "higherIsBetter": True}


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[ui.Page]:
    path = tmp_path_factory.mktemp("page") / "index.html"
    index = {"scale": 1, "words": {}, "experiments": [], "networks": {}}
    index["studies"] = [{"name": name, "question": "", "answer": ""} for name in STUDIES]
    index["story"] = [question(ROWS), question([["a", 0.5, 0.2, 0.8], ["b", 0.6, 0.3, 0.9]])]
    index["problems"] = {
        "shapes": {"title": "shapes", "metrics": {"size": METRIC, "error": METRIC}}
    }
    blobs = {f"study:{name}": build.pack_json(each) for name, each in STUDIES.items()}
    path.write_text(build.render(index, blobs, ["shapes"]), encoding="utf-8")
    with ui.browser(1200, 1000) as opened:
        opened.address = path.as_uri()
        yield opened
        assert opened.driver.get_log("browser") == []


def show(page: ui.Page, link: str) -> None:
    page.driver.get("about:blank")
    page.driver.get(f"{page.address}#explore/{link}")
    wait(lambda: page.all(".reproduce code"))


def guess(page: ui.Page, positions: list[int]) -> str:
    """Move the sliders of all values but the first, and return the score."""
    script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
    for slider, position in zip(page.all(".track input")[1:], positions, strict=True):
        page.driver.execute_script(script, slider, position)
    page.press("Show the answer")
    return page.find(".score").text


def test_a_score_counts_pairs_that_can_be_told_apart_and_marks_close_guesses(page):
    show(page, "questions")
    assert [word.text for word in page.all(".view-explore em, .view-explore > div code")][:2] == [
        "are",
        "equal",
    ]
    score = guess(page, [880, 900, 300])  # b and c the other way round
    assert score.startswith("2 of 3 guesses are close (✓)")
    assert score.endswith(
        "Your order is right for 5 of the 5 pairs whose intervals do not overlap."
    )
    assert [text.count("✓") for text in (e.text for e in page.all(".guess-value"))] == [0, 1, 1, 0]
    show(page, "questions")
    assert "for 0 of the 5 pairs" in guess(page, [100, 100, 100])
    show(page, "questions?n=2")
    assert "All intervals overlap" in guess(page, [0])
    page.click("//a[.='the trials of the study grid']")
    page.see("Trial 0")


def test_arrow_keys_choose_trials_by_their_place_in_the_plot(page):
    show(page, "studies/grid?plot=Heat map")
    assert len(page.all("td.none")) == 2
    assert len(page.all(".key .none")) == 1
    plot = page.find(".study-plot")
    plot.send_keys(Keys.ARROW_DOWN)
    page.see("Trial 3")
    plot.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    page.see("Trial 5")
    page.press("Curves")
    page.find(".study-plot").send_keys(Keys.ARROW_LEFT)
    page.see("Trial 3")  # trial 4 has no value, so it is not in this plot


def test_eight_variants_have_different_marks_in_the_legend(page):
    show(page, "studies/framing?plot=Curves")
    marks = page.driver.execute_script(
        "return [...document.querySelectorAll('.legend li')].map((e) => {"
        "const {borderTopColor, borderTopStyle} = getComputedStyle(e, '::before');"
        "return borderTopColor + borderTopStyle})"
    )
    assert len(set(marks)) == len(VARIANTS)
