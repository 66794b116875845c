"""Records that a merge gave to another customer."""

from collections.abc import Iterator

from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.invoiced.reading.related_records import read_related
from invoiced_pipeline.invoiced.reading.table_reader import lies_in
from invoiced_pipeline.replication.deletions.consequences import customer_columns
from invoiced_pipeline.replication.table.table_context import TableContext
from invoiced_pipeline.windows import FOREVER, Window


def pages_of_survivors(context: TableContext) -> Iterator[Page]:
    """Yields the records of customers that others were merged into, from the start date on.

    A merge need not change their `updated_at` (observed), so no window shows them.
    """
    table, client, report = context.table, context.run.client, context.report
    wanted = (Window(context.run.request.start_date, FOREVER),)
    for customer in context.dataset.survivors(table.name):
        for column in customer_columns(table):
            for page in read_related(client, table, column, customer, report.tally):
                report.pages += 1
                yield page.skipping(
                    position
                    for position, stamp in enumerate(page.stamps)
                    if not lies_in(wanted, stamp.second)
                )
