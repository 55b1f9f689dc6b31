"""Commands of the pipeline in processes that start at once: forked from a warm server.

Importing TensorFlow, MLflow, Optuna and Matplotlib takes about six seconds of each command. A
server imports them once. `python` and `pipeline` in a folder of shims, first on PATH, send their
arguments, environment, working folder and standard streams to it, and it forks a process that runs
the command. So `dvc repro` runs real stages in real processes, without their imports, and a kill
at a random moment falls into their work. All other calls of `python` go to the real one.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from small import ROOT

SHIM = """#!{python} -IS
import json, os, signal, socket, sys
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
words = ["-m", "pipeline", *words] if name == "pipeline" else words
if words[:2] != ["-m", "pipeline"]:
    os.execv({python!r}, [{python!r}, *words])
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
job = dict(words=words[2:], folder=os.getcwd(), environment=dict(os.environ))
text = json.dumps(job).encode()
server.sendall(len(text).to_bytes(8, "big") + text)
socket.send_fds(server, [b"f"], [0, 1, 2])
child = int(server.recv(20))
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: os.kill(child, number))
code = int(server.recv(20) or b"137")
if code < 0:
    signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
sys.exit(code)
"""

MODULES = [
    *("engine.replicas", "tracking.logger", "tracking.studies", "tracking.registry"),
    *(f"stages.{name}" for name in ("check", "generate", "train", "evaluate", "figures", "study")),
    "stages.report",
    *(
        f"problems.{problem}.{part}"
        for problem in ("shapes", "echo", "text")
        for part in ("config", "data", "model", "metrics", "figures", "serving")
    ),
]


def start_server() -> Path:
    """Start a server; returns the folder of shims. The server ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    address = str(folder / "socket")
    for name in ("python", "python3", "pipeline"):
        shim = folder / "bin" / name
        shim.parent.mkdir(exist_ok=True)
        shim.write_text(SHIM.format(python=sys.executable, address=address))
        shim.chmod(0o755)
    # Without what importing the pipeline here has set: the server has to see it set.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "MLFLOW_"))}
    environment = kept | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", __file__, address, str(os.getpid())]
    server = subprocess.Popen(command, env=environment, cwd=ROOT)
    atexit.register(server.kill)
    while not Path(address).exists():
        assert server.poll() is None, "the server of warm commands did not start"
        time.sleep(0.05)
    return folder / "bin"


def serve(address: str, parent: int) -> None:
    """Import everything, then fork a process for each connection."""
    import multiprocessing
    from importlib import import_module

    before = dict(os.environ)
    for module in MODULES:
        import_module(f"pipeline.{module}")
    defaults = {key: value for key, value in os.environ.items() if before.get(key) != value}
    # Workers are forked, too: TensorFlow is imported here, but has not run anything yet.
    get_context = multiprocessing.get_context
    multiprocessing.get_context = lambda method=None: get_context("fork" if method else None)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{address}.new")
    listener.listen()
    listener.settimeout(1)
    Path(f"{address}.new").rename(address)
    while os.getppid() == parent:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        with suppress(TimeoutError):
            client, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _supervise(client, defaults)
            client.close()


def _supervise(client: socket.socket, defaults: dict[str, str]) -> None:
    """Fork the command, report its process and its exit code, and end."""
    client.settimeout(None)
    size = int.from_bytes(client.recv(8, socket.MSG_WAITALL), "big")
    job = json.loads(client.recv(size, socket.MSG_WAITALL))
    _, streams, _, _ = socket.recv_fds(client, 1, 3)
    child = os.fork()
    if child == 0:
        client.close()
        _run(job, streams, defaults)
    client.sendall(str(child).encode())
    threading.Thread(target=_kill_with_shim, args=(client, child), daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(OSError):
        client.sendall(str(code).encode())
    os._exit(0)


def _kill_with_shim(client: socket.socket, child: int) -> None:
    """Wait for the end of the shim; if it was killed, its command is killed, too."""
    with suppress(OSError):
        client.recv(1)
        os.kill(child, signal.SIGKILL)


def _run(job: dict, streams: list[int], defaults: dict[str, str]) -> None:
    """Become the command."""
    import traceback

    os.chdir(job["folder"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.environ.clear()
    os.environ.update(defaults | job["environment"])  # as importing the pipeline sets them
    sys.argv = ["pipeline", *job["words"]]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code = 1
    try:
        import pipeline.__main__

        pipeline.__main__.run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        traceback.print_exc()
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    import multiprocessing.util

    multiprocessing.util._exit_function()
    os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
