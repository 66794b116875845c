"""Payment terms: when an invoice is due."""

import re

_NET = re.compile(r"NET\s*(\d+)", re.IGNORECASE)
_DAY = 86_400


def due_date(payment_terms: str | None, date: int) -> int | None:
    """`NET n` is due n days after its date (epoch seconds); other terms have no due date."""
    match = _NET.fullmatch((payment_terms or "").strip())
    return date + int(match[1]) * _DAY if match else None
