"""The page of a small laboratory in Chromium: every control does what it says."""

import json
import re
import time
from collections.abc import Iterator

import numpy as np
import pytest
from small import small_config

ui = pytest.importorskip("ui", reason="selenium is not installed: the extra `dev` has it")

from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from ui import wait  # noqa: E402

pytestmark = ui.MARKS

VIEWS = {
    "draw/drawer": "Does it draw?",
    "draw/sampler": "100 shapes of this seed",
    "echo": "Type integers",
    "write": "Prompt, which the network continues",
    "explore/questions": "what do you expect?",
    "explore/curves": "How do networks learn?",
    "explore/studies/sizes": "How many cells?",
    "explore/studies/search": "Parallel coordinates",
}

MEDIAN = "held-out MAE, median of 3 replicas"


class PlayPage(ui.Page):
    """The page, with shortcuts to its parts."""

    def show(self, link: str) -> None:
        """Open a view in a fresh state; fails if the page has reported an error."""
        self.no_errors()
        self.driver.get("about:blank")
        self.driver.get(f"{self.address}#{link}")
        wait(lambda: self.js("return document.querySelector('.reproduce code')"))

    def no_errors(self) -> None:
        assert self.driver.get_log("browser") == []

    def js(self, script: str, *arguments):
        return self.driver.execute_script(script, *arguments)

    @property
    def link(self) -> str:
        time.sleep(0.4)  # it changes soon after what is shown
        return self.js("return location.hash")

    def field(self, label: str):
        """The input with this label."""
        return self.find(f"//div[contains(@class, 'field')][label[starts-with(., '{label}')]]/*[2]")

    def enter(self, label: str, text: str) -> None:
        """Replace the text of an input; long texts at once."""
        script = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
        self.js(script, self.field(label), text)

    def error(self, label: str) -> str:
        return self.find(
            f"//div[contains(@class, 'field')][label[starts-with(., '{label}')]]"
            "/p[@class='error' and text()]"
        ).text

    def paths(self, selector: str) -> list[str]:
        script = (
            "return [...document.querySelectorAll(arguments[0])].map((p) => p.getAttribute('d'))"
        )
        return self.js(script, selector)

    def command(self) -> str:
        return self.js("return document.querySelector('.reproduce code').textContent")

    def number(self, term: str) -> str:
        return self.find(f"//dl/div[dt[text()='{term}']]/dd").text


@pytest.fixture(scope="module")
def window(reproduced) -> Iterator[PlayPage]:
    with ui.browser(1200, 1000) as opened:
        page = PlayPage(opened.driver)
        page.address = (reproduced.root / "reports/index.html").as_uri()
        page.driver.execute_cdp_cmd("Network.enable", {})
        conditions = {"offline": True, "latency": 0}
        conditions |= {"downloadThroughput": 0, "uploadThroughput": 0}
        page.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)
        yield page


@pytest.fixture
def page(window) -> Iterator[PlayPage]:
    yield window
    window.no_errors()


UNNAMED = """
return [...document.querySelectorAll("input, select, textarea, button, [tabindex='0'], [role=img]")]
  .filter((e) => e.checkVisibility() && !(e.labels?.length || e.getAttribute("aria-label") ||
    e.textContent.trim()))
  .map((e) => e.outerHTML.slice(0, 200));
"""


@pytest.mark.parametrize("link", VIEWS)
def test_each_view_opens_by_its_link_at_all_widths_and_in_both_themes(page, link):
    for width, theme in ((360, "light"), (1920, "dark")):
        media = [{"name": "prefers-color-scheme", "value": theme}]
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        page.show(link)
        page.see(VIEWS[link])
        assert page.js("return document.documentElement.scrollWidth") <= width
        assert page.js("return document.documentElement.dataset.theme") == theme
        assert "NaN" not in page.text
        assert page.js(UNNAMED) == []
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_slider_through_the_training_moves_drawing_curve_numbers_and_link(page):
    page.show("draw/drawer")
    drawn, value = page.paths(".drawing path"), page.number(MEDIAN)
    cursor = "return document.querySelector('.cursor').getAttribute('x1')"
    place = page.js(cursor)
    page.field("Training").send_keys(Keys.HOME)
    assert "step=10" in page.link
    assert page.paths(".drawing path") != drawn
    assert page.number(MEDIAN) != value
    assert page.js(cursor) != place
    assert page.command() == "dvc repro figures@drawer"
    page.js("document.querySelector('.plot.pickable').scrollIntoView({block: 'center'})")
    curve = page.find(".plot.pickable")
    ActionChains(page.driver).move_to_element_with_offset(
        curve, curve.rect["width"] // 2 - 16, 0
    ).click().perform()
    wait(lambda: page.paths(".drawing path") == drawn)
    assert page.command() == "pipeline draw drawer --replica 0"


