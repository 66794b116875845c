"""Refuses what Invoiced refuses to do with a document, in its words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.calls.call import Call
from invoiced_emulator.documents.kinds import ESTIMATE, INVOICE, DocumentKind
from invoiced_emulator.documents.statuses import has_pending_payment
from invoiced_emulator.protocol.clock import DAY
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.protocol.exact_json import decode, number_text
from invoiced_emulator.records.unit_of_work import Record

_REASONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "invoices": (
        ("amount_credited", "it has a credit note applied"),
        ("amount_paid", "it has a payment applied"),
    ),
    "credit_notes": (
        ("amount_credited", "it has been added to the customer's credit balance"),
        ("amount_refunded", "it has a refund applied"),
        ("amount_applied_to_invoice", "it has been applied to an invoice"),
    ),
    "estimates": (
        ("invoice", "it has already been invoiced"),
        ("deposit_paid", "it has a deposit payment applied"),
    ),
}
_NAMES = {"invoices": "invoice", "credit_notes": "credit note", "estimates": "estimate"}


def check_issuable(call: Call, kind: DocumentKind, customer: Record) -> None:
    """Refuses a document for an inactive customer, and an invoice for one on credit hold."""
    if customer.get("active") is False:
        raise refused("This cannot be created because the customer is inactive", "customer")
    if kind is INVOICE and customer.get("credit_hold") and not call.body.get("draft"):
        raise refused(
            "New invoices cannot be created for this account because it has a credit hold.",
            "total",
        )


def check_total(call: Call, kind: DocumentKind, document: Record, customer: Record) -> None:
    """Refuses a negative total, and an invoice beyond the customer's credit limit."""
    if document["total"] < 0:
        raise refused("Total is invalid", "total")
    limit = customer.get("credit_limit")
    if kind is not INVOICE or limit is None:
        return
    outstanding = _outstanding(call, customer["id"]) + document["total"]
    if outstanding > limit:
        currency = document["currency"].upper()
        raise refused(
            "This invoice cannot be created because the new amount outstanding "
            f"({number_text(outstanding)} {currency}) exceeds the account's credit limit "
            f"({number_text(Decimal(limit))} {currency}).",
            "total",
        )


def check_new_total(call: Call, kind: DocumentKind, before: Record, after: Record) -> None:
    """Refuses a negative total, and another total during a pending payment or payment plan."""
    if after["total"] < 0:
        raise refused("Total is invalid", "total")
    if kind is not INVOICE or after["total"] == before.get("total"):
        return
    if has_pending_payment(call.work, before):
        raise refused("The total cannot be changed while there is a pending payment.", "total")
    if before.get("payment_plan") is not None:
        raise refused("The total cannot be changed while there is a payment plan.", "total")


def check_quota(call: Call) -> None:
    """Refuses a document beyond the number that the account may create per day (UTC)."""
    most = call.shared.account.daily_documents
    if most is None:
        return
    now = call.shared.clock.now()
    sql = (
        "SELECT count(*) FROM records WHERE created_at >= ? "
        "AND collection IN ('invoices', 'credit_notes', 'estimates')"
    )
    if call.shared.store.rows(sql, (now - now % DAY,))[0][0] >= most:
        raise refused(
            f"The {most} transaction per day quota has been reached. "
            "Please upgrade your account to create more transactions."
        )


def check_editable(document: Record, body: Mapping[str, Any]) -> None:
    """Refuses to edit a voided or closed document, or to change its customer or draft flag."""
    customer = body.get("customer", document["customer"])
    if str(customer) != str(document["customer"]):
        raise refused(
            "Invalid request parameter `customer`. The customer cannot be modified.", "customer"
        )
    if document.get("voided"):
        raise refused("Your changes cannot be saved because this document is voided.", "voided")
    if document.get("closed") and body.get("closed") not in {False, "0", "false"}:
        raise refused(
            "Your changes cannot be saved because this document is closed. "
            "Please re-open the document to make any changes.",
            "closed",
        )
    if body.get("draft") is True and not document.get("draft"):
        raise refused(
            "Cannot save as a draft because the document has already been issued.", "draft"
        )


def check_voidable(kind: DocumentKind, document: Record) -> None:
    """Refuses to void a document that is voided, paid, credited or applied."""
    if document.get("voided"):
        raise refused("This document has already been voided.")
    reason = _reason(kind, document)
    if reason is not None:
        raise refused(f"This {_NAMES[kind.collection]} cannot be voided because {reason}.")


def check_deletable(kind: DocumentKind, document: Record) -> None:
    """Refuses to delete a document that cannot be voided; a voided one may be deleted."""
    reason = None if document.get("voided") else _reason(kind, document)
    if reason is not None:
        name = _NAMES[kind.collection]
        raise refused(f"This {name} cannot be voided because {reason}.", "voided")


def _reason(kind: DocumentKind, document: Record) -> str | None:
    for name, reason in _REASONS[kind.collection]:
        value = document.get(name)
        applied = bool(value) if kind is ESTIMATE else decimal(document, name) > 0
        if applied:
            return reason
    if kind is INVOICE and document.get("status") == "pending":
        return "it has a pending payment"
    return None


def _outstanding(call: Call, customer: int) -> Decimal:
    sql = (
        "SELECT json_extract(b.body, '$.balance') || '' FROM records r "
        "JOIN bodies b USING (collection, key) WHERE r.customer = ? AND r.collection = 'invoices' "
        "AND NOT coalesce(json_extract(b.body, '$.draft'), 0)"
    )
    rows = call.shared.store.rows(sql, (customer,))
    return sum((Decimal(str(decode(row[0]))) for row in rows if row[0]), Decimal(0))
