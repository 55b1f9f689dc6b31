"""A server between the pipeline and MLflow that fails in the ways of real ones."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP = {"connection", "transfer-encoding", "content-length", "host"}


class Proxy:
    """A proxy in front of an MLflow server, whose `mode` may be changed at any time.

    `well`: forwards requests. `slow`: responds late. `hangs`: never responds. `fails`: responds
    with status 500. `strange`: responds with an HTML page, as captive portals do. `loses`: forwards
    every third request, but drops its response. `dies`: drops all connections once a run was
    created.
    """

    def __init__(self, upstream: int | None, mode: str):
        self.mode, self.upstream, self.requests = mode, upstream, 0
        self.dead = False
        self.stopped = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self) -> None:
                outer.requests += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                match outer.mode:
                    case "hangs":
                        outer.stopped.wait(120)
                        self.close_connection = True
                    case "fails":
                        self.reply(500, b'{"error_code": "INTERNAL_ERROR", "message": "a bug"}')
                    case "strange":
                        self.reply(200, b"<html>Please log in</html>", "text/html")
                    case "loses" if outer.requests % 3 == 0:
                        self.forward(body)
                        self.close_connection = True
                    case "dies" if outer.dead:
                        self.close_connection = True
                    case mode:
                        time.sleep(0.05 if mode == "slow" else 0)
                        status, content, kind = self.forward(body)
                        self.reply(status, content, kind)
                        outer.dead = self.path.endswith("runs/create")

            def forward(self, body: bytes) -> tuple[int, bytes, str]:
                kept = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
                upstream = http.client.HTTPConnection("127.0.0.1", outer.upstream, timeout=60)
                with closing(upstream) as server:
                    server.request(self.command, self.path, body, kept)
                    with server.getresponse() as response:
                        content = response.read()
                        return response.status, content, response.getheader("Content-Type", "")

            def reply(self, status: int, content: bytes, kind: str = "application/json") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        """Stop the server: connections are refused from now on."""
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def misbehaving(mode: str, upstream: int | None = None) -> Iterator[Proxy]:
    proxy = Proxy(upstream, mode)
    thread = threading.Thread(target=proxy.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
