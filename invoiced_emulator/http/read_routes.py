"""Routes that read: lists and single records."""

from dataclasses import replace

from invoiced_emulator.calls.call import Handler
from invoiced_emulator.calls.route_table import ID, Route
from invoiced_emulator.documents.pdf import PRINTED, pdf_handler
from invoiced_emulator.lists.events import list_events
from invoiced_emulator.lists.read_handlers import list_handler, retrieve_below, retrieve_handler
from invoiced_emulator.records.kinds import KINDS


def newest_first(handler: Handler) -> Handler:
    """Wraps the handler of a list so that the newest id always comes first."""
    return lambda call: handler(replace(call, query=call.query | {"sort": "id desc"}))


def read_routes() -> list[Route]:
    """Returns the routes of lists and single records."""
    routes = []
    paths = {collection: collection for collection in KINDS} | {"catalog_items": "items"}
    for path, collection in paths.items():
        kind = KINDS[collection]
        if kind.listed:
            lister = list_events if collection == "events" else list_handler(collection)
            routes.append(Route("GET", path, lister, kind.feature))
        if kind.retrieved:
            handler = retrieve_handler(collection)
            if collection in PRINTED:
                handler = pdf_handler(collection, handler)
            routes.append(Route("GET", f"{path}/{ID}", handler, kind.feature))
    below = "customers/{}"
    return [
        *routes,
        Route("GET", f"{below}/contacts", list_handler("contacts", parent="customer")),
        Route("GET", f"{below}/contacts/{ID}", retrieve_below("contacts")),
        Route("GET", f"{below}/tasks", list_handler("tasks", parent="customer")),
        Route("GET", f"{below}/notes", newest_first(list_handler("notes", parent="customer"))),
        Route("GET", "invoices/{}/notes", newest_first(list_handler("notes", parent="invoice"))),
        Route("GET", f"{below}/line_items", list_handler("line_items", parent="customer")),
        Route("GET", f"{below}/line_items/{ID}", retrieve_below("line_items")),
    ]
