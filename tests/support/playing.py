"""Pages of untrained networks, opened in Chromium."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from selenium import webdriver

from pipeline.engine.initialization import initial_weights
from pipeline.page import build
from pipeline.problems.load import Problem
from pipeline.runs.checkpoint import Checkpoint
from pipeline.schema.experiment import RunConfig


def untrained(config: RunConfig, scale: float = 0.3) -> Checkpoint:
    """One replica of a network, whose initial weights are changed by random numbers.

    With initial weights alone, some outputs hardly depend on the inputs.
    """
    problem = Problem(config.experiment.problem)
    weights = initial_weights(lambda: problem.model.build(config).model, [1])
    rng = np.random.default_rng(0)
    weights = [w + rng.normal(0, scale, w.shape).astype(np.float32) for w in weights]
    return Checkpoint(config, weights, {}, {}, np.zeros(1, bool))


def write_page(path: Path, checkpoints: Mapping[str, Checkpoint]) -> None:
    """Write a page of networks under these names, without results."""
    index: dict = {"scale": 1, "experiments": [], "networks": {}, "studies": [], "story": []}
    index["problems"], blobs = {}, {}
    for rank, (name, checkpoint) in enumerate(checkpoints.items()):
        network = build.playable(
            checkpoint._replace(config=checkpoint.config._replace(name=name)), {}
        )
        assert network
        problem = checkpoint.config.experiment.problem
        index["problems"][problem] = {"title": problem, "metrics": {"loss": {"label": "loss"}}}
        index["experiments"].append({"name": name, "problem": problem, "networks": [name]})
        index["networks"][name] = network.entry | {"rank": rank, "metrics": {}}
        blobs |= network.blobs | {f"curves:{name}": build.pack_json(CURVES | {name: CURVES})}
    path.write_text(build.render(index, blobs, index["problems"]), encoding="utf-8")


LINE = {"median": [2, 1], "low": [1, 1], "high": [3, 2], "references": {}}
CURVES = {"sequences": [1, 10], "loss": LINE}


def ask(driver: webdriver.Chrome, what: str, network: str, *arguments) -> list:
    """Return what `laboratory.predict` or `laboratory.sample` returns in the page."""
    words = ", ".join(json.dumps(each) for each in (network, *arguments))
    answer = driver.execute_async_script(
        "const done = arguments[0];"
        f"laboratory.{what}({words}).then(done, (error) => done('error: ' + error.stack))"
    )
    assert not str(answer).startswith("error"), answer
    return answer