def test_the_first_point_can_be_dragged_and_moved_by_keys(page):
    page.show("draw/drawer?with=none")
    start = page.paths(".drawing path")
    handle = page.find(".handle")
    ActionChains(page.driver).drag_and_drop_by_offset(handle, 60, -40).perform()
    dragged = page.paths(".drawing path")
    assert dragged != start
    page.show(page.link[1:])
    wait(lambda: page.paths(".drawing path") == dragged)
    page.find(".handle").send_keys(Keys.ARROW_RIGHT)
    assert page.paths(".drawing path") != dragged
    page.press("Back to the origin")
    assert page.paths(".drawing path") == start
    page.press("Show where each point leads")
    assert page.paths(".arrows path")[0].count("M") == 2 * 13 * 13
    menu = page.field("Compare with")
    menu.find_element("css selector", "option[value='widths/wide']").click()
    wait(lambda: page.paths(".other path"))
    assert "with=widths-wide" in page.link


def test_a_moved_drawing_is_measured_from_its_first_point(page):
    page.show("draw/widths-wide?with=none&x=0.3&y=0.2")
    family = small_config("drawer").dataset.families["rectangle"]
    scale = 480 / (1.24 * max(family.high - family.low))
    (path,) = page.paths(".drawing path")
    pixels = np.array(re.findall(r"[\d.]+", path), float).reshape(-1, 2)
    polygon = (pixels - pixels[0]) * [1 / scale, -1 / scale]
    for name, share in zip(("width", "height"), family.theta(polygon), strict=True):
        shown = page.number(f"{name}, share of its maximum").replace("−", "-")
        assert float(shown) == pytest.approx(share, abs=2e-3)
    error = np.abs(polygon - family.nearest(polygon)).mean()
    assert float(page.number("Consistency error")) == pytest.approx(error, abs=2e-3)


