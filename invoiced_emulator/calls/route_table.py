"""The routes: the handler of every method and path."""

from collections.abc import Iterable
from dataclasses import dataclass

from invoiced_emulator.calls.call import Handler
from invoiced_emulator.protocol.errors import method_not_allowed, unknown_route

ID = "{}"
"""Placeholder for an id in a route's path."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path pattern, e.g. GET `customers/{}/contacts/{}`, with their handler."""

    method: str
    pattern: str
    handler: Handler
    feature: str | None = None
    """Feature that the account needs; without it the route returns 400."""
    atomic: bool = True
    """Runs in one transaction, rolled back on any error. Other routes commit in steps."""

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path; `{}` matches any id."""
        return tuple(self.pattern.split("/"))


class RouteTable:
    """Finds the route of a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[tuple[str, int], list[tuple[tuple[str, ...], dict[str, Route]]]] = {}
        for route in routes:
            self._add(route)

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]]:
        """Returns the route of a request and the ids in its path, in order.

        Raises:
            ApiError: 404 for an unknown path, 405 for a known one with another method.
        """
        parts = tuple(path.strip("/").split("/"))
        known = False
        for segments, by_method in self._routes.get((parts[0], len(parts)), ()):
            pairs = list(zip(segments, parts, strict=True))
            if any(segment not in {ID, part} for segment, part in pairs):
                continue
            known = True
            if method in by_method:
                return by_method[method], tuple(part for segment, part in pairs if segment == ID)
        raise (method_not_allowed if known else unknown_route)(method, path)

    def _add(self, route: Route) -> None:
        segments = route.segments
        patterns = self._routes.setdefault((segments[0], len(segments)), [])
        for known, by_method in patterns:
            if known == segments:
                by_method[route.method] = route
                return
        patterns.append((segments, {route.method: route}))
