"""Describes tables and columns where every SQL client shows it: in the database."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from invoiced_pipeline.warehouse.database import Relation, Session

_TOGETHER = 200
"""Statements sent at a time: the first sync writes some six hundred."""


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
    """Writes the comments that are not in the database yet, in one transaction.

    Columns without a description keep theirs. A view's own comment is left alone: it says who
    made the view (`marked_views`).

    Args:
        session: May write.
        relations: What is there.
        described: What is to be said, by name.

    Returns:
        How many were written.

    Raises:
        WarehouseError: None was written.
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
    """A text as SQL: `comment on` takes no parameters."""
    return "'" + text.replace("'", "''") + "'"


def _statements(session: Session, relation: Relation, wanted: Description) -> Iterator[str]:
    name = session.qualified(relation.schema, relation.name)
    if not relation.is_view and relation.comment != wanted.text:
        yield f"comment on table {name} is {literal(wanted.text)}"
    for column, comment in relation.columns.items():
        text = wanted.columns.get(column)
        if text is not None and text != comment:
            yield f'comment on column {name}."{column}" is {literal(text)}'
