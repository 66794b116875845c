"""The names that a row goes by at the API: idempotency key, marker; and the API key's own."""

import hashlib
from collections.abc import Sequence

from pydantic import SecretStr

_SEPARATOR = "\x1f"
"""Unit separator: so that no two lists of texts are the same when joined."""


def idempotency_key(
    dataset: str, writeback: str, rows: Sequence[tuple[str, str]], generation: int
) -> str:
    """The key of one request: the same for the same rows, payloads and generation.

    The API compares neither body nor path of what comes under a stored key (observed behaviour):
    whatever must not be answered with an older answer needs another generation.

    Args:
        dataset: Where the ledger is.
        writeback: Name of the write-back.
        rows: Record key and payload hash of every row of the request.
        generation: How many keys the first row had before.
    """
    parts = [text for row in rows for text in row]
    return f"ip-{_digest(dataset, writeback, str(generation), *parts)[:40]}"


def marker(dataset: str, writeback: str, record_key: str) -> str:
    """What is put into a new record's metadata, so that it can be found by it.

    It does not depend on the payload: a row makes one record, however often the row changes.
    """
    return _digest(dataset, writeback, record_key)[:32]


def fingerprint(api_key: SecretStr) -> str:
    """Tells one API key from another, without telling either."""
    return _digest("api key", api_key.get_secret_value())[:16]


def _digest(*parts: str) -> str:
    return hashlib.sha256(_SEPARATOR.join(parts).encode()).hexdigest()
