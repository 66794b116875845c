"""The demo's round trip: rows go to Invoiced, and the next sync reads them back."""

from typing import Any

from invoiced_pipeline.commands.common.console import console
from invoiced_pipeline.commands.common.grid import Grid
from invoiced_pipeline.commands.common.query_result import show_result
from invoiced_pipeline.commands.writeback_actions import run_push
from invoiced_pipeline.commands.writeback_output import result_data
from invoiced_pipeline.settings import Settings
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.warehouse.sample_queries import QueryResult

_PUSHED = ("shop_payments", "credit_watch")
"""The write-backs to push; the first one's parents are pushed with it."""

_ROUND_TRIP = """
    select customers.name, customers.email, invoices.number, invoices.currency, invoices.total,
        invoices.balance, invoices.status
    from invoices join customers on customers.id = invoices.customer
    where invoices.number like 'SHOP-%%' and invoices._deleted_at is null
    order by invoices.number limit %s
"""


def push_demo(settings: Settings) -> str | None:
    """Pushes the demo's write-backs, and shows the outcome of their rows.

    Returns:
        Why one of them failed; None if none failed, or there are none.
    """
    known = {each.name for each in settings.writeback}
    grid = Grid("Written back to Invoiced")
    for heading in ("write-back", "operation"):
        grid.add_column(heading, no_wrap=True)
    for heading in ("rows", "sent", "verified", "unchanged"):
        grid.add_column(heading, justify="right")
    for name in _PUSHED:
        if name not in known:
            continue
        result = run_push(settings, name)
        if result.error:
            return result.error
        data = result_data(result)
        for report in (*data["parents"].values(), data["report"]):
            counts = ("rows", "succeeded", "verified", "unchanged")
            cells = (f"{report[count]:,}" for count in counts)
            grid.add_row(report["writeback"], report["operation"], *cells)
    if grid.row_count:
        console.print(grid)
    return None


def show_round_trip(settings: Settings) -> None:
    """Shows the written records as the replica has them after the next sync.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    database = open_database(settings.warehouse)
    with database.session(settings.first.dataset, read_only=True) as session:
        rows: list[tuple[Any, ...]] = session.rows(_ROUND_TRIP, [10])
    columns = ("customer", "email", "invoice", "currency", "total", "balance", "status")
    if rows:
        title = "And back again: the written records, read by the next sync"
        show_result(QueryResult(title, columns, rows))
