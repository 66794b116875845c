"""Sending an answer over uvicorn's connection, whole, in part or not at all."""

from collections.abc import Mapping
from typing import Any

from starlette.types import Send

from invoiced_emulator.calls.call import Response


async def respond(send: Send, response: Response, headers: Mapping[str, str]) -> None:
    """Send the whole answer."""
    body = response.body or b""
    await send(_start(response, headers, len(body)))
    await send({"type": "http.response.body", "body": body})


async def respond_partly(send: Send, response: Response, headers: Mapping[str, str]) -> None:
    """Announce the whole body, send half of it and close the connection."""
    body = response.body or b""
    await send(_start(response, headers, len(body)))
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    _transport(send).close()


async def cut(send: Send) -> None:
    """Close the connection without an answer."""
    _transport(send).abort()


def _start(response: Response, headers: Mapping[str, str], length: int) -> dict[str, Any]:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    if response.status != 204:
        if "Content-Type" not in headers:
            pairs.append((b"Content-Type", b"application/json"))
        pairs.append((b"Content-Length", str(length).encode()))
    return {"type": "http.response.start", "status": response.status, "headers": pairs}


def _transport(send: Send) -> Any:
    # ASGI has no way to drop a connection; uvicorn's send is a method of the object that holds
    # the socket's transport.
    cycle: Any = getattr(send, "__self__", None)
    return cycle.transport
