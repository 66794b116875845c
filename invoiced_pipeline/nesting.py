"""JSON that is nested too deeply for a parser, split without recursion.

Python's parsers raise RecursionError at about 1,000 levels minus the depth of the call stack, so
the limit is not known beforehand.
"""

import re
from collections.abc import Iterator
from typing import TypeVar

import msgspec

T = TypeVar("T")

TOO_DEEP = "nested too deeply"
"""Why a record is rejected."""

DEEPEST = 100
"""Levels that `shallow` keeps: far fewer than any parser's limit, far more than in any record."""

_array = msgspec.json.Decoder(list[msgspec.Raw])

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


def decode(decoder: "msgspec.json.Decoder[T]", body: bytes | msgspec.Raw) -> T:
    """Decodes JSON; if it is nested too deeply, decodes what `shallow` returns.

    Raises:
        msgspec.MsgspecError: As the decoder does.
    """
    try:
        return decoder.decode(body)
    except RecursionError:
        return decoder.decode(shallow(bytes(body)))


def array_elements(body: bytes) -> list[bytes]:
    """Returns the elements of a JSON array, each as its own bytes, at any depth.

    Raises:
        msgspec.MsgspecError: It is no JSON array.
    """
    try:
        return [bytes(raw) for raw in _array.decode(body)]
    except RecursionError:
        _array.decode(shallow(body))
        return list(elements(body))


def shallow(body: bytes, deepest: int = DEEPEST) -> bytes:
    """Returns the JSON with `null` for each array and object below `deepest` levels."""
    if body.count(b"[") + body.count(b"{") <= deepest:
        return body
    kept, copied, depth = [], 0, 0
    for token in _TOKEN.finditer(body):
        if token[0] in {b"[", b"{"}:
            depth += 1
            if depth == deepest + 1:
                kept += [body[copied : token.start()], b"null"]
        elif token[0] in {b"]", b"}"}:
            depth -= 1
            if depth == deepest:
                copied = token.end()
    return b"".join([*kept, body[copied:]])


def elements(body: bytes) -> Iterator[bytes]:
    """Yields the elements of a JSON array as bytes; nothing if it is no array."""
    start, depth = 0, 0
    for token in _TOKEN.finditer(body):
        if token[0] == b"[" and not depth:
            start = token.end()
        if token[0] in {b"[", b"{"}:
            depth += 1
        elif token[0] in {b"]", b"}"}:
            depth -= 1
        if (depth == 1 and token[0] == b",") or (not depth and token[0] == b"]"):
            element = body[start : token.start()].strip()
            if element:
                yield element
            start = token.end()
