"""One record by its id, in the form that lists show it."""

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.by_page_number import read_by_number
from invoiced_pipeline.invoiced.reading.pages import Page


def record_pages(client: InvoicedClient, table: Table, record_id: str, tally: Tally) -> list[Page]:
    """Returns pages that hold the record with an id, or no record if there is none.

    It is read from the list if the list can be filtered by id: a single object has custom fields in
    another form (observed). Without a path for it, the list is read for it.

    Raises:
        ApiError: A request failed.
    """
    if table.parent is not None:
        return []  # its parent was asked, and does not list it
    if not table.has_record_path:
        listed = read_by_number(client, table.path, table.list_params, tally)
        return [_only(page, record_id) for page in listed]
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


def _only(page: Page, record_id: str) -> Page:
    return page.skipping(at for at, stamp in enumerate(page.stamps) if str(stamp.id) != record_id)


def _page(body: bytes, variant: tuple[tuple[str, str], ...] = ()) -> Page:
    return Page(body, [], frozenset(), None, None, variant)
