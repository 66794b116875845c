"""Derives status, balance and links of documents, in Invoiced's order of precedence."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.documents.kinds import DOCUMENTS
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork
from invoiced_emulator.records.web_pages import page_address


def derive_fields(work: UnitOfWork, collection: str, document: Record) -> None:
    """Sets the fields of a document that follow from its amounts.

    They are balance, paid, closed, status, the date it was paid and the links.
    """
    if document.get("voided"):
        document["status"] = "voided"
        document["balance"] = Decimal(0)
    else:
        _SETTLERS[collection](work, document)
    if collection == "estimates":
        document.pop("balance", None)
    for link in DOCUMENTS[collection].links:
        if _reachable(document, link):
            document[link] = document.get(link) or _address(collection, document, link)
        else:
            document[link] = None


def _settle_invoice(work: UnitOfWork, invoice: Record) -> None:
    applied = decimal(invoice, "amount_paid") + decimal(invoice, "amount_credited")
    invoice["balance"] = decimal(invoice, "total") - applied
    was_paid = bool(invoice.get("paid"))
    bad_debt = bool(invoice.get("closed") and invoice.get("date_bad_debt"))
    settled = invoice["balance"] <= 0
    invoice["paid"] = settled and not invoice["draft"] and not bad_debt
    if invoice["paid"] and not was_paid:
        invoice["closed"] = True
        invoice["date_paid"] = work.clock.now()
    elif was_paid and not invoice["paid"]:
        invoice["closed"] = False
        invoice["date_paid"] = None
    invoice["status"] = _invoice_status(work, invoice, bad_debt=bad_debt)


def _invoice_status(work: UnitOfWork, invoice: Record, *, bad_debt: bool) -> str:
    if invoice["draft"]:
        return "draft"
    if invoice["paid"]:
        return "paid"
    if bad_debt:
        return "bad_debt"
    if has_pending_payment(work, invoice):
        return "pending"
    due = invoice.get("due_date")
    if due is not None and due < work.clock.now():
        return "past_due"
    if invoice.get("viewed"):
        return "viewed"
    return "sent" if invoice.get("sent") else "not_sent"


def has_pending_payment(work: UnitOfWork, invoice: Record) -> bool:
    """Whether a transaction of the invoice is pending."""
    sql = (
        "SELECT 1 FROM records r JOIN bodies b USING (collection, key) WHERE r.invoice = ? "
        "AND r.collection = 'transactions' AND json_extract(b.body, '$.status') = 'pending'"
    )
    return bool(work.store.rows(sql, (invoice.get("id", 0),)))


def _settle_credit_note(_work: UnitOfWork, note: Record) -> None:
    used = sum(
        (
            decimal(note, name)
            for name in ("amount_applied_to_invoice", "amount_credited", "amount_refunded")
        ),
        Decimal(0),
    )
    note["balance"] = decimal(note, "total") - used
    note["paid"] = note["balance"] <= 0 and not note["draft"]
    if note["paid"]:
        note["closed"] = True
    if note["draft"]:
        note["status"] = "draft"
    elif note["paid"]:
        note["status"] = "paid"
    else:
        note["status"] = "closed" if note["closed"] else "open"


def _settle_estimate(work: UnitOfWork, estimate: Record) -> None:
    expires = estimate.get("expiration_date")
    steps = (
        ("draft", estimate["draft"]),
        ("invoiced", estimate.get("invoice")),
        ("approved", estimate.get("approved")),
        ("declined", estimate["closed"]),
        ("expired", expires is not None and expires < work.clock.now()),
        ("viewed", estimate.get("viewed")),
        ("sent", estimate.get("sent")),
    )
    estimate["status"] = next((status for status, holds in steps if holds), "not_sent")


def _reachable(document: Record, link: str) -> bool:
    if document.get("voided"):
        return False
    done = document["closed"] or document.get("paid") or document["status"] == "pending"
    return not (link == "payment_url" and done)


def _address(collection: str, document: Record, link: str) -> str:
    address = page_address(collection, document.get("id"))
    suffix = link.removesuffix("url").rstrip("_")
    return f"{address}/{suffix}" if suffix else address


_SETTLERS: Mapping[str, Callable[[UnitOfWork, Record], None]] = {
    "invoices": _settle_invoice,
    "credit_notes": _settle_credit_note,
    "estimates": _settle_estimate,
}
