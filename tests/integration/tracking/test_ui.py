"""The command `pipeline ui`."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from misbehaving import misbehaving
from small import BIN, Laboratory
from studying import PATIENCE, free_port, wait_until


@contextmanager
def serving(laboratory: Laboratory) -> Iterator[tuple[subprocess.Popen, str]]:
    """The command and its address, once it has printed its links; then terminate the command.

    The server must have ended with it.
    """
    port = free_port()
    process = subprocess.Popen(
        [BIN / "pipeline", "ui", "--port", str(port)],
        cwd=laboratory.root,
        env=laboratory.environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Processes of a background job ignore interrupts, and their children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        lines = iter(process.stderr.readline, "press Ctrl-C to stop\n")
        assert any(line.startswith("shapes: http://127.0.0.1:") for line in lines)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate()
    assert not [line for line in command_lines() if f"--port {port}" in line]


def experiments(address: str) -> list[str]:
    """The names of the experiments that a server has."""
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/experiments/search",
        json.dumps({"max_results": 10}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return [experiment["name"] for experiment in json.load(response)["experiments"]]


def command_lines() -> list[str]:
    """The command lines of all processes."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return lines


def test_links_are_printed_when_the_server_answers_and_ctrl_c_ends_it(reproduced):
    with serving(reproduced) as (process, address):
        assert "shapes" in experiments(address)
        port = address.rpartition(":")[2]
        ours = [line for line in command_lines() if f"--port {port}" in line]
        assert any("mlflow server" in line for line in ours)
        # Its address may hold a password, and every user of a machine sees all command lines.
        assert not [line for line in ours if "mlflow.db" in line]
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(PATIENCE) == 130
        assert process.stderr.read().endswith("press Ctrl-C to stop\n")  # and no tracebacks


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_server(reproduced, number):
    with serving(reproduced) as (process, _):
        process.send_signal(number)
        assert process.wait(PATIENCE) == 128 + number


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is a function of Linux")
def test_killing_the_command_ends_the_server(reproduced):
    with serving(reproduced) as (process, address):
        process.kill()
        port = address.rpartition(":")[2]
        wait_until(lambda: not [line for line in command_lines() if f"--port {port}" in line])


def test_a_port_in_use_is_refused(laboratory):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = laboratory.run("pipeline", "ui", "--port", str(port), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"error: --port: {port} cannot be used (Address already in use)"
    ]


def test_links_to_a_server_have_no_user_part(reproduced):
    """Browsers take `…@host` for a user name."""
    with (
        serving(reproduced) as (_, address),
        misbehaving("well", int(address.rpartition(":")[2])) as proxy,
    ):
        uri = proxy.address.replace("//", "//student:secret@")
        done = reproduced.run("pipeline", "ui", env={"MLFLOW_TRACKING_URI": uri})
    (link,) = [line for line in done.stderr.splitlines() if line.startswith("shapes: ")]
    assert link.startswith(f"shapes: {proxy.address}/#/experiments/")
    assert "secret" not in done.stderr


def test_the_password_of_a_server_is_written_nowhere(mine):
    password = "aardvark-5071"
    mine.change("cells: 4", "cells: 5")
    with (
        serving(mine) as (_, address),
        misbehaving("well", int(address.rpartition(":")[2])) as proxy,
    ):
        uri = proxy.address.replace("//", f"//student:{password}@")
        environment = {
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "false",
        }
        for command in ("train drawer", "evaluate drawer", "study sizes", "sync"):
            words = ("python", "-m", "pipeline", *command.split())
            done = mine.run(*words, env=environment, warm=False)
            assert password not in done.stdout + done.stderr
    files = [path for path in mine.root.rglob("*") if path.is_file()]
    assert not [path for path in files if password.encode() in path.read_bytes()]
