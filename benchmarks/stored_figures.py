"""Reads the figures of every sync back from `results.md`, so that charts can be drawn again."""

import re
from dataclasses import dataclass

_TITLE = re.compile(r"## (?P<invoices>[\d,]+) invoices, .*: figures")
_CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFigure:
    """One sync of one engine.

    Attributes:
        invoices: How many the account has.
        sync: Such as `first sync`.
        engine: Engine, tables and conditions, such as `tap | target, 6 tables`.
        rows_per_second: Records loaded per second; 0 where none were.
        seconds: From start to end.
        peak_mb: Peak memory in 10^6 bytes.
    """

    invoices: int
    sync: str
    engine: str
    rows_per_second: float
    seconds: float
    peak_mb: float


def stored_figures(text: str) -> list[StoredFigure]:
    """Reads all figures, in the order of the tables.

    Raises:
        ValueError: The text has no table of figures.
    """
    found: list[StoredFigure] = []
    invoices = None
    for line in text.splitlines():
        if line.startswith("## "):
            title = _TITLE.fullmatch(line)
            invoices = None if title is None else int(title["invoices"].replace(",", ""))
        elif invoices is not None and line.startswith("| ") and not line.startswith("| sync |"):
            found.append(_figure(invoices, line))
    if not found:
        message = "no table of figures in these results: run `make bench` first"
        raise ValueError(message)
    return found


def _figure(invoices: int, line: str) -> StoredFigure:
    cells = [cell.strip().replace("\\|", "|") for cell in _CELL.split(line)[1:-1]]
    sync, engine, _, seconds, speed, _, peak_mb, *_ = cells
    return StoredFigure(
        invoices=invoices,
        sync=sync,
        engine=engine,
        rows_per_second=float(speed.replace(",", "")),
        seconds=float(seconds),
        peak_mb=float(peak_mb),
    )
