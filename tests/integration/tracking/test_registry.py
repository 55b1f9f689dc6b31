"""Registered models: registered once, loaded in a fresh process, and served."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest
from small import BIN, Laboratory
from studying import PATIENCE, free_port, wait_until

# Loads a model as another user would, and predicts tables that it reads as JSON.
PROGRAM = """
import json, sys
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
import pipeline
outputs = [model.predict(pd.DataFrame(table)).to_dict("records") for table in json.load(sys.stdin)]
print(json.dumps({"outputs": outputs, "code": pipeline.__file__}))
"""


@pytest.fixture(scope="module")
def elsewhere(reproduced, tmp_path_factory) -> Callable[[str, list], dict]:
    """A function that calls a registered model in a fresh process, outside of any repository."""
    folder = tmp_path_factory.mktemp("elsewhere")
    database = {"MLFLOW_TRACKING_URI": f"sqlite:///{reproduced.root}/mlflow.db"}

    def predict(name: str, tables: list) -> dict:
        command = (sys.executable, "-W", "ignore", "-c", PROGRAM, f"models:/{name}@champion")
        done = Laboratory(folder).run(*command, env=database, input=json.dumps(tables))
        return json.loads(done.stdout.splitlines()[-1])

    return predict


def registry(laboratory: Laboratory) -> dict:
    """What MLflow stores about each registered model."""
    program = """
import json, mlflow
client = mlflow.MlflowClient("sqlite:///mlflow.db")
mlflow.set_tracking_uri("sqlite:///mlflow.db")
def of(model):
    version = client.get_model_version_by_alias(model.name, "champion")
    info = mlflow.models.get_model_info(f"models:/{model.name}@champion")
    return {
        "description": model.description, "chosen": version.description,
        "version": str(version.version), "run": client.get_run(version.run_id).info.run_name,
        "versions": len(client.search_model_versions(f"name = '{model.name}'")),
        "inputs": info.signature.inputs.to_dict(), "outputs": info.signature.outputs.to_dict(),
        "example": bool(info.saved_input_example_info),
    }
