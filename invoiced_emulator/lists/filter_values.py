"""Compares filter values with stored values, by the database's casts and Invoiced's date rules."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from invoiced_emulator.records.conditions import Conditions
from invoiced_emulator.records.kinds import FieldType

_LEADING_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DATE_FORMATS = ("%m/%d/%Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y")
_PATTERNS: dict[str, Callable[[str], str]] = {
    "starts_with": lambda value: f"{value}%",
    "ends_with": lambda value: f"%{value}",
    "contains": lambda value: f"%{value}%",
    "not_contains": lambda value: f"%{value}%",
}
COMPARISONS = frozenset({"=", "<>", ">=", ">", "<", "<="})
OPERATORS = COMPARISONS | _PATTERNS.keys() | {"empty", "not_empty"}


@dataclass(frozen=True, slots=True)
class Operand:
    """The left side of a comparison: an SQL expression, its type and the company's time zone."""

    expression: str
    type: FieldType
    zone: ZoneInfo


def compare(conditions: Conditions, operand: Operand, operator: str, value: object) -> None:
    """Adds `operand operator value` to the conditions.

    Raises:
        ValueError: The operand is a date and the value is not.
    """
    expression, type_ = operand.expression, operand.type
    if operator in {"empty", "not_empty"}:
        test = f"({expression} IS NULL OR {expression} = '')"
        conditions.add(test if operator == "empty" else f"NOT {test}")
    elif operator in _PATTERNS:
        pattern = _PATTERNS[operator](_escaped(str(value)))
        negation = "NOT " if operator == "not_contains" else ""
        conditions.add(f"{expression} {negation}LIKE ? ESCAPE '\\'", pattern)
    elif type_ in {"date", "stamp"}:
        conditions.add(f"{expression} {operator} ?", _epoch(value, operator, operand))
    elif type_ in {"number", "boolean"}:
        conditions.add(f"{expression} {operator} ?", as_number(value))
    elif type_ == "negated":
        conditions.add(f"-{expression} {operator} ?", as_number(value))
    else:
        # Plain columns have their collation declared; with another one their index is not used.
        collation = "" if expression.startswith("r.") else " COLLATE NOCASE"
        conditions.add(f"{expression} {operator} ?{collation}", str(value))


def as_number(value: object) -> int | float:
    """Returns a value as the database compares it with a number: `true` and `x` are 0."""
    if isinstance(value, int):
        return int(value)
    match = _LEADING_NUMBER.match(str(value))
    if match is None:
        return 0
    number = float(match[0])
    return int(match[0]) if match[0].strip().lstrip("+-").isdigit() else number


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _epoch(value: object, operator: str, operand: Operand) -> int:
    zone = operand.zone
    moment = parse_date(value)
    if operand.type == "stamp":
        # Observed: the date and time count in the company's zone, and an offset is ignored.
        return int(moment.replace(tzinfo=zone).timestamp())
    moment = moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
    if operator == ">=":
        moment = datetime.combine(moment.date(), time(0), tzinfo=zone)
    elif operator == "<=":
        following = datetime.combine(moment.date() + timedelta(days=1), time(0), tzinfo=zone)
        return int(following.timestamp()) - 1
    return int(moment.timestamp())


def parse_date(value: object) -> datetime:
    """Parses a date; the result has a zone only when the text has an offset.

    Raises:
        ValueError: The text is not a date; Unix timestamps are not.
    """
    text = str(value).strip()
    if text.isdigit() and len(text) != len("20240101"):
        msg = f"not a date: {text}"
        raise ValueError(msg)
    for layout in _DATE_FORMATS:
        try:
            return datetime.strptime(text, layout)  # noqa: DTZ007 - the company's zone is applied later
        except ValueError:
            continue
    return datetime.fromisoformat(text)
