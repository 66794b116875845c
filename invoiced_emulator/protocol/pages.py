"""Pages of a list: their size, the `Link` header, and values kept between pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from invoiced_emulator.protocol import query
from invoiced_emulator.protocol.clock import Clock

DEFAULT_SIZE = 100
CURSOR_REQUIRED_FROM = 10_000
"""From this offset, a page in primary-key order is served only after the page before it."""

_STRICT_FIRST = ("expand", "exclude", "include", "filter", "advanced_filter", "metadata")
_STRICT_DEFAULTS = ("page", "sort", "paginate", "updated_before", "updated_after")
_REMEMBERED_AT_MOST = 50_000


@dataclass(frozen=True, slots=True)
class Page:
    """The requested page of a list."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """How many rows come before the page."""
        return (self.number - 1) * self.size


def requested_page(values: Mapping[str, Any]) -> Page:
    """Returns the page of a request; values out of range are clamped."""
    number = query.integer(values.get("page")) or 1
    size = values.get("per_page", "")
    requested = query.integer(size)
    if size == "" or requested == 0:
        requested = DEFAULT_SIZE
    return Page(max(1, number), min(DEFAULT_SIZE, max(1, requested or 1)))


class ExpiringValues:
    """Keeps numbers for a limited time, such as counts and cursors, by list and offset."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._values: dict[tuple[str, int], tuple[int, int]] = {}

    def get(self, name: str, offset: int = 0) -> int | None:
        """Returns the value, or None when there is none or it has expired."""
        value, until = self._values.get((name, offset), (0, -1))
        return value if self._clock.now() < until else None

    def put(self, name: str, value: int, *, seconds: int, offset: int = 0) -> None:
        """Keeps a value for so many seconds."""
        now = self._clock.now()
        if len(self._values) >= _REMEMBERED_AT_MOST:
            self._values = {key: kept for key, kept in self._values.items() if kept[1] > now}
        self._values[name, offset] = (value, now + seconds)

    def clear(self) -> None:
        """Removes all values."""
        self._values.clear()


def link_header(
    base: str, values: Mapping[str, Any], page: Page, total: int, *, strict: bool
) -> str:
    """Returns the `Link` header: self, first, previous, next, last, in this order.

    Args:
        base: Address of the list without its query string.
        values: The query parameters of the request.
        page: The page served.
        total: Rows in the whole list.
        strict: The links of strict lists include the defaults of their parameters.
    """
    last = max(1, -(-total // page.size))
    numbers = {"self": page.number, "first": 1}
    if page.number > 1:
        numbers["previous"] = page.number - 1
    if page.number < last:
        numbers["next"] = page.number + 1
    numbers["last"] = last
    before, after = _around_page(values, page, strict=strict)
    return ", ".join(
        f'<{base}?{before}page={number}{after}>; rel="{relation}"'
        for relation, number in numbers.items()
    )


def _around_page(values: Mapping[str, Any], page: Page, *, strict: bool) -> tuple[str, str]:
    """Returns the parts of a link's query string before and after `page=N`."""
    size = {} if page.size == DEFAULT_SIZE else {"per_page": page.size}
    own = {name: value for name, value in values.items() if name not in {"page", "per_page"}}
    if not strict:
        query_string = _encoded(own | size)
        return f"{query_string}&" if query_string else "", ""
    first = {name: own[name] for name in _STRICT_FIRST if name in own}
    defaults = {
        "sort": own.get("sort", ""),
        "paginate": own.get("paginate", "offset"),
        "updated_before": query.integer(own.get("updated_before")) or 0,
        "updated_after": query.integer(own.get("updated_after")) or 0,
    }
    rest = {
        name: value
        for name, value in own.items()
        if name not in _STRICT_FIRST and name not in _STRICT_DEFAULTS
    }
    before = _encoded(first)
    return f"{before}&" if before else "", f"&{_encoded(defaults | rest | size)}"


def _encoded(values: Mapping[str, Any]) -> str:
    return "&".join(
        f"{quote_plus(name)}={quote_plus(value)}" for name, value in query.flat(dict(values))
    )