def test_the_drawing_and_its_controls_fit_on_a_projected_screen(page):
    size = {"width": 1280, "height": 720, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.show("draw/sampler")
    bottoms = [
        page.js(f"return document.querySelector({part!r}).getBoundingClientRect().bottom")
        for part in (".player", ".with-slider", ".side .bars")
    ]
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert max(bottoms) <= 720


def test_a_finger_scrolls_over_the_drawing_and_drags_its_first_point(page):
    size = {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.show("draw/drawer?with=none")

    def swipe(part: str) -> int:
        """The pixels by which the page scrolls when a finger moves up from a part of it."""
        before = page.js("return scrollY")
        box = page.js(f"return document.querySelector({part!r}).getBoundingClientRect().toJSON()")
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        kinds = ["touchStart", *["touchMove"] * 10, "touchEnd"]
        for number, kind in enumerate(kinds):
            points = [] if kind == "touchEnd" else [{"x": x, "y": y - 10 * number}]
            event = {"type": kind, "touchPoints": points}
            page.driver.execute_cdp_cmd("Input.dispatchTouchEvent", event)
            time.sleep(0.02)
        time.sleep(0.4)
        return page.js("return scrollY") - before

    drawn = page.paths(".drawing path")
    assert swipe(".range") > 50
    assert page.paths(".drawing path") == drawn
    assert swipe(".handle .ring") == 0
    assert page.paths(".drawing path") != drawn
    page.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_focus_stays_on_a_menu_that_opens_another_view(page):
    page.show("draw")
    page.field("Network").send_keys(Keys.HOME)
    options = "[...document.querySelector('.field select').options]"
    for name in page.js(f"return {options}.map((option) => option.value)")[1:3]:
        page.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
        wait(lambda name=name: page.js("return document.activeElement.value") == name)
        assert page.link.startswith(f"#draw/{name.replace('/', '-')}?")


def test_a_generator_draws_by_temperature_and_seed(page):
    page.show("draw/sampler?temperature=0.8&seed=5")
    wait(lambda: page.number("Shapes") == "1,000")
    overlay = page.paths(".many .overlay")
    assert len(overlay) == 100
    assert page.number("KS distance from the data").endswith("(by chance: 0.03)")
    assert page.command().endswith("--temperature 0.8 --seed 5 --count 100 --replica 0")
    page.press("Draw another")
    assert "seed=6" in page.link
    page.enter("Seed", "5")
    wait(lambda: page.paths(".many .overlay") == overlay)
    page.js("document.querySelector('.scrub input').value = 2")
    page.js("document.querySelector('.scrub input').dispatchEvent(new Event('input'))")
    page.see("Sampling the x of vertex 3 (coordinate 3 of 6).")
    assert page.js("return document.querySelectorAll('.guess').length") > 0
    page.press("Play")
    wait(lambda: page.find(".player button").text == "Play")
    assert page.js("return document.querySelectorAll('.guess').length") == 0


@pytest.mark.parametrize(
    ("view", "label", "text", "message"),
    [
        ("draw/sampler", "Temperature", "warm", "must be a number of at least 0, got “warm”"),
        ("draw/sampler", "Temperature", "-1", "must be a number of at least 0, got “-1”"),
        ("draw/sampler", "Temperature", "", "must be a number of at least 0, got nothing"),
        ("draw/sampler", "Seed", "1.5", "must be an integer from 0 to 4294967295, got “1.5”"),
        ("draw/sampler", "Seed", "9" * 30, "must be an integer from 0 to 4294967295"),
        ("echo", "Integers", "1 2 x 4 5", "Integer 3 must be an integer, got “x”"),
        ("echo", "Integers", "1 2 3 4 100", "Integer 5 must be from 0 to 9, got “100”"),
        ("echo", "Integers", " ", "Type integers from 0 to 9"),
        ("echo", "Integers", "7" * 10_000, "Integer 1 must be from 0 to 9, got “777"),
        ("write", "Prompt", "", "The prompt must not be empty"),
        ("write", "Prompt", "the ü", "The network does not know the character “ü”"),
        ("write", "Prompt", "the " * 2500, "at most 2,000 characters here, got 10,000"),
        ("write", "Temperature", "hot", "must be a number of at least 0, got “hot”"),
    ],
)
def test_bad_input_gets_a_sentence(page, view, label, text, message):
    if not page.link.startswith(f"#{view}"):
        page.show(view)
    page.enter(label, text)
    assert message in page.error(label)
    assert "NaN" not in page.text


PROMPT = "on the\ncat " * 40  # longer than a line of a terminal


def test_a_link_and_a_command_have_the_whole_prompt(page):
    page.show("write/writer?temperature=0.5")
    page.enter("Prompt", PROMPT.replace("\n", " & ?#% "))
    page.see("The network does not know the character “&”.")
    page.enter("Prompt", PROMPT)
    assert page.command().endswith(f"""--prompt $'{PROMPT}'""".replace("\n", "\\n"))
    page.show(page.link[1:])
    assert page.js("return document.querySelector('textarea').value") == PROMPT


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("draw/writer", "“writer” is no network that this page can run; this is "),
        ("draw/sampler?temperature=-1", "at least 0, got “-1”. This is the default."),
        ("draw/sampler?shape=star", "“star” is no shape of sampler; this is rectangle."),
        ("draw/drawer?with=writer", "“writer” is no network to compare with drawer"),
        ("echo?networks=echoer,drawer", "this page can run no such networks: “drawer”."),
        ("explore/curves?networks=drawer,echoer,nobody", "as drawer: “echoer”, “nobody”."),
        ("explore/studies/size", "“size” is no study of this page; this is sizes."),
        ("wirte", "“wirte” is no view of this page; this is draw."),
    ],
)
def test_what_a_link_means_and_the_page_lacks_is_named(page, link, sentence):
    page.show(link)
    assert sentence in page.find(".notice").text


