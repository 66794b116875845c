"""Values of a row in messages."""

from typing import Any

from invoiced_pipeline.writeback.source.instants import Instant


def quoted(value: Any) -> str:
    """A value in quotes: long texts are cut, objects and arrays are only named."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "an array"
    text = value.shown if isinstance(value, Instant) else str(value)
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
