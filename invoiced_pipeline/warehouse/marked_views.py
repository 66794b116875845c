"""Views that this project creates, recognised by a mark in their comment."""

import hashlib
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.comments import literal
from invoiced_pipeline.warehouse.database import Relation, Session

logger = logging.getLogger(__name__)

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


def is_free(schema: str, name: str, known: Relation | None, setting: str) -> bool:
    """Returns whether a view may have the name; warns if something else has it.

    Args:
        schema: Where the view would be.
        name: Its name.
        known: What has the name; None if nothing has.
        setting: How to do without the view, for the warning.
    """
    if known is None or is_ours(known):
        return True
    logger.warning(
        "%s.%s was not created by invoiced-pipeline and was not changed: there is no view of %s "
        "in %s. Rename it, or %s",
        schema,
        name,
        name,
        schema,
        setting,
    )
    return False


def make_schema(session: Session, schema: str) -> None:
    """Creates the schema if it is missing; a user who may not create one may still use it."""
    sql = "select 1 from information_schema.schemata where schema_name = %s"
    if not session.rows(sql, [schema]):
        session.run(f"create schema if not exists {session.qualified(schema)}")


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


def drop_views(session: Session, schema: str, views: Sequence[Relation], others: int) -> None:
    """Drops views of a schema in one transaction, and then the schema if nothing else is in it.

    Args:
        session: May write.
        schema: Where the views are.
        views: What is dropped.
        others: How many other tables and views the schema holds.

    Raises:
        WarehouseError: Nothing was dropped, because something depends on one of the views.
    """
    with session.transaction():
        for each in views:
            session.run(f"drop view {session.qualified(schema, each.name)}")
    if not others:
        with suppress(WarehouseError):  # it is another user's, or holds more than views
            session.run(f"drop schema {session.qualified(schema)}")
