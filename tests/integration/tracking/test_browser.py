"""MLflow's pages of a small laboratory, from a real server in a real browser."""

import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ui = pytest.importorskip("ui", reason="selenium is not installed: the extra `dev` has it")

from small import TRIALS  # noqa: E402
from ui import Page  # noqa: E402

pytestmark = ui.MARKS

NETWORKS = {"shapes": ("drawer", "sampler", "widths/narrow", "widths/wide"), "echo": ("echoer",)}


@pytest.fixture(scope="module")
def links(reproduced) -> Iterator[dict[str, str]]:
    """The links that `pipeline ui` prints, while it serves."""
    with ui.served(reproduced.root) as links:
        yield {re.sub(" [0-9a-f]{12}$", "", name): link for name, link in links.items()}


@pytest.fixture(scope="module")
def window() -> Iterator[Page]:
    with ui.browser() as page:
        yield page


@pytest.fixture
def page(window, links) -> Page:
    """The page of the problem `shapes`, opened by its link or left open by another test."""
    if f"{links['shapes'].split('?')[0]}?" not in window.driver.current_url:
        window.open(links["shapes"])
    window.see(*NETWORKS["shapes"])
    return window


def test_the_server_accepts_requests_from_this_machine_only(links):
    """It listens on loopback only, and refuses requests with another host name."""
    host, port = urlsplit(links["shapes"]).netloc.split(":")
    tables = [Path(f"/proc/net/{table}").read_text() for table in ("tcp", "tcp6")]
    sockets = [line.split() for table in tables for line in table.splitlines()[1:]]
    listening = [socket[1] for socket in sockets if socket[3] == "0A"]
    ours = [address for address in listening if address.endswith(f":{int(port):04X}")]
    assert ours == [f"0100007F:{int(port):04X}"]
    path = "/api/2.0/mlflow/experiments/search?max_results=1"

    def status(name: str) -> int:
        with closing(HTTPConnection(host, int(port), timeout=30)) as server:
            server.request("GET", path, headers={"Host": name})
            with server.getresponse() as response:
                return response.status

    allowed = ("127.0.0.1", "localhost", f"localhost:{port}", f"127.0.0.1:{port}", "localhost:80")
    foreign = ("evil.example", f"evil.example:{port}", "10.evil.example", "192.168.evil.example")
    foreign += ("10.0.0.1", "0.0.0.0", "localhost.evil.example", f"127.0.0.1.evil.example:{port}")
    assert {name: status(name) for name in allowed} == dict.fromkeys(allowed, 200)
    assert {name: status(name) for name in foreign} == dict.fromkeys(foreign, 403)


@pytest.mark.parametrize(("problem", "metric"), [("shapes", "mae"), ("echo", "exact_accuracy")])
def test_a_link_opens_curves_with_median_and_band_without_a_click(window, links, problem, metric):
    window.open(links[problem])
    networks = [name for name in NETWORKS[problem] if name != "sampler"]  # it has another metric
    curves = [f"val_{metric}{end}" for end in ("", "_low", "_high")]
    words = [f"{network} ({curve})" for network in networks for curve in curves]
    # The UI draws each line twice: those under the mouse are drawn over the others.
    lines = len(curves) * len(networks)
    ui.wait(lambda: len(window.all(".scatterlayer path.js-line", window.card(*words))) >= lines)
    assert window.runs() == sorted(NETWORKS[problem])


def test_charts_are_few_and_in_groups(page):
    counts = page.sections()
    assert list(counts) == [
        "Results on test data",
        "Held-out learning curves",
        "Pictures of the training",
        "Differences in parameters",
        "Training's learning curves",
        "Model metrics",
    ]
    assert sum(counts.values()) < 30
    assert counts["Held-out learning curves"] == 2  # a band is in the chart of its median
    bars = len(NETWORKS["shapes"])
    ui.wait(lambda: len(page.all(".barlayer .point", page.card("test_ks"))) == bars)


def test_pictures_of_the_end_of_each_training_come_first(page):
    card = page.card("drawn shapes after training", "drawer")
    ui.wait(lambda: page.pictures(card) == [0] * len(NETWORKS["shapes"]))


