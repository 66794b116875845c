"""Servers that receive alerts: a webhook over HTTP, and a mail server."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

TOKEN = "TokenOfTheWebhook"
"""A secret in a webhook's address, which nobody may see."""


@dataclass
class Webhook:
    """Takes messages as Apprise's `json://` sends them.

    Attributes:
        address: What goes into `INVOICED_ALERT_URLS`.
        messages: What it has taken.
        is_up: Whether it takes messages; else it answers 503.
        refused: How many it did not take.
    """

    address: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    is_up: bool = True
    refused: int = 0

    def take(self) -> list[dict[str, Any]]:
        """Empties it, and gives what was in it."""
        found, self.messages = self.messages, []
        return found

    @property
    def everything(self) -> str:
        return json.dumps(self.messages)


@contextmanager
def webhook(name: str = "hook") -> Iterator[Webhook]:
    """A webhook on a free port, with a token in its path and query."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            inbox.refused += not inbox.is_up
            if inbox.is_up:
                inbox.messages.append(json.loads(body))
            self.send_response(200 if inbox.is_up else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stays silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        port = server.server_address[1]
        inbox = Webhook(f"json://user:{TOKEN}@127.0.0.1:{port}/{name}/{TOKEN}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield inbox
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Mailbox:
    """Takes mail over SMTP.

    Attributes:
        address: What goes into `INVOICED_ALERT_URLS`.
        mails: What it has taken, with its recipients in `X-Recipients`.
    """

    address: str
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        mail["X-Recipients"] = ",".join(envelope.rcpt_tos)
        self.mails.append(mail)
        return "250 Taken"


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server on a free port."""
    port = free_port()
    to = "night@example.com,day@example.com"
    inbox = Mailbox(f"mailto://127.0.0.1:{port}?from=pipeline@example.com&to={to}")
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]
