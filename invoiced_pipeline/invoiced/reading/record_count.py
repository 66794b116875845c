"""How many records the API counts in a window."""

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.windows import Window, to_epoch


def count_records(client: InvoicedClient, table: Table, window: Window, tally: Tally) -> int | None:
    """Returns the API's count of a `windowed` table's records in `window`; None if not sent.

    Raises:
        ApiError: The request failed.
    """
    bounds = (
        ("updated_after", str(to_epoch(window.start) - 1)),  # exclusive, like updated_before
        ("updated_before", str(to_epoch(window.end))),
        ("per_page", "1"),
    )
    return client.list_page(table.path, (*table.list_params, *bounds), tally).total
