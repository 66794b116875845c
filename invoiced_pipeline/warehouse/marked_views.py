"""Views that this project creates, recognised by a mark in their comment."""

import hashlib
from dataclasses import dataclass

from invoiced_pipeline.warehouse.comments import literal
from invoiced_pipeline.warehouse.database import Relation, Session

_MARK = "Made by invoiced-pipeline as "


@dataclass(frozen=True, slots=True)
class View:
    """A view to create.

    Attributes:
        schema: Where it is.
        name: Its name.
        query: Its query.
        text: What one row is.
    """

    schema: str
    name: str
    query: str
    text: str


def is_ours(relation: Relation) -> bool:
    """Returns whether a relation is a view that this project created."""
    return relation.is_view and _MARK in (relation.comment or "")


def make_view(session: Session, view: View, known: Relation | None) -> bool:
    """Creates a view if it is missing, or was created with another query by another version.

    It does not do so at every run: on a server, replacing a view waits for all its readers, and
    later readers wait behind it.

    Args:
        session: May write; the caller has begun a transaction.
        view: The view.
        known: What already has the name; None if nothing has.

    Returns:
        Whether the view was created.

    Raises:
        WarehouseError: It could not be created.
    """
    mark = _MARK + hashlib.blake2b(view.query.encode(), digest_size=8).hexdigest()
    comment = f"{view.text} ({mark})"
    name = session.qualified(view.schema, view.name)
    is_made = known is None or mark not in (known.comment or "")
    if is_made:
        session.run(f"create or replace view {name} as {view.query}")
    if is_made or known is None or known.comment != comment:
        session.run(f"comment on view {name} is {literal(comment)}")
    return is_made