@pytest.mark.parametrize(
    "link",
    [
        "draw/nothing?temperature=x&seed=-3&step=abc&x=NaN&y=9e9&with=nobody",
        "draw/sampler?temperature=Infinity&seed=1e99&shape=none&step=0",
        "echo?integers=1,b,&networks=nothing",
        "write/%E0%A4%A?temperature=&seed=",
        "explore/studies/nothing?trial=9999&metric=x&plot=y",
        "explore/questions?n=1e9",
        "explore/curves?networks=a,b&metric=c",
        "%3Cscript%3E/../..",
    ],
)
def test_a_bad_link_opens_a_view(page, link):
    page.show(link)
    assert "NaN" not in page.text.replace("got “NaN”", "")
    assert page.js("return document.querySelector('h1').textContent")


def test_an_echo_shows_what_is_wrong(page):
    page.show("echo?integers=3,1,4,1,5&networks=echoer")
    tokens = wait(lambda: page.all(".token"))
    assert len(tokens) == 5
    assert page.command() == "pipeline echo echoer 3 1 4 1 5 --replica 0"
    page.see("Its 2 replicas echo", "of the test windows exactly on average; this one,")
    wrong = [token for token in tokens if "wrong" in token.get_attribute("class")]
    assert page.find(".verdict").text.endswith(f"{len(wrong)} of 5 wrong")
    for token, expected in zip(tokens, (3, 1, 4, 1, 5), strict=True):
        if token in wrong:
            assert f"not {expected}" in token.text
        else:
            assert token.text == str(expected)
    tokens[2].click()
    page.see("Position 3")
    shares = [row.text for row in page.all(".chances .p")]
    assert len(shares) == 3
    page.press("Change the last one")
    assert "integers=3,1,4,1,6" in page.link
    page.enter("Integers", "1 2 3")
    page.see("This network echoes windows of 5 integers, got 3.")
    both = "for (const text of ['1 2 3 4 5', 'x']) {input.value = text; "
    both += "input.dispatchEvent(new Event('input'))}"
    page.js(f"const input = document.querySelector('.integers'); {both}")
    page.error("Integers")
    assert page.all(".token") == []  # not those of the first text
    page.press("Random window")
    wait(lambda: len(page.all(".token")) == 5)
    page.enter("Length", "6")
    assert "from 1 to 5, the longest window of these networks, got “6”" in page.error("Length")


def test_text_is_written_step_by_step(page):
    page.show("write/writer?temperature=0.5&seed=3")
    page.press("Stop")
    before = page.js("return document.querySelectorAll('.written').length")
    page.press("Step")
    count = page.js("return document.querySelectorAll('.written').length")
    assert count == before + 1
    page.see(f"Character {count}:")
    page.js("Object.assign(document.querySelector('.paper').style, {minHeight: 0, height: '90px'})")
    page.press("To the end")
    text = page.js("return document.querySelector('.paper').textContent")
    assert page.number("Characters") == "500 of 500"
    assert page.js("return document.querySelector('.paper').scrollTop") > 0  # the last is seen
    labels = ("Write", "Step", "To the end")
    assert not any(page.find(f"//button[.='{label}']").is_enabled() for label in labels)
    page.find(".paper").send_keys(Keys.ARROW_LEFT)
    page.see("Character 499:")
    assert "temperature=0.5&seed=3" in page.link
    page.enter("Seed", "x")
    page.press("Again, with another seed")
    assert page.all("//p[@class='error' and text()]") == []
    page.press("To the end")
    assert page.js("return document.querySelector('.paper').textContent") != text
    assert "seed=4" in page.link


def test_a_text_does_not_write_itself_where_motion_is_unwanted(page):
    calm = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", calm)
    page.show("write/writer")
    page.enter("Temperature", "0.6")
    assert "temperature=0.6" in page.link
    assert page.all(".written") == []
    page.press("Step")
    assert len(page.all(".written")) == 1
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_question_is_guessed_before_its_answer_is_shown(page):
    page.show("explore/questions?n=1")
    assert "They draw more." not in page.text
    guess = page.find("//span[@class='track']/input[not(@disabled)]")
    guess.send_keys(Keys.ARROW_RIGHT * 20)
    page.press("Show the answer")
    page.see("of 1 guesses are close", "They draw more.", "Only two sizes were tried.", "you:")
    assert page.js("return document.activeElement.className") == "score"
    page.press("Next question →")
    page.see("Question 2 of 2", "How many cells are enough?")
    assert page.link == "#explore/questions?n=2"
    page.driver.back()
    page.see("Question 1 of 2", "They draw more.", "you:")  # as it was left
    page.click("//a[.='widths/wide']")
    page.see("after 20 rectangles")
    assert page.link.startswith("#draw/widths-wide")


