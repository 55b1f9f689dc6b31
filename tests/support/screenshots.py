"""Writes docs/screenshots/*.png, MLflow's pages and that of reports/: `make screenshots`.

They show an MLflow database of their own, with an experiment, the two runs that are compared and a
study, made from what was reproduced here.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import ui

from pipeline.tracking import logger, views
from pipeline.utils.errors import InputError

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "screenshots"

EXPERIMENT = "rectangle-optimizers"
COMPARED = ("rectangle", "rectangle-recurrent")
PROBLEM, STUDY = "shapes", "cells"


def save(page: ui.Page, name: str, height: int) -> None:
    """Save what is in a window of that height, once it has come to rest."""
    page.driver.set_window_size(1500, height)
    time.sleep(3)
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.driver.save_screenshot(FOLDER / f"{name}.png")
    print((FOLDER / f"{name}.png").relative_to(ROOT))


def sync() -> None:
    """Record the experiments and the study in a new database."""
    try:
        for experiment in (EXPERIMENT, *COMPARED):
            logger.sync_experiment(experiment)
        if logger.sync_study(STUDY) is None:
            raise InputError(f"study {STUDY}: is not here yet; run: dvc repro study@{STUDY}")
    except InputError as error:
        sys.exit(f"error: {error}")


def play() -> None:
    """Take the picture of reports/index.html."""
    with ui.browser(1500, 1260) as page:
        page.driver.get(f"{(ROOT / 'reports/index.html').as_uri()}#draw/rectangle?x=0.08&y=0.02")
        save(page, "page", 1260)


def main() -> None:
    """Take all of them."""
    if not (ui.CHROMIUM and ui.DRIVER):
        sys.exit("error: needs Chromium: apt-get install chromium chromium-driver")
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as home:
        os.environ["DVC_ROOT"] = home  # where the database is
        sync()
        take()
    play()


def take() -> None:
    """Take the pictures of the database."""
    with ui.served(ROOT) as links, ui.browser() as page:
        (study,) = (link for name, link in links.items() if name.startswith(f"study {STUDY}"))
        experiment = links[PROBLEM].replace(views.ALL_RUNS, EXPERIMENT)
        page.open(experiment)
        ui.wait(lambda: page.pictures(page.card("drawn shapes")))
        save(page, "charts", 2250)
        page.open(experiment.replace("&compareRunsMode=CHART", ""))
        ui.wait(lambda: page.column("metrics.`test_mae`"))
        save(page, "table", 850)
        page.open(links[PROBLEM])
        page.see(*COMPARED)
        page.select(*COMPARED)
        page.press("Compare")
        page.see("Comparing 2 Runs")
        page.click("//button[@role='switch']")
        page.click("//*[normalize-space()='drawn shapes.png']")
        ui.wait(lambda: len(page.loaded("img[alt='drawn shapes.png']")) == 2)
        page.driver.set_window_size(1500, 1500)
        page.look_at(page.find("//*[normalize-space()='Artifacts']"))
        save(page, "compare", 1500)
        page.open(study)
        page.card("Parallel Coordinates")
        save(page, "study", 1300)


if __name__ == "__main__":
    main()
