"""Transactions, and the credit balance adjustments that mirror them."""

from invoiced_emulator.seed.payments.charges import Charging, emit_declined
from invoiced_emulator.seed.payments.payment_sources import GATEWAY
from invoiced_emulator.seed.simulation.account import Account, Record, Split
from invoiced_emulator.seed.simulation.kinds import CREDIT_BALANCE_ADJUSTMENT, TRANSACTION
from invoiced_emulator.seed.simulation.money import Number, exact
from invoiced_emulator.seed.simulation.simulation import Simulation

_BLANK: Record = {
    "object": "transaction",
    "type": "payment",
    "status": "succeeded",
    "method": "other",
    "notes": None,
    "gateway": None,
    "gateway_id": None,
    "parent_transaction": None,
    "invoice": None,
    "credit_note": None,
    "estimate": None,
    "payment_id": None,
    "payment": None,
    "payment_source": None,
    "pdf_url": None,
    "sent": False,
    "invoice_number": None,
    "document_number": None,
}

_DECLINES = ("Your card was declined.", "Your card has insufficient funds.", "Expired card.")

_NEGATIVE = frozenset({"adjustment", "document_adjustment"})


def transaction(
    simulation: Simulation,
    account: Account,
    transaction_type: str,
    amount: Number,
    **fields: object,
) -> Record:
    """Returns a transaction of now; granted credit and adjustments are negative."""
    return {
        **_BLANK,
        "id": simulation.next_id("transaction", TRANSACTION.first_id),
        "customer": account.id,
        "date": simulation.clock,
        "type": transaction_type,
        "currency": account.currency,
        "amount": -amount if transaction_type in _NEGATIVE else amount,
        "metadata": {},
        "children": [],
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
        **fields,
    }


def split_transaction(
    simulation: Simulation, account: Account, split: Split, payment: Record
) -> Record:
    """Returns the transaction of a payment's split."""
    charge = payment["charge"]
    fields: Record = {"payment_id": payment["id"], "payment": payment["id"]}
    if split.type in ("invoice", "estimate", "convenience_fee"):
        transaction_type = "charge" if charge else "payment"
        fields["method"] = payment["method"]
        if charge:
            fields |= {
                "status": charge["status"],
                "gateway": charge["gateway"],
                "gateway_id": charge["gateway_id"],
                "payment_source": charge["payment_source"],
            }
    elif split.type == "applied_credit":
        transaction_type, fields["method"] = "charge", "balance"
    elif split.type == "document_adjustment":
        transaction_type = "document_adjustment"
    else:
        transaction_type = "adjustment"
        if split.document is None:
            fields["method"] = "balance"
    if split.document is not None:
        fields[split.document["object"]] = split.document["id"]
        fields["document_number"] = split.document["number"]
        if split.document["object"] == "invoice":
            fields["invoice_number"] = split.document["number"]
    if split.credit_note is not None:
        fields["credit_note"] = split.credit_note["id"]
    return transaction(simulation, account, transaction_type, split.amount, **fields)


def emit_transaction(simulation: Simulation, account: Account, record: Record) -> None:
    """Emits a transaction, and its adjustment when it changes the credit balance."""
    simulation.emit("transactions", record)
    if record["method"] != "balance":
        return
    account.credit = exact(account.credit - record["amount"])
    account.credit_changed_at = simulation.clock
    if record["type"] == "adjustment":
        simulation.emit("credit_balance_adjustments", mirror(record))


def mirror(record: Record) -> Record:
    """Returns the adjustment that mirrors a transaction: same id, opposite sign."""
    return {
        "id": record["id"],
        "object": "credit_balance_adjustment",
        "customer": record["customer"],
        "date": record["date"],
        "currency": record["currency"],
        "amount": -record["amount"],
        "notes": record["notes"],
        "metadata": {},
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
    }


def decline(simulation: Simulation, account: Account, invoice: Record, amount: Number) -> None:
    """Emits a declined charge, and its failed transaction; there is no payment."""
    record = transaction(
        simulation,
        account,
        "charge",
        amount,
        status="failed",
        failure_reason=simulation.random.choice(_DECLINES),
        method="credit_card",
        gateway=GATEWAY,
        gateway_id=f"ch_{simulation.token()[:12]}",
        payment_source=account.record["payment_source"],
        invoice=invoice["id"],
        invoice_number=invoice["number"],
        document_number=invoice["number"],
    )
    simulation.emit_event(TRANSACTION, "created", record, account)
    simulation.emit("transactions", record)
    charging = Charging(
        source=record["payment_source"],
        amount=amount,
        currency=record["currency"],
        status="failed",
        gateway_id=record["gateway_id"],
        failure_message=record["failure_reason"],
    )
    emit_declined(simulation, account, charging)


def adjust_credit(simulation: Simulation, account: Account) -> None:
    """Grants credit, or takes some back; a few adjustments are deleted as mistakes."""
    random = simulation.random
    amount: Number = (1 + random.randrange(10)) * (1000 if account.currency == "jpy" else 10)
    notes = "Goodwill, see ticket #" + str(random.randrange(9_000))
    if account.credit > 0 and random.random() < 0.4:
        amount, notes = -min(amount, account.credit), "Correction"
    record = transaction(simulation, account, "adjustment", amount, method="balance", notes=notes)
    shown = mirror(record)
    simulation.emit_event(CREDIT_BALANCE_ADJUSTMENT, "created", shown, account)
    mistaken_until = simulation.clock + 5 * 3600
    if random.random() < 0.08 and mistaken_until <= simulation.now:
        simulation.at(
            mistaken_until,
            simulation.emit_event,
            CREDIT_BALANCE_ADJUSTMENT,
            "deleted",
            shown,
            account,
        )
        return
    emit_transaction(simulation, account, record)