def test_learning_curves_of_chosen_networks_are_drawn_together(page):
    page.show("explore/curves?networks=drawer")
    wait(lambda: len(page.paths(".plot .line")) == 1)
    page.click("//summary[text()='widths']")
    page.click("//label[@data-name='widths/wide']/input")
    wait(lambda: len(page.paths(".plot .line")) == 2)
    assert "networks=drawer,widths-wide" in page.link
    plot = page.find(".plot")
    ActionChains(page.driver).move_to_element(plot).perform()
    page.see("after")
    menu = page.field("Problem")
    menu.find_element("css selector", "option[value='text']").click()
    page.see("bits per character")
    page.click("//label[@data-name='writer']/input")
    page.see("Choose networks to show their learning curves.")
    assert "networks=none" in page.link
    page.driver.refresh()
    page.see("Choose networks to show their learning curves.")


BACK = {"Pareto front": Keys.ARROW_UP * 2, "Curves": Keys.ARROW_LEFT * 2}
BACK["Heat map"] = Keys.ARROW_UP  # from row to row


def test_a_click_on_a_trial_shows_its_parameters_and_its_drawing(page):
    page.show("explore/studies/sizes?trial=0")
    page.see("Trial 0", "alone")
    drawn = wait(lambda: page.paths(".trial .overlay"))
    for plot in ("Pareto front", "Curves", "Heat map"):
        page.press(plot)
        page.click("//*[@data-trial='3']")
        page.see("Trial 3", "whole")
        wait(lambda: page.paths(".trial .overlay") != drawn)
        page.find(".study-plot").send_keys(Keys.ARROW_LEFT)
        page.see("Trial 2")
        page.find(".study-plot").send_keys(BACK[plot])
        page.see("Trial 0")
    page.show("explore/studies/search")
    wait(lambda: len(page.all(".strand")) >= 2)


def test_a_narrow_heat_map_scrolls_instead_of_clipping_its_cells(page):
    page.show("explore/studies/sizes?plot=Heat map")
    wait(lambda: page.all(".study-plot td"))
    page.js("document.querySelector('.study-plot').style.width = '90px'")
    clipped = (
        "[...document.querySelectorAll('th, td')].filter((e) => e.scrollWidth > e.clientWidth)"
    )
    assert page.js(f"return {clipped}.length") == 0


def test_the_menu_and_the_skip_link_lead_to_the_content(page):
    page.show("echo")
    page.click("//nav/a[text()='Write']")
    page.see("Prompt, which the network continues")
    focused = "return document.activeElement.id"
    assert page.js(focused) == "main"
    page.find("#theme").send_keys("")
    page.js("document.querySelector('.skip').click()")
    assert page.js(focused) == "main"
    assert page.link.startswith("#write/writer")


def test_the_theme_can_be_changed(page):
    page.show("echo")
    shown = "return document.documentElement.dataset.theme"
    theme = page.js(shown)
    page.find("#theme").click()
    assert page.js(shown) != theme
    page.show("write")
    assert page.js(shown) != theme
    ground = "return getComputedStyle(document.documentElement).getPropertyValue('--ground')"
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    for media in ("screen", "print"):
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media} | dark)
        page.js("document.documentElement.dataset.theme = 'dark'")
        assert (page.js(ground) == "#fdfdfc") == (media == "print")
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    page.js("localStorage.clear()")
    page.show("echo")
    assert page.js(shown) == theme


def test_the_page_needs_nothing_else(reproduced):
    text = (reproduced.root / "reports/index.html").read_text()
    assert (
        re.findall(r"""(?:src|href|url|import)\s*[=(]\s*["']?(?!#|data:)[^\s"'>)]+""", text) == []
    )
    index = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert set(index["networks"]) == {
        "drawer",
        "echoer",
        "widths/narrow",
        "widths/wide",
        "sampler",
        "writer",
    }
