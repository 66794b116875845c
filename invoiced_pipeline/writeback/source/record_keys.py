"""Record keys: trimmed texts that fit the ledger's primary key."""

from collections.abc import Mapping, Sequence
from typing import Any

from invoiced_pipeline.catalog.operations import Field
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.source.payment_data import looks_like_payment_data
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.source.values import fitted

LONGEST_KEY = 1000
"""In bytes of UTF-8. PostgreSQL allows 2,704 bytes in an index, here the ledger's primary key."""

_TEXT = Field(name="key", type="text", description="The record key.")


def key_text(value: Any) -> str:
    """The text of a key as the source has it; empty for NULL."""
    return "" if value is None else str(fitted(value, _TEXT))


def ledger_key(text: str, known: Mapping[str, Entry]) -> str:
    """The key without surrounding white space.

    A row that was sent before keys were trimmed keeps its key: another key would create a second
    record.
    """
    trimmed = text.strip()
    former = known.get(text) if trimmed not in known else None
    is_former = former is not None and (
        former.succeeded_hash is not None or former.state not in {"invalid", "held"}
    )
    return text if is_former else trimmed


def key_problem(column: str, text: str) -> Problem | None:
    """Returns why the ledger cannot hold a key, without repeating it; None if it can."""
    if "\x00" in text:
        return Problem(
            f"the key column {column} holds the character U+0000, which PostgreSQL cannot "
            "store: remove it",
            column,
        )
    length = len(text.encode("utf-8", "replace"))
    if length > LONGEST_KEY:
        return Problem(
            f"the key column {column} holds {length:,} bytes, and a key may have "
            f"{LONGEST_KEY:,}: use a shorter one",
            column,
        )
    return None


def same_key_problem(column: str, text: str, earlier: Sequence[str]) -> Problem | None:
    """Returns a problem if a key differs from an earlier row's key in white space only.

    Args:
        column: The key column.
        text: The key as the source has it.
        earlier: Keys of earlier rows with the same trimmed text, as the source has them.
    """
    if not earlier or earlier[0] == text or looks_like_payment_data(text):
        return None
    return Problem(
        f"the key {text!r} differs from {earlier[0]!r} of an earlier row in surrounding white "
        f"space only, so both name one record: correct {column} in one of them",
        column,
    )
