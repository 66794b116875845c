"""Tiers of a plan's price."""

from itertools import pairwise
from typing import Any

from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import as_decimal

_PARAM = "tiers"


def check_tiers(tiers: Any) -> None:
    """Refuse tiers that do not start at 0 or overlap.

    Raises:
        ApiError: 400 with param `tiers`.
    """
    if not isinstance(tiers, list) or not tiers:
        raise refused("Tiers is missing", _PARAM)
    if as_decimal(tiers[0].get("min_qty") or 0) != 0:
        raise refused("The first tier must be 0 or left blank", _PARAM)
    for before, after in pairwise(tiers):
        upper, lower = as_decimal(before.get("max_qty")), as_decimal(after.get("min_qty"))
        if upper is None or lower is None or lower <= upper:
            raise refused("Invalid pricing tiers because quantity ranges overlap.", _PARAM)
