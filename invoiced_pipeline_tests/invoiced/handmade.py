"""A small server for what the emulator never does: no headers, no filters, redirects."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

Reply = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, dict[str, str]], Reply]


class HandmadeApi:
    """Serves one response, a list of records, or another server's responses without some headers.

    Args:
        body: What every request gets.
        reply: Called with path and query parameters for the whole reply.
        records: What the list holds.
        honours: Which of page, sort, updated_after and updated_before the list obeys.
        page_size: Records in a page.
        forward_to: Base URL of the server whose answers are passed on.
        without: Headers left out.
    """

    def __init__(
        self,
        *,
        body: bytes | None = None,
        reply: Handler | None = None,
        records: Sequence[dict[str, Any]] = (),
        honours: Iterable[str] = (),
        page_size: int = 100,
        forward_to: str | None = None,
        without: Iterable[str] = (),
    ) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Path with query, and headers by lower-case name, of every request."""
        self._body = body
        self._reply = reply
        self._records = records
        self._honours = set(honours)
        self._page_size = page_size
        self._forward_to = forward_to
        self._without = {name.lower() for name in without}
        api = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                sent = {name.lower(): value for name, value in self.headers.items()}
                api.requests.append((self.path, sent))
                status, headers, content = api.answer(self.path, sent)
                self.send_response_only(status)
                for name, value in headers.items():
                    if name.lower() not in api._without:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Logs nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, target: str, headers: dict[str, str]) -> Reply:
        query = dict(parse_qsl(urlsplit(target).query))
        if self._reply is not None:
            return self._reply(urlsplit(target).path, query)
        if self._forward_to is not None:
            return self._forwarded(target, headers)
        if self._body is not None:
            return 200, {"Content-Type": "application/json"}, self._body
        return self._page(query)

    def _page(self, query: dict[str, str]) -> Reply:
        obeyed = {name: value for name, value in query.items() if name in self._honours}
        after = int(obeyed.get("updated_after", -(10**12)))
        before = int(obeyed.get("updated_before", 10**12))
        chosen = [record for record in self._records if after < record["updated_at"] < before]
        if "sort" in obeyed:
            descending = "desc" in obeyed["sort"]
            chosen.sort(key=lambda record: record["updated_at"], reverse=descending)
        first = (int(obeyed.get("page", 1)) - 1) * self._page_size
        page = json.dumps(chosen[first : first + self._page_size]).encode()
        return 200, {"X-Total-Count": str(len(chosen))}, page

    def _forwarded(self, target: str, headers: dict[str, str]) -> Reply:
        request = urllib.request.Request(  # noqa: S310 - the emulator's address
            f"{self._forward_to}{target}", headers={"Authorization": headers["authorization"]}
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310
            kept = {
                name: value
                for name, value in response.headers.items()
                if name.lower() != "content-length"
            }
            return response.status, kept, response.read()
