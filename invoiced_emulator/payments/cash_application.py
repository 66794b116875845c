"""Applies payments: each split makes a transaction and changes its documents' amounts."""

from decimal import Decimal
from typing import Any

from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.documents.documents import save_document, with_defaults
from invoiced_emulator.documents.kinds import DOCUMENTS as DOCUMENT_KINDS
from invoiced_emulator.payments.credit_balances import (
    check_not_overspent,
    grant_credit,
    update_credit_balance,
)
from invoiced_emulator.payments.splits import DOCUMENTS, PREFIX, Split
from invoiced_emulator.payments.transactions import are_silent, new_transaction
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork

_CREDITING = frozenset({"credit_note", "document_adjustment"})
"""Types that reduce an invoice by credit instead of money."""


def apply(work: UnitOfWork, payment: Record, split: Split) -> Record:
    """Writes the transaction of a split and returns its element of `applied_to`."""
    transaction = _transaction(work, payment, split)
    if transaction["method"] == "balance" and transaction["type"] == "adjustment":
        grant_credit(work, transaction, silent=are_silent(work))
    else:
        work.create("transactions", transaction, silent=are_silent(work))
    _move(work, split.type, dict(split.documents), split.amount)
    if split.type == "applied_credit":
        update_credit_balance(work, payment["customer"], payment["currency"])
        check_not_overspent(work, payment["customer"], payment["currency"], "applied_to", PREFIX)
    return split.element(transaction["id"])


def unapply(work: UnitOfWork, payment: Record, element: Record) -> None:
    """Deletes the transaction of an element of `applied_to` and reverses its amounts."""
    transaction = work.store.get("transactions", element["id"])
    if transaction is not None:
        work.delete("transactions", transaction, silent=are_silent(work))
    work.store.remove("credit_balance_adjustments", element["id"])
    documents = {name: element[name] for name in DOCUMENTS if element.get(name) is not None}
    _move(work, element["type"], documents, -decimal(element, "amount"))
    if payment.get("customer") is not None:
        update_credit_balance(work, payment["customer"], payment["currency"])


def _transaction(work: UnitOfWork, payment: Record, split: Split) -> Record:
    type_, method, amount, notes = "payment", payment["method"], split.amount, payment["notes"]
    documents = dict(split.documents)
    to_balance = split.type == "credit" or (split.type == "credit_note" and len(documents) == 1)
    if to_balance:
        type_, method, amount = "adjustment", "balance", -amount
        notes = "Overpayment" if split.type == "credit" else notes
    elif split.type == "credit_note":
        type_, method, amount = "adjustment", "other", -amount
    elif split.type == "applied_credit":
        type_, method = "charge", "balance"
    elif split.type == "document_adjustment":
        type_, method, amount = "document_adjustment", "other", -amount
    elif split.type == "convenience_fee":
        notes = "Convenience Fee"
    return new_transaction(
        work,
        customer=payment["customer"],
        currency=payment["currency"],
        amount=amount,
        type=type_,
        method=method,
        date=payment["date"],
        notes=notes,
        payment=payment["id"],
        **documents,
    )


def _move(work: UnitOfWork, split_type: str, documents: dict[str, Any], amount: Decimal) -> None:
    """Adds `amount` to what was paid or credited on the documents; negative reverses it."""
    for name, record_id in documents.items():
        stored = work.store.get(DOCUMENTS[name], record_id)
        if stored is None:
            continue
        before = with_defaults(stored, DOCUMENT_KINDS[DOCUMENTS[name]])
        after = dict(before)
        if amount > 0:
            after["draft"] = False
        if name == "invoice":
            field = "amount_credited" if split_type in _CREDITING else "amount_paid"
            after[field] = decimal(before, field) + amount
        elif name == "estimate":
            after["deposit_paid"] = amount > 0 and amount >= decimal(before, "deposit")
        else:
            to_balance = split_type == "credit_note" and len(documents) == 1
            field = "amount_credited" if to_balance else "amount_applied_to_invoice"
            after[field] = decimal(before, field) + amount
        save_document(work, DOCUMENTS[name], before, after)
