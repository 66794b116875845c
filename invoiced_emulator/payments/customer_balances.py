"""Computes what a customer owes and has in credit, in one currency."""

from decimal import Decimal

from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.calls.call import Call, Response, json_response
from invoiced_emulator.lists.read_handlers import visible_key
from invoiced_emulator.payments.credit_balances import COLLECTION, balance
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.unit_of_work import Record


def customer_balance(call: Call) -> Response:
    """Handles GET /customers/:id/balance."""
    key = visible_key(call, KINDS["customers"], call.arguments[-1])
    customer = call.shared.store.at("customers", key) or {}
    account, now = call.shared.account, call.shared.clock.now()
    currency = call.query.get("currency") or customer.get("currency") or account.currency
    invoices = _open(call, "invoices", customer["id"], currency)
    notes = _open(call, "credit_notes", customer["id"], currency)
    overdue = [
        invoice
        for invoice in invoices
        if invoice.get("due_date") is not None and invoice["due_date"] < now
    ]
    due = [invoice for invoice in invoices if invoice.get("due_date") is None or invoice in overdue]
    return json_response(
        200,
        {
            "available_credits": balance(call.work, customer["id"], currency),
            "currency": currency,
            "due_now": _sum(due),
            "history": _history(call, customer["id"], currency),
            "open_credit_notes": _sum(notes),
            "past_due": bool(overdue),
            "total_outstanding": _sum(invoices),
        },
    )


def _open(call: Call, collection: str, customer: int, currency: str) -> list[Record]:
    return [
        document
        for document in call.shared.store.of_customer(collection, customer)
        if document.get("currency") == currency
        and not document.get("draft")
        and not document.get("closed")
    ]


def _sum(documents: list[Record]) -> Decimal:
    return sum((decimal(document, "balance") for document in documents), Decimal(0))


def _history(call: Call, customer: int, currency: str) -> list[Record]:
    moves = [
        (record["date"], decimal(record, "amount"))
        for record in call.shared.store.of_customer(COLLECTION, customer)
        if record.get("currency") == currency
    ]
    moves += [
        (record["date"], -decimal(record, "amount"))
        for record in call.shared.store.of_customer("transactions", customer)
        if record.get("currency") == currency
        and (record.get("type"), record.get("method")) == ("charge", "balance")
    ]
    running, history = Decimal(0), []
    for date, amount in sorted(moves):
        running += amount
        history.append({"timestamp": date, "currency": currency, "balance": running})
    return history[::-1]
