"""Checks that the write-backs of a file fit together: names, connections and references."""

from collections.abc import Iterator, Mapping, Sequence

from invoiced_pipeline.settings.suggestions import did_you_mean
from invoiced_pipeline.settings.writeback import WritebackSettings


def check_writebacks(writebacks: Sequence[WritebackSettings], connections: Sequence[str]) -> None:
    """Checks names, connections and references of all write-backs.

    Raises:
        ValueError: A name is used twice, a connection or a referenced write-back does not exist, a
            reference leads to another connection, or references form a circle.
    """
    by_name = {each.name: each for each in writebacks}
    if len(by_name) < len(writebacks):
        names = [each.name for each in writebacks]
        double = next(name for name in names if names.count(name) > 1)
        message = f"[[writeback]]: the name {double!r} is used twice, but it names job and ledger"
        raise ValueError(message)
    for each in writebacks:
        if each.connection is not None and each.connection not in connections:
            known = ", ".join(map(repr, connections))
            message = f"[[writeback]] {each.name}: no connection {each.connection!r}. "
            meant = did_you_mean(each.connection, connections)
            raise ValueError(
                f"{message}There is: {known}.{meant}" if meant else f"{message}There is: {known}"
            )
        for target, reference in each.references.items():
            parent = by_name.get(reference.writeback)
            if parent is None:
                message = f"[[writeback]] {each.name}: {target} refers to {reference}, but there "
                raise ValueError(message + f"is no write-back {reference.writeback!r}")
            if parent.connection != each.connection:
                message = f"[[writeback]] {each.name}: {target} refers to {reference}, which "
                raise ValueError(message + "writes to another connection, where ids differ")
        if each.name in _ancestors(each, by_name):
            message = f"[[writeback]] {each.name}: its references lead back to itself"
            raise ValueError(message)


def _ancestors(of: WritebackSettings, by_name: Mapping[str, WritebackSettings]) -> Iterator[str]:
    """Yields the names of all write-backs that one refers to, directly or indirectly."""
    seen: set[str] = set()
    ahead = [of.name]
    while ahead:
        for reference in by_name[ahead.pop()].references.values():
            name = reference.writeback
            yield name
            if name in by_name and name not in seen:
                seen.add(name)
                ahead.append(name)
