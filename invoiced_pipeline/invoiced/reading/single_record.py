"""Questions about few records: one by its id, or how many a window holds."""

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.windows import Window, to_epoch


def pages_of(client: InvoicedClient, table: Table, record_id: str, tally: Tally) -> list[Page]:
    """The record with an id, as lists show it; every page is empty when there is none.

    From the list wherever it can be filtered: a single object shows custom fields in another form
    (observed behaviour).

    Raises:
        ApiError: The API did not answer.
    """
    if not table.filters_by_id:
        body = client.record(f"{table.path}/{record_id}", table.list_params, tally)
        return [] if body is None else [_page(b"[" + body + b"]")]
    wanted = ("filter[id]", record_id)
    return [
        _page(
            client.list_page(table.path, (*table.list_params, *variant, wanted), tally).body,
            variant,
        )
        for variant in table.variants
    ]


def count_in(client: InvoicedClient, table: Table, window: Window, tally: Tally) -> int | None:
    """How many records of a `windowed` table the API counts in `window`; None if it does not say.

    Raises:
        ApiError: The API did not answer.
    """
    bounds = (
        ("updated_after", str(to_epoch(window.start) - 1)),  # strict, as updated_before is
        ("updated_before", str(to_epoch(window.end))),
        ("per_page", "1"),
    )
    return client.list_page(table.path, (*table.list_params, *bounds), tally).total


def _page(body: bytes, variant: tuple[tuple[str, str], ...] = ()) -> Page:
    return Page(body, [], frozenset(), None, None, variant)
