"""Creates and deletes transactions without a payment: the API's older way to record money."""

from decimal import Decimal

from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.documents.documents import save_document, with_defaults
from invoiced_emulator.documents.kinds import INVOICE
from invoiced_emulator.payments.credit_balances import COLLECTION as ADJUSTMENTS
from invoiced_emulator.payments.credit_balances import (
    check_not_overspent,
    grant_credit,
    update_credit_balance,
)
from invoiced_emulator.payments.transactions import new_transaction
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import Property, accepted_values, as_decimal
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork
from invoiced_emulator.writes.options import refuse_query
from invoiced_emulator.writes.records import existing_customer, record_in_path
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

_TYPES = ("payment", "charge", "refund", "adjustment", "document_adjustment")
_PROPERTIES = {
    "type": Property("choice", nullable=False, choices=_TYPES),
    "method": Property(nullable=False),
    "status": Property("choice", nullable=False, choices=("succeeded", "pending", "failed")),
    "currency": Property("currency"),
    "date": Property("stamp", nullable=False),
    "notes": Property(longest=65_535),
    "gateway": Property(),
    "gateway_id": Property(),
    "sent": Property("boolean", nullable=False),
    "metadata": Property("metadata"),
}


def create(call: Call) -> Response:
    """Handles POST /transactions."""
    body, work = call.body, call.work
    values = accepted_values(body, _PROPERTIES, model="Transaction")
    invoice = _invoice(call)
    customer = existing_customer(call, body.get("customer", (invoice or {}).get("customer")))
    type_ = values.setdefault("type", "payment")
    amount = as_decimal(body.get("amount")) or Decimal(0)
    if amount == 0 or (amount < 0 and type_ in {"payment", "refund"}):
        raise refused("Amount is invalid", "amount")
    currency = customer.get("currency") or call.shared.account.currency
    shared = {"currency": (invoice or {}).get("currency", currency), "method": "other"}
    transaction = new_transaction(
        work,
        customer=customer["id"],
        amount=amount,
        invoice=invoice["id"] if invoice else None,
        **{**shared, "date": work.clock.now(), **_constructor(values)},
    )
    transaction |= values
    if (type_, transaction["method"]) == ("adjustment", "balance"):
        grant_credit(work, transaction)
    else:
        work.create("transactions", transaction)
    _move(work, transaction, amount)
    if transaction["method"] == "balance":
        update_credit_balance(work, customer["id"], transaction["currency"])
        check_not_overspent(work, customer["id"], transaction["currency"], "amount")
    return record_response(call, "transactions", transaction, 201)


def delete(call: Call) -> Response:
    """Handles DELETE /transactions/:id."""
    refuse_query(call)
    transaction = record_in_path(call, "transactions")
    if transaction.get("payment") is not None:
        raise refused("You cannot delete a transaction with an associated payment.")
    call.work.delete("transactions", transaction)
    call.shared.store.remove(ADJUSTMENTS, transaction["id"])
    _move(call.work, transaction, -decimal(transaction, "amount"))
    return NO_CONTENT


def _constructor(values: Record) -> Record:
    return {
        name: values[name]
        for name in ("currency", "date", "method", "notes", "type")
        if values.get(name) is not None
    }


def _invoice(call: Call) -> Record | None:
    invoice_id = call.body.get("invoice")
    if invoice_id in (None, ""):
        return None
    invoice = call.shared.store.get("invoices", invoice_id)
    if invoice is None:
        raise refused(f"No such invoice: {invoice_id}", "invoice")
    return invoice


def _move(work: UnitOfWork, transaction: Record, amount: Decimal) -> None:
    """Updates the transaction's invoice; a pending or failed transaction pays nothing."""
    stored = work.store.get("invoices", transaction.get("invoice") or 0)
    if stored is None:
        return
    before = with_defaults(stored, INVOICE)
    after = dict(before)
    if transaction["status"] == "succeeded":
        if transaction["type"] in {"adjustment", "document_adjustment"}:
            after["amount_credited"] = decimal(before, "amount_credited") - amount
        else:
            paid = -amount if transaction["type"] == "refund" else amount
            after["amount_paid"] = decimal(before, "amount_paid") + paid
    save_document(work, "invoices", before, after)
