"""Sends a response over uvicorn's connection, whole, in part or not at all."""

from collections.abc import Mapping
from typing import Any

from starlette.types import Send

from invoiced_emulator.calls.call import Response


async def respond(send: Send, response: Response, headers: Mapping[str, str]) -> None:
    """Sends the whole response."""
    body = response.body or b""
    await send(_start(response, headers, len(body)))
    await send({"type": "http.response.body", "body": body})


async def respond_partly(send: Send, response: Response, headers: Mapping[str, str]) -> None:
    """Announces the whole body, sends half of it and closes the connection."""
    body = response.body or b""
    await send(_start(response, headers, len(body)))
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    _transport(send).close()


async def cut(send: Send) -> None:
    """Closes the connection without a response."""
    _transport(send).abort()


def _start(response: Response, headers: Mapping[str, str], length: int) -> dict[str, Any]:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if response.status != 204:
        if "Content-Type" not in headers:
            pairs.append((b"Content-Type", b"application/json"))
        pairs.append((b"Content-Length", str(length).encode()))
    return {"type": "http.response.start", "status": response.status, "headers": pairs}


def _transport(send: Send) -> Any:
    # ASGI cannot drop a connection. uvicorn's `send` is a method of the object that holds the
    # socket's transport.
    cycle: Any = getattr(send, "__self__", None)
    return cycle.transport
