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
    """Returns an address as it is stored, with every field; None for an empty one.

    Raises:
        ApiError: 400 with the field as param.
    """
    if not isinstance(sent, dict) or not sent:
        return None
    now = work.clock.now()
    stamps = {"created_at": now, "updated_at": now}
    return {**dict.fromkeys(_PROPERTIES), **accepted_values(sent, _PROPERTIES), **stamps}
