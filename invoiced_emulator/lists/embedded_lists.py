"""Lists of what is kept inside another record: paged like any list, never filtered."""

from collections.abc import Sequence

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.protocol.exact_json import encode
from invoiced_emulator.protocol.paging import link_header, requested_page
from invoiced_emulator.records.unit_of_work import Record


def list_embedded(call: Call, records: Sequence[Record]) -> Response:
    """One page of records, with the headers of a list."""
    page = requested_page(call.query)
    base = f"{call.base}{call.path}"
    headers = {
        "X-Total-Count": str(len(records)),
        "Link": link_header(base, call.query, page, len(records), strict=False),
    }
    return Response(200, encode(records[page.offset : page.offset + page.size]), headers)
