"""Records that are gone: their parent was asked, and does not list them any more."""

from datetime import UTC, datetime

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.replication.deletions.consequences import RecordId
from invoiced_pipeline.replication.deletions.context import DeletionContext
from invoiced_pipeline.warehouse.deletion_marks import Mark

_PARENTS_AT_ONCE = 5_000


class AbsentRecords:
    """Marks the rows of parents that were asked, unless a parent listed their records.

    A record that moved to another parent may be marked, too: the same load, or that of the merge
    that moved it, brings it back.

    Args:
        context: What the parts of a run that look for deletions share.
        table: A table that the API lists per parent.
    """

    def __init__(self, context: DeletionContext, table: Table) -> None:
        self._context = context
        self._table = table
        self._parents: list[int] = []
        self._listed: set[RecordId | None] = set()
        self._seen_at: datetime | None = None

    @property
    def is_settled(self) -> bool:
        """Whether nothing that was seen waits for `settle`."""
        return not self._parents

    def see(self, page: Page) -> None:
        """Remembers which parents were asked, and what they listed."""
        self._parents += page.parents
        self._listed.update(stamp.id for stamp in page.stamps)
        self._seen_at = page.server_time or self._seen_at
        if len(self._parents) >= _PARENTS_AT_ONCE:
            self.settle()

    def settle(self) -> None:
        """Marks what is absent; call it before the coverage commits."""
        table, marks = self._table, self._context.marks
        parents, self._parents = self._parents, []
        if table.parent is None or not parents:
            return
        known = marks.present(table.name, table.parent.column, parents)
        at = self._seen_at or datetime.now(UTC)
        absent = [
            Mark(table.name, table.primary_key, record, at, is_certain=True)
            for record, _ in known
            if record not in self._listed
        ]
        self._context.count(marks.apply(absent))
