"""Payment terms and due dates."""

import re

from invoiced_emulator.protocol.clock import DAY

_NET = re.compile(r"NET\s*(\d+)", re.IGNORECASE)


def due_date(payment_terms: str | None, date: int) -> int | None:
    """Returns the due date (epoch seconds) of `NET n`: n days later; other terms have none."""
    match = _NET.fullmatch((payment_terms or "").strip())
    return date + int(match[1]) * DAY if match else None
