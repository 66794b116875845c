"""Which values of two tools count as equal: one line for each rule of docs/coming-from.md."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from invoiced_pipeline.catalog.model import ColumnType
from invoiced_pipeline.comparison.values import are_equal

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
BERLIN = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("decimal", 107.305, Decimal("107.3050000000")),
        ("decimal", 1000000000000000.0, Decimal("1000000000000000.01")),
        ("decimal", "12.50", Decimal("12.5")),
        ("decimal", 12, Decimal("12.0000000000")),
        ("decimal", "", None),
        ("bigint", 7.0, 7),
        ("bigint", "7", 7),
        ("text", "", None),
        ("text", 7, "7"),
        ("boolean", None, False),
        ("boolean", False, None),
        ("boolean", 1, True),
        ("boolean", "f", False),
        ("timestamp", datetime(2026, 3, 1, 12), NOON),  # noqa: DTZ001 - as targets store it
        ("timestamp", datetime(2026, 3, 1, 13, tzinfo=BERLIN), NOON),
        ("timestamp", "2026-03-01T12:00:00.000000Z", NOON),
        ("timestamp", "2026-03-01 13:00:00+01:00", NOON),
        ("timestamp", int(NOON.timestamp()), NOON),
        ("timestamp", NOON.timestamp() * 1000, NOON),
        ("timestamp", str(int(NOON.timestamp())), NOON),
        ("timestamp", date(2026, 3, 1), MIDNIGHT),
        ("json", '{"b": 1, "a": [2.0]}', '{"a":[2],"b":1.0}'),
        ("json", {"a": [Decimal("0.1")]}, '{"a": [0.1]}'),
        ("json", "null", None),
        ("json", "", None),
        ("json", None, None),
    ],
)
def test_equal(kind: ColumnType, old: Any, new: Any) -> None:
    assert are_equal(kind, old, new)


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("decimal", 107.31, Decimal("107.305")),
        ("decimal", 0.0, None),
        ("decimal", None, Decimal(0)),
        ("decimal", "ten", Decimal(10)),
        ("bigint", 7.5, 7),
        ("text", " a", "a"),
        ("text", "a", None),
        ("boolean", True, None),
        ("timestamp", datetime(2026, 3, 1, 12, 0, 1), NOON),  # noqa: DTZ001 - as targets store it
        ("timestamp", None, NOON),
        ("timestamp", "soon", NOON),
        ("timestamp", 1e300, NOON),
        ("json", "[1, 2]", "[2, 1]"),
        ("json", "{}", None),
        ("json", "[true]", "[0]"),
        ("json", "{not json", "{}"),
    ],
)
def test_different(kind: ColumnType, old: Any, new: Any) -> None:
    assert not are_equal(kind, old, new)
