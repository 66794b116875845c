"""Records of a table that refer to another record, regardless of when they changed."""

import logging
from collections.abc import Iterator

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import RequestRefusedError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.pages import Page

logger = logging.getLogger(__name__)


def read_related(
    client: InvoicedClient, table: Table, column: str, value: int, tally: Tally
) -> Iterator[Page]:
    """Yields the records whose `column`, a foreign key, holds `value`.

    If the API refuses the filter, all records are yielded: not all filters are documented.

    Raises:
        ApiError: The list cannot be read to its end.
    """
    for variant in table.variants:
        params = (*table.list_params, *variant)
        narrowed = (*params, (f"filter[{column}]", str(value)))
        try:
            yield from read_by_number(client, table.path, narrowed, tally)
        except RequestRefusedError as error:
            if error.status != 400:
                raise
            logger.info("%s: all records are read once: %s", table.name, error)
            yield from read_by_number(client, table.path, params, tally)
