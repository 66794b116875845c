"""Records of a table that refer to another record, regardless of when they changed."""

from collections.abc import Iterator

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.pages import Page


def read_related(
    client: InvoicedClient, table: Table, column: str, value: int, tally: Tally
) -> Iterator[Page]:
    """Yields the records whose `column`, a foreign key, holds `value`.

    Raises:
        ApiError: The list cannot be read to its end.
    """
    for variant in table.variants:
        params = (*table.list_params, *variant, (f"filter[{column}]", str(value)))
        yield from read_by_number(client, table.path, params, tally)
