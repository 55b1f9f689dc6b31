"""Headless Firefox by WebDriver BiDi, without geckodriver, which Debian does not have."""

import itertools
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import websocket
from ui import wait

FIREFOX = shutil.which("firefox") or shutil.which("firefox-esr")


class Firefox:
    """A window; `errors` are those that its pages have reported."""

    def __init__(self, address: str):
        self.socket = websocket.create_connection(f"{address}/session", suppress_origin=True)
        self.numbers = itertools.count()
        self.errors: list[str] = []
        self.call("session.new", capabilities={})
        self.call("session.subscribe", events=["log.entryAdded"])
        self.context = self.call("browsingContext.getTree")["contexts"][0]["context"]

    def call(self, method: str, **params) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self.socket.recv())).get("id") != number:
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.errors.append(answer["params"]["text"])
        assert answer["type"] == "success", answer
        return answer["result"]

    def close(self) -> None:
        """End the session."""
        self.socket.close()

    def open(self, address: str) -> None:
        """Open an address in a fresh state."""
        for url in ("about:blank", address):
            self.call("browsingContext.navigate", context=self.context, url=url, wait="complete")

    def js(self, expression: str) -> Any:
        """Return the value of an expression or of its promise: text, a number or a boolean."""
        target = {"context": self.context}
        evaluated = self.call(
            "script.evaluate", expression=expression, target=target, awaitPromise=True
        )
        assert evaluated["type"] == "success", evaluated
        return evaluated["result"].get("value")


@contextmanager
def browser() -> Iterator[Firefox]:
    """Firefox with a new profile."""
    with tempfile.TemporaryDirectory() as profile:
        command = [FIREFOX, "--headless", "--no-remote", "--profile", profile]
        command += ["--remote-debugging-port", "0"]  # any that is free
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, **silent)
        try:
            place = Path(profile) / "WebDriverBiDiServer.json"
            server = json.loads(wait(lambda: place.is_file() and place.read_text()))
            with closing(Firefox(f"ws://{server['ws_host']}:{server['ws_port']}")) as window:
                yield window
        finally:
            process.terminate()
            process.wait()
