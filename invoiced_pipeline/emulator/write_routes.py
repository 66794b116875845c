"""The routes that change records."""

from invoiced_pipeline.emulator import (
    bad_debt,
    catalog_objects,
    charges,
    collecting,
    contacts,
    credit_balances,
    credit_notes,
    customers,
    new_transactions,
    notes,
    payment_plans,
    payment_sources,
    payments,
    pending_lines,
    rate_objects,
    refunds,
    subscriptions,
    tasks,
    transactions,
    webhooks,
)
from invoiced_pipeline.emulator.catalog_objects import archive_handler, update_handler
from invoiced_pipeline.emulator.customer_balances import customer_balance
from invoiced_pipeline.emulator.document_kinds import CREDIT_NOTE, DOCUMENTS
from invoiced_pipeline.emulator.document_lines import line_routes
from invoiced_pipeline.emulator.documents import (
    create_handler,
    delete_handler,
    void_handler,
)
from invoiced_pipeline.emulator.documents import update_handler as update_document_handler
from invoiced_pipeline.emulator.estimate_invoices import generate_invoice
from invoiced_pipeline.emulator.files import file_routes
from invoiced_pipeline.emulator.messages import message_routes, sending
from invoiced_pipeline.emulator.routes import Route

_BILLING = "subscription_billing"


def write_routes() -> list[Route]:
    """Create, update, delete and the actions on single records."""
    return [
        *_customer_routes(),
        *_document_routes(),
        *_money_routes(),
        *_gateway_routes(),
        *_catalog_routes(),
        Route("POST", "subscriptions", subscriptions.create, _BILLING),
        Route("POST", "subscriptions/preview", subscriptions.preview, _BILLING),
        Route("PATCH", "subscriptions/{}", subscriptions.update, _BILLING),
        Route("DELETE", "subscriptions/{}", subscriptions.cancel, _BILLING),
        Route("POST", "subscriptions/{}/pause", subscriptions.pause, _BILLING),
        Route("POST", "subscriptions/{}/resume", subscriptions.resume, _BILLING),
        *_activity_routes(),
        *message_routes(),
        *file_routes(),
    ]


def _activity_routes() -> list[Route]:
    routes = [Route("POST", "webhook_attempts/{}/retries", webhooks.retry)]
    for path, handlers in {"tasks": tasks, "notes": notes, "webhooks": webhooks}.items():
        routes += [
            Route("POST", path, handlers.create),
            Route("PATCH", f"{path}/{{}}", handlers.update),
            Route("DELETE", f"{path}/{{}}", handlers.delete),
        ]
    return routes


def _customer_routes() -> list[Route]:
    return [
        Route("POST", "customers", customers.create),
        Route("PATCH", "customers/{}", customers.update),
        Route("DELETE", "customers/{}", customers.delete),
        Route("POST", "customers/{}/merge", customers.merge),
        Route("GET", "customers/{}/balance", customer_balance),
        Route("POST", "customers/{}/line_items", pending_lines.create),
        Route("PATCH", "customers/{}/line_items/{}", pending_lines.update),
        Route("DELETE", "customers/{}/line_items/{}", pending_lines.delete),
        Route("POST", "customers/{}/invoices", pending_lines.invoice),
        Route("POST", "customers/{}/consolidate_invoices", pending_lines.consolidate),
        Route("POST", "customers/{}/contacts", contacts.create),
        Route("PATCH", "customers/{}/contacts/{}", contacts.update),
        Route("DELETE", "customers/{}/contacts/{}", contacts.delete),
    ]


def _gateway_routes() -> list[Route]:
    """What goes through the payment gateway: done is done, whatever fails after it."""
    sources = "customers/{}/payment_sources"
    routes = [
        Route("GET", sources, payment_sources.list_sources),
        Route("POST", sources, payment_sources.create, atomic=False),
        Route("POST", "charges", charges.create, atomic=False),
        Route("POST", "charges/{}/refunds", refunds.create, atomic=False),
        Route("POST", "refunds/{}/void", refunds.void, atomic=False),
        Route("POST", "invoices/{}/pay", collecting.pay, atomic=False),
    ]
    for collection in payment_sources.SOURCES:
        remove = payment_sources.remove_handler(collection)
        routes.append(Route("DELETE", f"customers/{{}}/{collection}/{{}}", remove))
    return routes


def _document_routes() -> list[Route]:
    plan = "invoices/{}/payment_plan"
    routes = [
        Route("POST", "estimates/{}/invoice", generate_invoice),
        Route("POST", "invoices/{}/bad_debt", bad_debt.write_off),
        Route("GET", plan, payment_plans.retrieve),
        Route("PUT", plan, payment_plans.put),
        Route("DELETE", plan, payment_plans.cancel),
    ]
    for path, kind in DOCUMENTS.items():
        create = credit_notes.create if kind is CREDIT_NOTE else create_handler(kind)
        routes += [
            Route("POST", path, sending(path, create)),
            Route("PATCH", f"{path}/{{}}", update_document_handler(kind)),
            Route("DELETE", f"{path}/{{}}", delete_handler(kind)),
            Route("POST", f"{path}/{{}}/void", void_handler(kind)),
            *line_routes(kind),
        ]
    return routes


def _money_routes() -> list[Route]:
    adjustments = credit_balances.COLLECTION
    return [
        Route("POST", "payments", payments.create),
        Route("PATCH", "payments/{}", payments.update),
        Route("DELETE", "payments/{}", payments.void),
        Route("PATCH", "transactions/{}", transactions.update),
        Route("POST", "transactions", new_transactions.create),
        Route("DELETE", "transactions/{}", new_transactions.delete),
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
    for kind in (rate_objects.COUPONS, rate_objects.TAX_RATES):
        path = kind.collection
        routes += [
            Route("POST", path, rate_objects.create_handler(kind)),
            Route("PATCH", f"{path}/{{}}", rate_objects.update_handler(kind)),
            Route("DELETE", f"{path}/{{}}", archive_handler(path)),
        ]
    return routes
