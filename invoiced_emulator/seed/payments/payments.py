"""Payments: applied, voided and refunded, with the transactions of each split."""

from dataclasses import dataclass
from decimal import Decimal

from invoiced_emulator.seed.payments.charges import (
    Charging,
    charge_record,
    emit_charge,
    emit_charge_event,
)
from invoiced_emulator.seed.payments.payment_sources import GATEWAY
from invoiced_emulator.seed.payments.transactions import (
    emit_transaction,
    split_transaction,
    transaction,
)
from invoiced_emulator.seed.simulation.account import Account, Record, Split
from invoiced_emulator.seed.simulation.history import advance
from invoiced_emulator.seed.simulation.kinds import CHARGE, PAYMENT, REFUND, TRANSACTION
from invoiced_emulator.seed.simulation.money import Number, exact
from invoiced_emulator.seed.simulation.simulation import Simulation

CONSUMING = frozenset({"invoice", "estimate", "credit", "convenience_fee"})
"""Splits that consume the money received; others use existing credit."""

_PENNY = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Money received, and what it pays."""

    splits: tuple[Split, ...] = ()
    unapplied: Number = 0
    method: str = "other"
    source: str = "keyed"
    charged: Record | None = None
    """The card or bank account that was charged; None for other methods."""
    status: str = "succeeded"
    void_at: int | None = None
    refund_at: int | None = None
    refund: Number = 0
    """Part of the first split that is refunded at `refund_at`."""


def receive(simulation: Simulation, account: Account, receipt: Receipt) -> None:
    """Creates a customer's payment."""
    payment = _payment(simulation, receipt, account.currency)
    payment |= {"customer": account.id, "payee": account.record["name"]}
    transactions = [
        split_transaction(simulation, account, split, payment) for split in receipt.splits
    ]
    payment["applied_to"] = [
        _applied(split, record["id"])
        for split, record in zip(receipt.splits, transactions, strict=True)
    ]
    payment["applied"] = payment["balance"] == 0
    if not payment["applied"]:
        payment["pdf_url"] = None
    simulation.emit_event(PAYMENT, "created", payment, account)
    if payment["charge"]:
        emit_charge_event(simulation, account, payment["charge"])
    if receipt.void_at is not None and receipt.void_at <= simulation.now:
        simulation.emit("payments", void(simulation, payment, receipt.void_at, account))
        return
    if receipt.refund_at is not None and receipt.refund_at <= simulation.now:
        # The refund is part of both records, so they are emitted after it.
        simulation.at(
            receipt.refund_at, _refund, simulation, account, payment, transactions, receipt.refund
        )
        return
    simulation.emit("payments", payment)
    if payment["charge"]:
        emit_charge(simulation, payment["charge"])
    for record in transactions:
        emit_transaction(simulation, account, record)


def receive_unassigned(simulation: Simulation) -> None:
    """Creates a payment from a bank statement without a customer; some are voided."""
    random = simulation.random
    amount = exact(_PENNY * random.randrange(500, 900_000))
    receipt = Receipt(unapplied=amount, method="wire_transfer", source="bank_feed")
    payment = _payment(simulation, receipt, "usd")
    payment |= {"matched": False, "pdf_url": None, "ach_sender_id": "EXAMPLE-CO"}
    feed_id = simulation.next_id("bank_feed_transaction", 900)
    payment |= {"bank_feed_transaction_id": feed_id, "bank_feed_transaction": feed_id}
    simulation.emit_event(PAYMENT, "created", payment)
    if random.random() < 0.25:
        payment = void(simulation, payment, simulation.clock + 30 * 3600, None)
    simulation.emit("payments", payment)


def void(simulation: Simulation, payment: Record, moment: int, account: Account | None) -> Record:
    """Returns the payment after it was voided; its event is `deleted`, but the record stays."""
    fields: Record = {
        "voided": True,
        "date_voided": moment,
        "balance": payment["amount"],
        "applied_to": [],
        "applied": False,
        "pdf_url": None,
    }
    return advance(simulation, PAYMENT, payment, [(moment, "deleted", fields)], account=account)