print(json.dumps({model.name: of(model) for model in client.search_registered_models()}))
"""
    done = laboratory.run(sys.executable, "-W", "ignore", "-c", program)
    return json.loads(done.stdout.splitlines()[-1])


def test_models_are_registered_with_signature_example_and_description(reproduced):
    found = registry(reproduced)
    assert set(found) == {"shape-drawer", "integer-echo"}
    drawer = found["shape-drawer"]
    assert drawer["description"].startswith("Draws rectangles.")
    assert "best by regret" in drawer["chosen"]
    assert (drawer["version"], drawer["run"], drawer["example"]) == ("1", "sampler", True)
    named = [(column["name"], column["type"]) for column in drawer["inputs"]]
    assert named == [("count", "long"), ("seed", "long"), ("temperature", "double")]
    assert [column["name"] for column in drawer["outputs"]] == ["row", "vertices"]
    assert len(found["integer-echo"]["inputs"]) == 5


def test_a_loaded_drawer_draws_the_same_as_the_command_line(reproduced, elsewhere):
    tables = [
        [{"count": 3, "seed": 5, "temperature": 0.8}, {"count": 1, "seed": 0, "temperature": 0.0}],
        [{"count": 3, "seed": 6, "temperature": 0.8}],
    ]
    found = elsewhere("shape-drawer", tables)
    assert "elsewhere" not in found["code"]
    assert "mlartifacts" in found["code"]  # the model's own modules, not the repository's
    first, second = found["outputs"]
    assert [output["row"] for output in first] == [0, 0, 0, 1]
    assert all(len(output["vertices"]) == 4 for output in first)
    assert first[:3] != second
    replica = registry(reproduced)["shape-drawer"]["chosen"].split("replica ")[1].split(":")[0]
    words = ("--count", "3", "--seed", "5", "--temperature", "0.8", "--replica", replica, "--json")
    drawn = json.loads(reproduced.run("pipeline", "draw", "sampler", *words).stdout)
    assert [output["vertices"] for output in first[:3]] == drawn["polygons"]


def test_a_loaded_echo_network_echoes_the_same_as_the_command_line(reproduced, elsewhere):
    windows = [[1, 2, 3, 4, 5], [9, 8, 7, 6, 5]]
    table = [{f"integer_{place}": i for place, i in enumerate(row, 1)} for row in windows]
    (found,) = elsewhere("integer-echo", [table])["outputs"]
    replica = registry(reproduced)["integer-echo"]["chosen"].split("replica ")[1].split(":")[0]
    lines = "\n".join(" ".join(map(str, window)) for window in windows)
    done = reproduced.run("pipeline", "echo", "echoer", "--replica", replica, input=lines)
    echoed = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert [[*row.values()] for row in found] == echoed


@pytest.fixture(scope="module")
def served(reproduced) -> Iterator[str]:
    """The address of a drawer that `mlflow models serve` serves."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [BIN / "mlflow", "models", "serve", "--model-uri", "models:/shape-drawer@champion"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    with ExitStack() as stack:
        process = subprocess.Popen(
            [*map(str, command), "--workers", "1"],
            cwd=reproduced.root,
            env=reproduced.environment() | {"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(process.wait)
        stack.callback(lambda: os.killpg(process.pid, signal.SIGKILL))

        def up() -> bool:
            assert process.poll() is None
            with suppress(OSError), urllib.request.urlopen(f"{address}/ping", timeout=5):
                return True
            return False

        wait_until(up)
        yield address


def post(address: str, document: dict) -> tuple[int, dict]:
    """The status and the body of the response to a table of inputs."""
    body = json.dumps(document).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/invocations", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_served_drawer_predicts_and_refuses_bad_rows(served):
    good = {"count": 2, "seed": 5, "temperature": 1.0}
    status, found = post(served, {"dataframe_records": [good]})
    assert status == 200
    assert len(found["predictions"]) == 2
    assert found["predictions"][0]["vertices"][0] == [0.0, 0.0]
    status, found = post(served, {"dataframe_records": [good, good | {"count": 0}]})
    assert status == 400
    assert "row 1: count: must be an integer of at least 1, got 0" in found["message"]
    status, found = post(served, {"dataframe_records": [{"count": 2}]})  # the others have defaults
    assert (status, len(found["predictions"])) == (200, 2)
    status, found = post(served, {"dataframe_records": [{"seed": 5}]})
    assert status == 400
    assert "count" in found["message"]


def test_a_new_version_is_registered_only_if_the_model_has_changed(mine):
    lines = mine.run("pipeline", "sync").stdout.splitlines()
    assert {"shape-drawer: complete", "integer-echo: complete"} <= set(lines)
    path = mine.root / "report.yaml"
    path.write_text(path.read_text().replace("Echoes five integers.", "Echoes integers."))
    mine.run("pipeline", "sync")
    echo = registry(mine)["integer-echo"]
    assert echo["description"].startswith("Echoes integers.")
    assert (echo["version"], echo["versions"]) == ("1", 1)
    mine.change("cells: 3}", "cells: 4}")
    # params.yaml now has other parameters than those that the network was trained with.
    assert "shape-drawer: complete" in mine.run("pipeline", "sync").stdout
    mine.run("dvc", "repro", "evaluate@sampler")
    lines = mine.run("pipeline", "sync").stdout
    assert "shape-drawer: added version 2, sampler, replica" in lines
    assert registry(mine)["shape-drawer"]["versions"] == 2


def test_a_report_does_not_need_the_networks(mine):
    """Metrics are in git, networks in DVC's cache: a message lists those that are not here."""
    for network in ("sampler", "echoer"):
        shutil.rmtree(mine.root / "models" / network)
    done = mine.pipeline("report")
    assert done.returncode == 0, done.stderr
    hint = "sampler is not trained here; run: dvc pull, or dvc repro train@sampler"
    assert done.stderr.splitlines()[-2] == f"models.shape-drawer: {hint}"
