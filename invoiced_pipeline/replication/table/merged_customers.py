"""Records that a merge gave to another customer."""

from collections.abc import Iterator

from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.invoiced.reading.per_parent import PerParentReader, Visits
from invoiced_pipeline.invoiced.reading.related_records import read_related
from invoiced_pipeline.invoiced.reading.table_reader import lies_in
from invoiced_pipeline.replication.deletions.consequences import customer_columns
from invoiced_pipeline.replication.table.table_context import TableContext
from invoiced_pipeline.windows import FOREVER, Window


def pages_of_survivors(context: TableContext) -> Iterator[Page]:
    """Yields the records of customers that others were merged into, from the start date on.

    A merge need not change their `updated_at` (observed), so no window shows them.
    """
    report = context.report
    wanted = (Window(context.run.request.start_date, FOREVER),)
    for page in _pages(context):
        report.pages += 1
        yield page.skipping(
            position
            for position, stamp in enumerate(page.stamps)
            if not lies_in(wanted, stamp.second)
        )


def _pages(context: TableContext) -> Iterator[Page]:
    table, run, tally = context.table, context.run, context.report.tally
    survivors = context.dataset.survivors(table.name)
    if table.parent is not None:
        reader = PerParentReader(run.client, table, Visits(), run.executor, tally)
        yield from reader.visit(survivors)
        return
    for customer in survivors:
        for column in customer_columns(table):
            yield from read_related(run.client, table, column, customer, tally)