def _applied(split: Split, transaction_id: int) -> Record:
    element: Record = {"id": transaction_id, "type": split.type, "amount": split.amount}
    if split.document is not None:
        element[split.document["object"]] = split.document["id"]
        if split.type not in CONSUMING:
            element["document_type"] = split.document["object"]
    if split.credit_note is not None:
        element["credit_note"] = split.credit_note["id"]
    return element


def _payment(simulation: Simulation, receipt: Receipt, currency: str) -> Record:
    used = sum(split.amount for split in receipt.splits if split.type in CONSUMING)
    amount = exact(used + receipt.unapplied)
    reference = (
        f"{simulation.random.randrange(10_000, 99_999)}" if receipt.method == "check" else None
    )
    payment: Record = {
        "id": simulation.next_id("payment", PAYMENT.first_id),
        "object": "payment",
        "customer": None,
        "date": simulation.clock,
        "currency": currency,
        "amount": amount,
        "balance": receipt.unapplied,
        "method": receipt.method,
        "reference": reference,
        "source": receipt.source,
        "notes": None,
        "ach_sender_id": None,
        "matched": True if receipt.source == "bank_feed" else None,
        "voided": False,
        "charge": None,
        "surcharge_percentage": 0,
        "bank_feed_transaction_id": None,
        "bank_feed_transaction": None,
        "pdf_url": f"{simulation.link('payments')}/pdf",
        "metadata": {},
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
        "applied_to": [],
        "applied": False,
        "date_voided": None,
        "external_id": None,
        "payee": None,
    }
    if receipt.charged is not None:
        payment["charge"] = _charge(simulation, payment, receipt, receipt.charged)
        payment["reference"] = payment["charge"]["gateway_id"]
    return payment


def _charge(simulation: Simulation, payment: Record, receipt: Receipt, source: Record) -> Record:
    charge_id = simulation.next_id("charge", CHARGE.first_id)
    charging = Charging(
        source=source,
        amount=payment["amount"],
        currency=payment["currency"],
        status=receipt.status,
        gateway_id=f"ch_{simulation.token()[:12]}",
        payment_id=payment["id"],
    )
    return charge_record(simulation, charge_id, charging)


def _refund(
    simulation: Simulation,
    account: Account,
    payment: Record,
    transactions: list[Record],
    amount: Number,
) -> None:
    parent = transactions[0]
    charge = payment["charge"]
    refund = _refund_record(simulation, charge, amount)
    simulation.emit_event(
        REFUND, "created", {**refund, "charge": {**charge, "customer": account.shown}}
    )
    refunded = charge["amount"] == amount
    # Invoiced does not move a payment's updated_at for changes of its charge.
    charge = {**charge, "amount_refunded": amount, "refunded": refunded, "refunds": [refund]}
    charge["updated_at"] = simulation.clock
    emit_charge(simulation, charge)
    simulation.emit("refunds", {**refund, "charge": charge["id"]})
    record = transaction(
        simulation,
        account,
        "refund",
        amount,
        method=parent["method"],
        gateway=GATEWAY,
        gateway_id=refund["gateway_id"],
        payment_source=parent["payment_source"],
        parent_transaction=parent["id"],
        invoice=parent["invoice"],
        invoice_number=parent["invoice_number"],
        document_number=parent["document_number"],
    )
    simulation.emit_event(TRANSACTION, "created", record, account)
    simulation.emit("payments", {**payment, "charge": charge})
    for settled in ({**parent, "children": [record]}, *transactions[1:], record):
        emit_transaction(simulation, account, settled)


def _refund_record(simulation: Simulation, charge: Record, amount: Number) -> Record:
    return {
        "id": simulation.next_id("refund", REFUND.first_id),
        "object": "refund",
        "charge_id": charge["id"],
        "currency": charge["currency"],
        "amount": amount,
        "status": "succeeded",
        "failure_message": None,
        "gateway": GATEWAY,
        "gateway_id": f"re_{simulation.token()[:12]}",
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
    }
