"""Comments on tables and columns in the database, where every SQL client shows them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from invoiced_pipeline.warehouse.database import Relation, Session

_TOGETHER = 200
"""Statements sent together: the first sync writes about six hundred."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a table or view holds.

    Attributes:
        text: What one row is.
        columns: What each column holds, by name.
    """

    text: str
    columns: Mapping[str, str]


def write_comments(
    session: Session, relations: Iterable[Relation], described: Mapping[str, Description]
) -> int:
    """Writes the comments that differ from those in the database, in one transaction.

    A column without a description keeps its comment. The comment on a view itself is not changed:
    it says who created the view (`marked_views`).

    Args:
        session: May write.
        relations: The existing tables and views.
        described: Their descriptions, by name.

    Returns:
        How many comments were written.

    Raises:
        WarehouseError: No comment was written.
    """
    statements = [
        statement
        for relation in relations
        if relation.name in described
        for statement in _statements(session, relation, described[relation.name])
    ]
    if statements:
        with session.transaction():
            for start in range(0, len(statements), _TOGETHER):
                session.run("; ".join(statements[start : start + _TOGETHER]))
    return len(statements)


def literal(text: str) -> str:
    """Returns a text as an SQL literal: `comment on` takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _statements(session: Session, relation: Relation, wanted: Description) -> Iterator[str]:
    name = session.qualified(relation.schema, relation.name)
    if not relation.is_view and relation.comment != wanted.text:
        yield f"comment on table {name} is {literal(wanted.text)}"
    for column, comment in relation.columns.items():
        text = wanted.columns.get(column)
        if text is not None and text != comment:
            yield f'comment on column {name}."{column}" is {literal(text)}'
