"""What identifies a row at the API: idempotency key and marker; and an API key's fingerprint."""

import hashlib
from collections.abc import Sequence

from pydantic import SecretStr

_SEPARATOR = "\x1f"
"""Unit separator: different lists of texts stay different when they are joined."""


def idempotency_key(
    dataset: str, writeback: str, rows: Sequence[tuple[str, str]], generation: int
) -> str:
    """Makes the key of one request: the same for the same rows, payloads and generation.

    Under a stored key the API returns the stored response, whatever body and path come with it
    (observed behaviour). A request that must not get an older response needs another generation.

    Args:
        dataset: Where the ledger is.
        writeback: Name of the write-back.
        rows: Record key and payload hash of every row of the request.
        generation: Number of the key: one more than that of the row's last key.
    """
    parts = [text for row in rows for text in row]
    return f"ip-{_digest(dataset, writeback, str(generation), *parts)[:40]}"


def marker(dataset: str, writeback: str, record_key: str) -> str:
    """Makes the text that goes into a new record's metadata, so that a look-up can find it.

    It does not depend on the payload: a row makes one record, however often the row changes.
    """
    return _digest(dataset, writeback, record_key)[:32]


def fingerprint(api_key: SecretStr) -> str:
    """Identifies an API key without revealing it."""
    return _digest("api key", api_key.get_secret_value())[:16]


def _digest(*parts: str) -> str:
    return hashlib.sha256(_SEPARATOR.join(parts).encode()).hexdigest()
