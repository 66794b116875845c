"""A small real proxy, which remembers what it was asked for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3


@dataclass
class Proxy:
    """A proxy that forwards what is asked of it.

    Attributes:
        address: Host and port.
        requests: Method, target and headers (by lower-case name) of every request.
        password: The `Proxy-Authorization` it wants; None wants none.
    """

    address: str = ""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    password: str | None = None

    @property
    def targets(self) -> list[str]:
        return [f"{method} {target}" for method, target, _ in self.requests]


@contextmanager
def running_proxy(password: str | None = None) -> Iterator[Proxy]:
    """Serves a proxy that forwards plain HTTP, and refuses to build tunnels (502)."""
    proxy = Proxy(password=password)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not self._may_pass():
                return
            # Host names that no DNS knows: they are the proxy's to resolve.
            url = self.path.replace("invoiced.internal", "127.0.0.1")
            answer = urllib3.request(
                "GET",
                url,
                headers={"Authorization": self.headers["Authorization"]},
                redirect=False,
                retries=False,
            )
            self.send_response(answer.status)
            for name in ("Content-Type", "X-Total-Count", "Date"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self._end(answer.data)

        def do_CONNECT(self) -> None:
            if self._may_pass():
                self.send_response(502, "No tunnels")
                self._end(b"")

        def _may_pass(self) -> bool:
            sent = {name.lower(): value for name, value in self.headers.items()}
            proxy.requests.append((self.command, self.path, sent))
            if proxy.password in {None, self.headers.get("Proxy-Authorization")}:
                return True
            self.send_response(407)
            self._end(b"")
            return False

        def _end(self, body: bytes) -> None:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.address = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
