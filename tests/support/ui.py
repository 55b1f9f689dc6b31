"""MLflow's pages in headless Chromium, as `pipeline ui` serves them."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from small import BIN
from studying import PATIENCE, free_port

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="Chromium is not installed: apt-get install chromium chromium-driver",
    ),
    pytest.mark.xdist_group("browser"),  # one server and one browser for all tests of a module
]
"""Marks of a module whose tests need a browser."""

CARD = "[data-testid='experiment-view-compare-runs-card']"

# Plotly shows a chart's tools over the chart until the mouse leaves it; headless Chromium has none.
NO_TOOLS = ".modebar-container { display: none }"


@contextmanager
def served(root: Path) -> Iterator[dict[str, str]]:
    """Run `pipeline ui` in a laboratory; yields the links that it prints, by experiment."""
    port = free_port()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [BIN / "pipeline", "ui", "--port", str(port)],
            cwd=root,
            env={name: v for name, v in os.environ.items() if not name.startswith("MLFLOW_")},
            stdout=output,
            stderr=output,
        )

        def links() -> dict[str, str]:
            output.seek(0)
            text = output.read()
            assert process.poll() is None, text
            found = re.findall(r"^(.+): (http://127.0.0.1:\d+/#\S+)$", text, re.M)
            return dict(found) if "press Ctrl-C to stop" in text else {}

        try:
            yield wait(links)
        finally:
            process.terminate()
            process.wait()


def wait(condition: Callable):
    """Wait until a condition is true and return its value; errors count as false."""
    deadline = time.monotonic() + PATIENCE
    error = None
    while time.monotonic() < deadline:
        try:
            if value := condition():
                return value
        except (WebDriverException, OSError) as raised:
            error = raised
        time.sleep(0.2)
    what = condition.__doc__ or condition
    raise AssertionError(f"not true within {PATIENCE:.0f} s: {what}") from error


class Page:
    """A page in a browser."""

    def __init__(self, driver: webdriver.Chrome):
        self.driver = driver

    def open(self, link: str) -> None:
        """Open a link in a fresh state, and close MLflow's assistant."""
        self.driver.get("about:blank")
        self.driver.get(link)
        self.see("Runs")
        for close in self.all("[data-component-id='mlflow.assistant.chat_panel.close']"):
            close.click()
        self.driver.execute_script(
            "const style = document.createElement('style');"
            "style.textContent = arguments[0]; document.head.append(style)",
            NO_TOOLS,
        )

    @property
    def text(self) -> str:
        """All visible text."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def see(self, *words: str) -> None:
        """Wait until all of these words are visible."""
        wait(lambda: all(word in self.text for word in words))

    def all(self, path: str, inside: WebElement | None = None) -> list[WebElement]:
        """All elements of an XPath or, if it has no slash, of a CSS selector."""
        by = By.XPATH if "/" in path else By.CSS_SELECTOR
        return (inside or self.driver).find_elements(by, path)

    def find(self, path: str) -> WebElement:
        """Wait for an element that is displayed, and return it."""
        return wait(lambda: next((one for one in self.all(path) if one.is_displayed()), None))

    def press(self, label: str) -> None:
        """Wait until a button is enabled, and press it."""

        def pressed() -> bool:
            self.find(f"//button[normalize-space()='{label}' and not(@disabled)]").click()
            return True

        wait(pressed)

    def select(self, *runs: str) -> None:
        """Select runs by their names."""
        for run in runs:
            row = f"//*[@role='row'][.//a[normalize-space()='{run}']]"
            # Something is drawn over the boxes, so they count as not displayed.
            boxes = f"{row}//input[contains(@aria-label, 'row selection')]"

            def ticked(boxes: str = boxes) -> bool:
                for box in self.all(boxes):
                    if not box.is_selected():
                        box.click()
                return any(box.is_selected() for box in self.all(boxes))

            wait(ticked)

    def click(self, path: str) -> None:
        """Wait until an element can be clicked, scroll to it and click it."""

        def clicked() -> bool:
            self.look_at(self.find(path))
            self.find(path).click()
            return True

        wait(clicked)

    def runs(self) -> list[str]:
        """The names of the runs in the table."""
        links = "//*[@role='row']//a[contains(@href, '/runs/')]"
        return wait(lambda: sorted(link.text for link in self.all(links) if link.text))

    def column(self, name: str) -> list[float]:
        """The values in a column of the table of runs, from top to bottom."""
        cells = f".ag-center-cols-container [role='gridcell'][col-id='{name}']"
        rows = wait(lambda: [cell for cell in self.all(cells) if cell.text])
        ordered = sorted(rows, key=lambda cell: cell.location["y"])
        return [float(cell.text) for cell in ordered]

    def sections(self) -> dict[str, int]:
        """The number of charts of each section of charts."""
        headers = "[data-testid='experiment-view-compare-runs-section-header']"
        return wait(
            lambda: {
                name: int(count)
                for header in self.all(headers)
                for name, count in re.findall(r"(.+?)\s*\((\d+)\)", header.text, re.DOTALL)
            }
        )

    def loaded(self, path: str, inside: WebElement | None = None) -> list[WebElement]:
        """The images that are loaded."""
        script = "return arguments[0].complete && arguments[0].naturalWidth > 0"
        return [one for one in self.all(path, inside) if self.driver.execute_script(script, one)]

    def cards(self) -> list[WebElement]:
        """The charts that are drawn: the UI draws those that are visible."""
        return self.all(CARD)

    def card(self, *words: str) -> WebElement:
        """Wait for the chart that shows these words."""

        def shown() -> WebElement | None:
            return next((c for c in self.cards() if all(word in c.text for word in words)), None)

        return wait(shown)

    def look_at(self, element: WebElement) -> None:
        """Scroll to an element."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        time.sleep(0.2)  # the UI draws with a delay

    def slide(self, card: WebElement, step: int) -> None:
        """Move the slider of a chart of pictures to a step, one by one."""

        def there() -> bool:
            (thumb,) = self.all("[role='slider']", card)
            now = int(thumb.get_attribute("aria-valuenow"))
            if now != step:
                thumb.send_keys(Keys.ARROW_RIGHT if now < step else Keys.ARROW_LEFT)
            return now == step

        wait(there)

    def pictures(self, card: WebElement) -> list[int]:
        """The steps of the loaded pictures of a chart."""
        images = self.loaded("img.rc-image-img", card)
        steps = (re.search(r"step(?:%2B|\+)(\d+)", image.get_attribute("src")) for image in images)
        return [int(step[1]) for step in steps]


@contextmanager
def browser(width: int = 1600, height: int = 3200) -> Iterator[Page]:
    """Headless Chromium with a new profile and without background requests."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    with tempfile.TemporaryDirectory() as profile:
        for flag in (
            "--headless=new",
            "--no-sandbox",  # as root, as in containers
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--window-size={width},{height}",
            f"--user-data-dir={profile}",
        ):
            options.add_argument(flag)
        driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
        try:
            yield Page(driver)
        finally:
            driver.quit()
