"""Routes that change records."""

from invoiced_emulator.calls.route_table import Route
from invoiced_emulator.catalog import coupons_and_tax_rates, items, plans
from invoiced_emulator.catalog.versions import archive_handler
from invoiced_emulator.customers import contacts, customers, notes, payment_sources, tasks
from invoiced_emulator.documents import pending_line_items
from invoiced_emulator.documents.documents import (
    create_handler,
    delete_handler,
    void_handler,
)
from invoiced_emulator.documents.documents import update_handler as update_document_handler
from invoiced_emulator.documents.estimate_invoices import generate_invoice
from invoiced_emulator.documents.files import file_routes
from invoiced_emulator.documents.kinds import CREDIT_NOTE, DOCUMENTS
from invoiced_emulator.documents.line_items import line_routes
from invoiced_emulator.documents.messages import emailing_handler, message_routes
from invoiced_emulator.http import webhooks
from invoiced_emulator.payments import (
    autopay,
    charges,
    credit_balances,
    credit_notes,
    direct_transactions,
    payment_plans,
    payments,
    refunds,
    transactions,
    write_off,
)
from invoiced_emulator.payments.customer_balances import customer_balance
from invoiced_emulator.subscriptions import subscriptions

_BILLING = "subscription_billing"


def write_routes() -> list[Route]:
    """Returns the routes that change records."""
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
        Route("POST", "customers/{}/line_items", pending_line_items.create),
        Route("PATCH", "customers/{}/line_items/{}", pending_line_items.update),
        Route("DELETE", "customers/{}/line_items/{}", pending_line_items.delete),
        Route("POST", "customers/{}/invoices", pending_line_items.invoice),
        Route("POST", "customers/{}/consolidate_invoices", pending_line_items.consolidate),
        Route("POST", "customers/{}/contacts", contacts.create),
        Route("PATCH", "customers/{}/contacts/{}", contacts.update),
        Route("DELETE", "customers/{}/contacts/{}", contacts.delete),
    ]


def _gateway_routes() -> list[Route]:
    """Returns the routes that use the payment gateway; they commit before the response."""
    sources = "customers/{}/payment_sources"
    routes = [
        Route("GET", sources, payment_sources.list_sources),
        Route("POST", sources, payment_sources.create, atomic=False),
        Route("POST", "charges", charges.create, atomic=False),
        Route("POST", "charges/{}/refunds", refunds.create, atomic=False),
        Route("POST", "refunds/{}/void", refunds.void, atomic=False),
        Route("POST", "invoices/{}/pay", autopay.pay, atomic=False),
    ]
    for collection in payment_sources.SOURCES:
        remove = payment_sources.remove_handler(collection)
        routes.append(Route("DELETE", f"customers/{{}}/{collection}/{{}}", remove))
    return routes


def _document_routes() -> list[Route]:
    plan = "invoices/{}/payment_plan"
    routes = [
        Route("POST", "estimates/{}/invoice", generate_invoice),
        Route("POST", "invoices/{}/bad_debt", write_off.write_off),
        Route("GET", plan, payment_plans.retrieve),
        Route("PUT", plan, payment_plans.put),
        Route("DELETE", plan, payment_plans.cancel),
    ]
    for path, kind in DOCUMENTS.items():
        create = credit_notes.create if kind is CREDIT_NOTE else create_handler(kind)
        routes += [
            Route("POST", path, emailing_handler(path, create)),
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
        Route("POST", "transactions", direct_transactions.create),
        Route("DELETE", "transactions/{}", direct_transactions.delete),
        Route("POST", adjustments, credit_balances.create),
        Route("PATCH", f"{adjustments}/{{}}", credit_balances.update),
        Route("DELETE", f"{adjustments}/{{}}", credit_balances.delete),
    ]


def _catalog_routes() -> list[Route]:
    routes = [
        Route("POST", "plans", plans.create, _BILLING),
        Route("PATCH", "plans/{}", plans.update, _BILLING),
        Route("DELETE", "plans/{}", archive_handler("plans"), _BILLING),
    ]
    for path in ("items", "catalog_items"):
        routes += [
            Route("POST", path, items.create),
            Route("PATCH", f"{path}/{{}}", items.update),
            Route("DELETE", f"{path}/{{}}", archive_handler("items")),
        ]
    for kind in (coupons_and_tax_rates.COUPONS, coupons_and_tax_rates.TAX_RATES):
        path = kind.collection
        routes += [
            Route("POST", path, coupons_and_tax_rates.create_handler(kind)),
            Route("PATCH", f"{path}/{{}}", coupons_and_tax_rates.update_handler(kind)),
            Route("DELETE", f"{path}/{{}}", archive_handler(path)),
        ]
    return routes
