"""MLflow's pages as `pipeline ui` serves them, in headless Chromium: what a user sees and does."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from small import BIN
from studying import PATIENCE, free_port

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

CARD = "[data-testid='experiment-view-compare-runs-card']"

# Headless Chromium has no mouse, so Plotly shows the tools of its charts for ever, over the charts.
UNTOUCHED = ".modebar-container { display: none }"


@contextmanager
def served(root: Path) -> Iterator[dict[str, str]]:
    """Run `pipeline ui` in a laboratory; yields the links that it prints, by their names."""
    port = free_port()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [BIN / "pipeline", "ui", "--port", str(port)],
            cwd=root,
            env={name: v for name, v in os.environ.items() if not name.startswith("MLFLOW_")},
            stdout=said,
            stderr=said,
            start_new_session=True,
        )

        def links() -> dict[str, str]:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                pass
            said.seek(0)
            return dict(re.findall(r"^(.+): (http://127.0.0.1:\d+/#\S+)$", said.read(), re.M))

        try:
            yield wait(links)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait(seen: Callable):
    """What `seen` returns once it is something; what it raises meanwhile is not there yet."""
    deadline = time.monotonic() + PATIENCE
    error = None
    while time.monotonic() < deadline:
        try:
            if found := seen():
                return found
        except (WebDriverException, OSError) as fault:
            error = fault
        time.sleep(0.2)
    raise AssertionError(f"not seen within {PATIENCE:.0f} s: {seen.__doc__ or seen}") from error


class Page:
    """A browser's window."""

    def __init__(self, driver: webdriver.Chrome):
        self.driver = driver

    def open(self, link: str) -> None:
        """Open a link as if for the first time; MLflow's assistant is closed."""
        self.driver.get("about:blank")
        self.driver.get(link)
        self.see("Runs")
        for close in self.all("[data-component-id='mlflow.assistant.chat_panel.close']"):
            close.click()
        self.driver.execute_script(
            "const style = document.createElement('style');"
            "style.textContent = arguments[0]; document.head.append(style)",
            UNTOUCHED,
        )

    @property
    def text(self) -> str:
        """All that there is to read."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def see(self, *words: str) -> None:
        """Wait until all of them are there to read."""
        wait(lambda: all(word in self.text for word in words))

    def all(self, path: str, inside: WebElement | None = None) -> list[WebElement]:
        """Elements of an XPath or, without a slash, a CSS selector."""
        by = By.XPATH if "/" in path else By.CSS_SELECTOR
        return (inside or self.driver).find_elements(by, path)

    def find(self, path: str) -> WebElement:
        """The first such element, once there is one that is shown."""
        return wait(lambda: next((one for one in self.all(path) if one.is_displayed()), None))

    def press(self, label: str) -> None:
        """Press a button once it can be pressed."""

        def pressed() -> bool:
            self.find(f"//button[normalize-space()='{label}' and not(@disabled)]").click()
            return True

        wait(pressed)

    def select(self, *runs: str) -> None:
        """Tick runs by their names."""
        for run in runs:
            row = f"//*[@role='row'][.//a[normalize-space()='{run}']]"
            # Boxes are drawn over: they are there, and count as not displayed.
            boxes = f"{row}//input[contains(@aria-label, 'row selection')]"

            def ticked(boxes: str = boxes) -> bool:
                for box in self.all(boxes):
                    if not box.is_selected():
                        box.click()
                return any(box.is_selected() for box in self.all(boxes))

            wait(ticked)

    def click(self, path: str) -> None:
        """Click an element, scrolled to, once it can be clicked."""

        def clicked() -> bool:
            self.look_at(self.find(path))
            self.find(path).click()
            return True

        wait(clicked)

    def runs(self) -> list[str]:
        """The names of the runs in the table."""
        links = "//*[@role='row']//a[contains(@href, '/runs/')]"
        return wait(lambda: sorted(link.text for link in self.all(links) if link.text))

    def sections(self) -> dict[str, int]:
        """The sections of charts, and how many charts each of them has."""
        headers = "[data-testid='experiment-view-compare-runs-section-header']"
        return wait(
            lambda: {
                name: int(count)
                for header in self.all(headers)
                for name, count in re.findall(r"(.+?)\s*\((\d+)\)", header.text, re.DOTALL)
            }
        )

    def loaded(self, path: str, inside: WebElement | None = None) -> list[WebElement]:
        """The images that have arrived."""
        script = "return arguments[0].complete && arguments[0].naturalWidth > 0"
        return [one for one in self.all(path, inside) if self.driver.execute_script(script, one)]

    def cards(self) -> list[WebElement]:
        """The charts that are in sight."""
        return self.all(CARD)

    def card(self, *words: str) -> WebElement:
        """The chart that shows these words; the UI draws the charts that are in sight."""

        def shown() -> WebElement | None:
            return next((c for c in self.cards() if all(word in c.text for word in words)), None)

        return wait(shown)

    def look_at(self, element: WebElement) -> None:
        """Scroll to an element."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        time.sleep(0.2)  # the UI waits a little before it draws

    def slide(self, card: WebElement, step: int) -> None:
        """Move the step slider of a chart of pictures to a step, from each to the next."""

        def there() -> bool:
            (thumb,) = self.all("[role='slider']", card)
            now = int(thumb.get_attribute("aria-valuenow"))
            if now != step:
                thumb.send_keys(Keys.ARROW_RIGHT if now < step else Keys.ARROW_LEFT)
            return now == step

        wait(there)

    def pictures(self, card: WebElement) -> list[int]:
        """The steps of the pictures that a chart shows and that have arrived."""
        images = self.loaded("img.rc-image-img", card)
        steps = (re.search(r"step(?:%2B|\+)(\d+)", image.get_attribute("src")) for image in images)
        return [int(step[1]) for step in steps]


@contextmanager
def browser(width: int = 1600, height: int = 3200) -> Iterator[Page]:
    """Headless Chromium with a new profile, that talks to nobody but the server."""
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
