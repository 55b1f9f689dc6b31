"""A server between the pipeline and MLflow that misbehaves as real ones do."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP = {"connection", "transfer-encoding", "content-length", "host"}


class Proxy:
    """Hands requests on to a server, or not, as `mode` says.

    `well`; `slow`: each answer comes late; `hangs`: no answer comes; `fails`: each is a 500;
    `strange`: each is a page, as hotels' networks have them; `loses`: every third request is
    carried out, and its answer lost; `dies`: nobody is there any more once a run was made.
    """

    def __init__(self, upstream: int | None, mode: str):
        self.mode, self.upstream, self.requests = mode, upstream, 0
        self.deceased = False
        self.over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                outer.requests += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                match outer.mode:
                    case "hangs":
                        outer.over.wait(120)
                        self.close_connection = True
                    case "fails":
                        self.print_status(
                            500, b'{"error_code": "INTERNAL_ERROR", "message": "it broke"}'
                        )
                    case "strange":
                        self.print_status(200, b"<html>Please log in</html>", "text/html")
                    case "loses" if outer.requests % 3 == 0:
                        self.forward(body)
                        self.close_connection = True
                    case "dies" if outer.deceased:
                        self.close_connection = True
                    case mode:
                        time.sleep(0.05 if mode == "slow" else 0)
                        status, content, kind = self.forward(body)
                        self.print_status(status, content, kind)
                        outer.deceased = self.path.endswith("runs/create")

            def forward(self, body: bytes) -> tuple[int, bytes, str]:
                kept = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
                upstream = http.client.HTTPConnection("127.0.0.1", outer.upstream, timeout=60)
                with closing(upstream) as server:
                    server.request(self.command, self.path, body, kept)
                    with server.getresponse() as found:
                        return found.status, found.read(), found.getheader("Content-Type", "")

            def print_status(
                self, status: int, content: bytes, kind: str = "application/json"
            ) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        """Let nobody be there any more."""
        self.over.set()
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
