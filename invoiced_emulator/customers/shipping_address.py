"""The shipping address of a document or subscription."""

from typing import Any

from invoiced_emulator.records.properties import Property, accepted_values
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork

_PROPERTIES = {
    **{
        name: Property()
        for name in ("name", "attention_to", "address1", "address2", "city", "state", "postal_code")
    },
    "country": Property("country"),
}


def shipping_address(work: UnitOfWork, sent: Any) -> Record | None:
    """An address as it is stored: every field, and when it was written; None clears it.

    Raises:
        ApiError: 400 with the name of the field.
    """
    if not isinstance(sent, dict) or not sent:
        return None
    now = work.clock.now()
    stamps = {"created_at": now, "updated_at": now}
    return {**dict.fromkeys(_PROPERTIES), **accepted_values(sent, _PROPERTIES), **stamps}
