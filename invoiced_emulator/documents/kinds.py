"""Invoices, credit notes and estimates as data: properties, defaults and links."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from invoiced_emulator.records.properties import Property

_TEXT = Property()
_NAME = Property(nullable=False)
_NUMBER = Property(nullable=False, longest=32)
_BOOLEAN = Property("boolean", nullable=False)
_STAMP = Property("stamp")
_ANY = Property("any")

_COMMON = {
    "name": _NAME,
    "number": _NUMBER,
    "currency": Property("currency", nullable=False),
    "date": Property("stamp", nullable=False),
    "purchase_order": Property(longest=32),
    "notes": Property(longest=65_535),
    "draft": _BOOLEAN,
    "closed": _BOOLEAN,
    "sent": _BOOLEAN,
    "metadata": Property("metadata"),
}
_BLOCKED = "subtotal total status viewed client_id client_id_exp created_at updated_at"

_BLOCKED_ON_CREDIT_NOTES = (
    "subtotal total status invoice_id amount_applied_to_invoice amount_refunded amount_credited "
    "paid balance"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentKind:
    """A kind of document."""

    collection: str
    prefix: str
    """Start of generated numbers."""
    name: str
    """Name of a document when the request names none."""
    properties: Mapping[str, Property]
    blocked: frozenset[str]
    blocked_on_update: frozenset[str]
    defaults: Mapping[str, Any]
    """Fields of a new document that other kinds lack."""
    links: tuple[str, ...]
    """Names of its web addresses; a voided document has none."""


INVOICE = DocumentKind(
    collection="invoices",
    prefix="INV-",
    name="Invoice",
    properties=_COMMON
    | {
        "due_date": _STAMP,
        "payment_terms": _TEXT,
        "autopay": _BOOLEAN,
        "chase": _BOOLEAN,
        "next_chase_on": _STAMP,
        "next_payment_attempt": _STAMP,
        "late_fees": _BOOLEAN,
        "ship_to": _ANY,
        "tags": _ANY,
        "disabled_payment_methods": _ANY,
        "expected_payment_date": _ANY,
    },
    blocked=frozenset(
        f"{_BLOCKED} date_paid date_bad_debt subscription_id amount_paid amount_credited paid "
        "balance last_sent attempt_count recalculate_chase payment_plan_id".split()
    ),
    blocked_on_update=frozenset(),
    defaults={
        "due_date": None,
        "payment_terms": None,
        "autopay": False,
        "attempt_count": 0,
        "next_payment_attempt": None,
        "chase": False,
        "next_chase_on": None,
        "needs_attention": False,
        "late_fees": True,
        "paid": False,
        "subscription": None,
        "subscription_id": None,
        "payment_plan": None,
        "payment_source": None,
        "ship_to": None,
        "amount_paid": 0,
        "amount_credited": 0,
        "amount_written_off": 0,
        "date_paid": None,
        "date_bad_debt": None,
        "date_voided": None,
        "last_sent": None,
        "consolidated": False,
        "consolidated_invoice_id": None,
        "tags": [],
        "disabled_payment_methods": {},
        "expected_payment_date": None,
    },
    links=("url", "payment_url", "pdf_url", "csv_url"),
)
CREDIT_NOTE = DocumentKind(
    collection="credit_notes",
    prefix="CN-",
    name="Credit Note",
    properties=_COMMON,
    blocked=frozenset(_BLOCKED_ON_CREDIT_NOTES.split()),
    blocked_on_update=frozenset(),
    defaults={
        "paid": False,
        "invoice": None,
        "amount_applied_to_invoice": 0,
        "amount_credited": 0,
        "amount_refunded": 0,
        "date_voided": None,
    },
    links=("url", "pdf_url"),
)
ESTIMATE = DocumentKind(
    collection="estimates",
    prefix="EST-",
    name="Estimate",
    properties=_COMMON
    | {
        "expiration_date": _STAMP,
        "payment_terms": _TEXT,
        "deposit": Property("number", nullable=False),
        "deposit_paid": _BOOLEAN,
        "approved": Property(longest=10),
        "ship_to": _ANY,
    },
    blocked=frozenset(f"{_BLOCKED} invoice_id last_sent".split()),
    blocked_on_update=frozenset({"invoice"}),
    defaults={
        "invoice": None,
        "expiration_date": None,
        "payment_terms": None,
        "deposit": 0,
        "deposit_paid": False,
        "approved": None,
        "approval": None,
        "ship_to": None,
        "date_voided": None,
    },
    links=("url", "pdf_url"),
)
DOCUMENTS: Mapping[str, DocumentKind] = {
    kind.collection: kind for kind in (INVOICE, CREDIT_NOTE, ESTIMATE)
}
"""Every kind of document, by collection."""
