"""Payment terms: when an invoice is due."""

import re

from invoiced_emulator.protocol.clock import DAY

_NET = re.compile(r"NET\s*(\d+)", re.IGNORECASE)


def due_date(payment_terms: str | None, date: int) -> int | None:
    """`NET n` is due n days after its date (epoch seconds); other terms have no due date."""
    match = _NET.fullmatch((payment_terms or "").strip())
    return date + int(match[1]) * DAY if match else None
