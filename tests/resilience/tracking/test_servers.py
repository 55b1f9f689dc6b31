"""MLflow servers that are down, hang, fail or lose responses: every result is recorded once."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest
from misbehaving import misbehaving
from small import BIN, Laboratory
from studying import free_port, wait_for_server
from tracked import only_drawer_and_sizes, tracked

IMPATIENT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"}


FAILING = ("dead", "hangs", "fails", "strange")


@pytest.mark.parametrize("mode", FAILING)
def test_a_failing_server_costs_one_line_and_no_result(reproduced, mine, mode):
    with misbehaving(mode) as server:
        if mode == "dead":
            server.stop()
        environment = IMPATIENT | {"MLFLOW_TRACKING_URI": server.address}
        shutil.rmtree(mine.root / "models/drawer")
        trained = mine.pipeline("train", "drawer", **environment)
        synced = mine.pipeline("sync", **environment)
    assert trained.returncode == 0, trained.stderr
    assert trained.stderr.count(f"MLflow at {server.address} fails (") == 1, trained.stderr
    assert trained.stderr.count("when MLflow works again, run: pipeline sync") == 1
    assert (synced.returncode, synced.stdout) == (2, "")
    assert synced.stderr.startswith(f"error: MLflow at {server.address}: ")
    assert len(synced.stderr.splitlines()) == 1, synced.stderr
    for path in (reproduced.root / "models/drawer").iterdir():
        assert (mine.root / "models/drawer" / path.name).read_bytes() == path.read_bytes()


@pytest.fixture
def upstream(tmp_path) -> Iterator[tuple[int, Laboratory]]:
    """A real MLflow server: its port, and the folder of its database as a laboratory."""
    port, folder = free_port(), tmp_path / "server"
    folder.mkdir()
    command = [BIN / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", "sqlite:///mlflow.db", "--workers", "1"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    with subprocess.Popen(
        [*map(str, command)],
        cwd=folder,
        env=Laboratory(folder).environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_for_server(process, port)
            yield port, Laboratory(folder)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_results_that_a_server_missed_are_added_once(reproduced, mine, upstream):
    """It dies while a training is shown live, then loses responses, and then is slow."""
    port, server = upstream
    only_drawer_and_sizes(mine.root)
    with misbehaving("dies", port) as proxy:
        environment = {"MLFLOW_TRACKING_URI": proxy.address}
        done = mine.pipeline("train", "drawer", **environment)
        assert (done.returncode, done.stderr.count("fails (")) == (0, 1), done.stderr
        assert server.rows("select name, status from runs") == [("drawer", "RUNNING")]
        proxy.mode = "loses"
        done = mine.pipeline("sync", **environment)
        assert done.returncode in (0, 2), done.stderr
        assert "Traceback" not in done.stderr
        proxy.mode = "well"
        done = mine.pipeline("sync", **environment)
        assert done.returncode == 0, done.stderr
        proxy.mode = "slow"
        done = mine.pipeline("train", "drawer", **environment)
        assert (done.returncode, "MLflow" in done.stderr) == (0, False), done.stderr
        done = mine.pipeline("sync", **environment)
        assert "drawer: complete" in done.stdout
        assert "sizes: complete" in done.stdout
    assert tracked(server) == tracked(reproduced)