def test_the_chart_of_pictures_opens_on_pictures_and_has_a_slider_for_their_steps(page):
    page.card("drawn shapes after training", "drawer")
    (card,) = ui.wait(
        lambda: [
            card
            for card in page.cards()
            if page.pictures(card) and "after training" not in card.text
        ]
    )
    for step, networks in ((10, 1), (20, 3), (60, 1)):
        page.slide(card, step)
        ui.wait(lambda: page.pictures(card) == [step] * networks)  # noqa: B023


def test_the_charts_show_which_parameters_differ(page):
    page.card("Compare by", "model.cells", "framing.sample")
    ui.wait(lambda: "dataset.seed" not in page.card("Compare by").text)


def test_compare_shows_differences_pictures_and_curves_of_two_runs(page):
    page.select("drawer", "widths/wide")
    page.press("Compare")
    page.see("Comparing 2 Runs", "dataset.seed", "Show diff only")
    page.click("//button[@role='switch']")  # of the parameters, the first of three tables
    ui.wait(lambda: "dataset.seed" not in page.text)
    page.see("model.cells", "framing.sample")
    page.click("//*[normalize-space()='drawn shapes.png']")
    ui.wait(lambda: len(page.loaded("img[alt='drawn shapes.png']")) == 2)

    def opened() -> bool:
        """The UI renders the metrics that are visible: the curves are further down."""
        page.look_at(page.all("//a[contains(@href, '/metric')]")[-1])
        links = page.all("//a[normalize-space()='val_mae']")
        for link in links:
            page.driver.execute_script("arguments[0].click()", link)
        return bool(links)

    ui.wait(opened)
    page.see("drawer (val_mae)", "widths/wide (val_mae)")
    ui.wait(lambda: len(page.all(".scatterlayer path.js-line")) >= 2)


def test_a_run_is_described_with_its_figures(page):
    page.click("//*[@role='row']//a[normalize-space()='drawer']")
    page.see("Does it draw?", "The network drawer", "in the folder figures")
    page.see("reports/experiments/drawer.md")
    page.see("model.cells", "val_mae", "keras.saving.load_model")


def test_the_page_of_a_study_shows_its_trials_as_parallel_coordinates(window, links):
    window.open(links["study sizes"])
    card = window.card("Parallel Coordinates")
    axes = ["variant", "model.cells", "test_consistency_error", "test_mae_regret"]
    ui.wait(lambda: all(axis in card.text for axis in axes))
    assert len(window.runs()) == TRIALS["sizes"]
    assert window.card("0: alone, cells 1 (val_mae_low)")
    card = window.card("model.cells vs. test_mae_regret")
    ui.wait(lambda: len(window.all(".scatterlayer .point", card)) == TRIALS["sizes"])
    window.see("How many cells?")
    window.open(links["study sizes"].replace("&compareRunsMode=CHART", ""))
    window.see("Sort: test_consistency_error", "test_mae_regret", "model.cells", "variant")
    errors = window.column("metrics.`test_consistency_error`")
    assert errors == sorted(errors)
    assert len(errors) == TRIALS["sizes"]
    window.click("//*[@role='row']//a[starts-with(normalize-space(), '0: alone')]")
    window.see("minimizes test_consistency_error", "experiment drawer", "rectangle", "model.cells")


def test_the_menu_and_the_description_of_a_problem_lead_to_each_experiment(window, links):
    window.open(links["shapes"])
    window.see(*NETWORKS["shapes"])
    window.click("//button[normalize-space()='All of shapes']")
    window.click("//*[@role='menuitem'][contains(normalize-space(), 'widths')]")
    ui.wait(lambda: window.runs() == ["widths/narrow", "widths/wide"])
    window.see("Sort: test_mae", "test_mae_ci_low", "model.cells", "Duration", "Dataset")
    errors = window.column("metrics.`test_mae`")
    assert errors == sorted(errors)
    window.click("//*[@data-component-id='mlflow.experiment.metadata_editor.expand_button']")
    window.see("Do more cells draw better?", "test_mae (lower is better)")
    link = window.find("//td//a[normalize-space()='drawer']").get_attribute("href")
    window.open(link)
    ui.wait(lambda: window.runs() == ["drawer"])
    window.card("val_mae: MAE", "drawer (val_mae)")
