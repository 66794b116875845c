"""Views that this project makes, known by a mark in their comment."""

import hashlib
from dataclasses import dataclass

from invoiced_pipeline.warehouse.comments import literal
from invoiced_pipeline.warehouse.database import Relation, Session

_MARK = "Made by invoiced-pipeline as "


@dataclass(frozen=True, slots=True)
class View:
    """A view as it is to be.

    Attributes:
        schema: Where it is.
        name: Its name.
        query: What it shows.
        text: What one row is.
    """

    schema: str
    name: str
    query: str
    text: str


def is_ours(relation: Relation) -> bool:
    """Whether a relation is a view that this project made."""
    return relation.is_view and _MARK in (relation.comment or "")


def make_view(session: Session, view: View, known: Relation | None) -> bool:
    """Makes a view where it is missing, or was made otherwise by another version.

    Not at every run: on a server, replacing a view waits for everyone who looks at it, and whoever
    comes then waits behind.

    Args:
        session: May write; the caller has begun a transaction.
        view: What is to be there.
        known: What is there already under the name.

    Returns:
        Whether the view was made.

    Raises:
        WarehouseError: It could not be.
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
