"""The routes that change records."""

from invoiced_pipeline.emulator import (
    catalog_objects,
    contacts,
    credit_balances,
    credit_notes,
    customers,
    payments,
    subscriptions,
    tasks,
    transactions,
)
from invoiced_pipeline.emulator.catalog_objects import archive_handler, update_handler
from invoiced_pipeline.emulator.customer_balances import customer_balance
from invoiced_pipeline.emulator.document_kinds import CREDIT_NOTE, DOCUMENTS
from invoiced_pipeline.emulator.documents import (
    create_handler,
    delete_handler,
    void_handler,
)
from invoiced_pipeline.emulator.documents import update_handler as update_document_handler
from invoiced_pipeline.emulator.estimate_invoices import generate_invoice
from invoiced_pipeline.emulator.routes import Route

_BILLING = "subscription_billing"


def write_routes() -> list[Route]:
    """Create, update, delete and the actions on single records."""
    return [
        *_customer_routes(),
        *_document_routes(),
        *_money_routes(),
        *_catalog_routes(),
        Route("POST", "subscriptions", subscriptions.create, _BILLING),
        Route("PATCH", "subscriptions/{}", subscriptions.update, _BILLING),
        Route("DELETE", "subscriptions/{}", subscriptions.cancel, _BILLING),
        Route("POST", "subscriptions/{}/pause", subscriptions.pause, _BILLING),
        Route("POST", "subscriptions/{}/resume", subscriptions.resume, _BILLING),
        Route("POST", "tasks", tasks.create),
        Route("PATCH", "tasks/{}", tasks.update),
        Route("DELETE", "tasks/{}", tasks.delete),
    ]


def _customer_routes() -> list[Route]:
    return [
        Route("POST", "customers", customers.create),
        Route("PATCH", "customers/{}", customers.update),
        Route("DELETE", "customers/{}", customers.delete),
        Route("POST", "customers/{}/merge", customers.merge),
        Route("GET", "customers/{}/balance", customer_balance),
        Route("POST", "customers/{}/contacts", contacts.create),
        Route("PATCH", "customers/{}/contacts/{}", contacts.update),
        Route("DELETE", "customers/{}/contacts/{}", contacts.delete),
    ]


def _document_routes() -> list[Route]:
    routes = [Route("POST", "estimates/{}/invoice", generate_invoice)]
    for path, kind in DOCUMENTS.items():
        create = credit_notes.create if kind is CREDIT_NOTE else create_handler(kind)
        routes += [
            Route("POST", path, create),
            Route("PATCH", f"{path}/{{}}", update_document_handler(kind)),
            Route("DELETE", f"{path}/{{}}", delete_handler(kind)),
            Route("POST", f"{path}/{{}}/void", void_handler(kind)),
        ]
    return routes


def _money_routes() -> list[Route]:
    adjustments = credit_balances.COLLECTION
    return [
        Route("POST", "payments", payments.create),
        Route("PATCH", "payments/{}", payments.update),
        Route("DELETE", "payments/{}", payments.void),
        Route("PATCH", "transactions/{}", transactions.update),
        Route("DELETE", "transactions/{}", transactions.delete),
        Route("POST", adjustments, credit_balances.create),
        Route("PATCH", f"{adjustments}/{{}}", credit_balances.update),
        Route("DELETE", f"{adjustments}/{{}}", credit_balances.delete),
    ]


def _catalog_routes() -> list[Route]:
    routes = [
        Route("POST", "plans", catalog_objects.create_plan, _BILLING),
        Route("PATCH", "plans/{}", update_handler("plans", catalog_objects.PLAN), _BILLING),
        Route("DELETE", "plans/{}", archive_handler("plans"), _BILLING),
    ]
    for path in ("items", "catalog_items"):
        routes += [
            Route("POST", path, catalog_objects.create_item),
            Route("PATCH", f"{path}/{{}}", update_handler("items", catalog_objects.ITEM)),
            Route("DELETE", f"{path}/{{}}", archive_handler("items")),
        ]
    return routes
