"""The decision whether a row may be sent, given what the ledger holds about it."""

from dataclasses import dataclass

from invoiced_pipeline.writeback.ledger.ledger import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """Rows that are sent again although nothing in them changed.

    Attributes:
        rejected: Whether to send every row that the API refused.
        record_keys: Keys of rows to send, also where an outcome is unknown.
    """

    rejected: bool = False
    record_keys: frozenset[str] = frozenset()

    def include(self, entry: Entry) -> bool:
        """Whether a refused row, or one with an unknown outcome, is sent again."""
        is_refused = self.rejected and entry.state == "rejected"
        return is_refused or (
            entry.record_key in self.record_keys and entry.state in {"rejected", "unknown"}
        )


NO_RETRIES = Retries()


def reason_to_hold(
    entry: Entry | None, payload_hash: str, retries: Retries, *, creates: bool
) -> str | None:
    """Decides whether a row may be sent: the one rule of plans and pushes.

    Args:
        entry: What the ledger holds about the row; None where it holds nothing.
        payload_hash: Hash of what the row wants now.
        retries: Rows to send again.
        creates: Whether the request would create a record.

    Returns:
        Why the row must not be sent; None when it may.
    """
    if entry is None:
        return None
    if entry.state == "sent":
        return "the outcome of its last request is not known yet: the next push looks it up first"
    if creates and entry.invoiced_id is not None:
        return f"it created record {entry.invoiced_id} already"
    if retries.include(entry):
        return None
    if entry.state == "unknown":
        return "whether it was carried out is not known: look for the record in Invoiced"
    if entry.state == "rejected" and entry.payload_hash == payload_hash:
        return "the API refused it; it is sent again when it changes, or by `writeback retry`"
    return None
