"""Lists of what is kept inside another record: paged like any list, never filtered."""

from collections.abc import Sequence

from invoiced_pipeline.emulator.exact_json import encode
from invoiced_pipeline.emulator.paging import link_header, requested_page
from invoiced_pipeline.emulator.service import Answer, Call
from invoiced_pipeline.emulator.work import Record


def list_embedded(call: Call, records: Sequence[Record]) -> Answer:
    """One page of records, with the headers of a list."""
    page = requested_page(call.query)
    base = f"{call.base}{call.path}"
    headers = {
        "X-Total-Count": str(len(records)),
        "Link": link_header(base, call.query, page, len(records), strict=False),
    }
    return Answer(200, encode(records[page.offset : page.offset + page.size]), headers)
