"""How a message shows a value of a row."""

from typing import Any

from invoiced_pipeline.writeback.source.instants import Instant


def quoted(value: Any) -> str:
    """What a value is; long ones and structures are not repeated."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = value.shown if isinstance(value, Instant) else str(value)
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
