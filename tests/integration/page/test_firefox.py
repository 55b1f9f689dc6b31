"""The page of a small laboratory in Firefox."""

from collections.abc import Iterator

import pytest

ui = pytest.importorskip("ui", reason="selenium is not installed: the extra `dev` has it")

import firefox  # noqa: E402

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not firefox.FIREFOX, reason="needs: apt-get install firefox-esr"),
    pytest.mark.xdist_group("firefox"),  # one window for all tests
]

VIEWS = {
    "draw/drawer": ".handle",
    "draw/sampler": ".overlay[d*=M]",
    "echo": ".token",
    "write": ".written",
    "explore/questions": ".guess",
    "explore/curves": ".plot .line",
    "explore/studies/sizes": ".trial .overlay",
    "explore/studies/search": ".strand",
}


@pytest.fixture(scope="module")
def window() -> Iterator[firefox.Firefox]:
    with firefox.browser() as opened:
        yield opened


@pytest.mark.parametrize("link", VIEWS)
def test_each_view_opens_without_errors(window, reproduced, link):
    window.open(f"{(reproduced.root / 'reports/index.html').as_uri()}#{link}")
    ui.wait(lambda: window.js(f"document.querySelector({VIEWS[link]!r}) !== null"))
    assert "NaN" not in window.js("document.body.innerText")
    assert window.errors == []


def test_the_first_point_moves(window, reproduced):
    window.open(f"{(reproduced.root / 'reports/index.html').as_uri()}#draw/drawer")
    drawn = "document.querySelector('.drawing path')?.getAttribute('d')"
    before = ui.wait(lambda: window.js(drawn))
    key = "new KeyboardEvent('keydown', {key: 'ArrowRight'})"
    window.js(f"document.querySelector('.handle').dispatchEvent({key})")
    assert window.js(drawn) != before
    assert window.errors == []
