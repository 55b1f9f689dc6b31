"""Writes docs/screenshots/*.png, MLflow's pages as the README shows them: `make screenshots`.

They show what is in the MLflow database of this repository, so reproduce something first; a fresh
clone that has little more than the two runs that are compared shows them best. The study of cells
is shown, if it has been run.
"""

import sys
import time
from pathlib import Path

import ui
from selenium.webdriver.remote.webelement import WebElement

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "screenshots"

COMPARED = ("rectangle", "rectangle-recurrent")
PROBLEM, STUDY = "shapes", "study cells"


def save(page: ui.Page, name: str, height: int) -> None:
    """Save what is in a window of that height, once it has come to rest."""
    page.driver.set_window_size(1500, height)
    time.sleep(3)
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.driver.save_screenshot(FOLDER / f"{name}.png")
    print((FOLDER / f"{name}.png").relative_to(ROOT))


def hide_all_but(page: ui.Page, *runs: str) -> None:
    """Hide the other runs from the charts, as a click on their eyes does."""
    for run in set(page.runs()) - {*runs}:
        page.click(f"//*[@role='row'][.//a[normalize-space()='{run}']]//label[1]")


def pictures(page: ui.Page) -> WebElement:
    """The chart with the step slider."""
    return page.card("drawn shapes")


def main() -> None:
    """Take all of them."""
    if not (ui.CHROMIUM and ui.DRIVER):
        sys.exit("error: needs Chromium: apt-get install chromium chromium-driver")
    with ui.served(ROOT) as links, ui.browser() as page:
        studies = {name.rpartition(" ")[0]: link for name, link in links.items()}
        page.open(links[PROBLEM])
        page.see(*COMPARED)
        hide_all_but(page, *COMPARED)
        page.slide(pictures(page), 25000)
        save(page, "charts", 1750)
        page.select(*COMPARED)
        page.press("Compare")
        page.see("Comparing 2 Runs")
        page.click("//button[@role='switch']")
        page.click("//*[normalize-space()='drawn shapes.png']")
        ui.wait(lambda: len(page.loaded("img[alt='drawn shapes.png']")) == 2)
        page.driver.set_window_size(1500, 1500)
        page.look_at(page.find("//*[normalize-space()='Artifacts']"))
        save(page, "compare", 1500)
        if STUDY in studies:
            page.open(studies[STUDY])
            page.card("Parallel Coordinates")
            save(page, "study", 1300)


if __name__ == "__main__":
    main()
