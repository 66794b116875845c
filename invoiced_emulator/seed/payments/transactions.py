"""Transactions, the money movements behind payments, and the adjustments that mirror them."""

from invoiced_emulator.seed.ledger.account import Account, Record, Split
from invoiced_emulator.seed.ledger.kinds import CREDIT_BALANCE_ADJUSTMENT, TRANSACTION
from invoiced_emulator.seed.ledger.ledger import Ledger
from invoiced_emulator.seed.ledger.money import Number, exact
from invoiced_emulator.seed.payments.payment_sources import GATEWAY

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
    ledger: Ledger, account: Account, transaction_type: str, amount: Number, **fields: object
) -> Record:
    """A transaction at the clock's time; what grants credit or lowers a debt is negative."""
    return {
        **_BLANK,
        "id": ledger.next_id("transaction", TRANSACTION.first_id),
        "customer": account.id,
        "date": ledger.clock,
        "type": transaction_type,
        "currency": account.currency,
        "amount": -amount if transaction_type in _NEGATIVE else amount,
        "metadata": {},
        "children": [],
        "created_at": ledger.clock,
        "updated_at": ledger.clock,
        **fields,
    }


def of_split(ledger: Ledger, account: Account, split: Split, payment: Record) -> Record:
    """The transaction that one split of a payment creates."""
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
    return transaction(ledger, account, transaction_type, split.amount, **fields)


def give_transaction(ledger: Ledger, account: Account, record: Record) -> None:
    """Hands out a transaction, and its mirror when it moves the customer's credit balance."""
    ledger.give("transactions", record)
    if record["method"] != "balance":
        return
    account.credit = exact(account.credit - record["amount"])
    account.credit_changed_at = ledger.clock
    if record["type"] == "adjustment":
        ledger.give("credit_balance_adjustments", mirror(record))


def mirror(record: Record) -> Record:
    """The credit balance adjustment that a transaction is seen as: same id, opposite sign."""
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


def decline(ledger: Ledger, account: Account, invoice: Record, amount: Number) -> None:
    """A charge that the bank refuses: a failed transaction without a payment."""
    record = transaction(
        ledger,
        account,
        "charge",
        amount,
        status="failed",
        failure_reason=ledger.random.choice(_DECLINES),
        method="credit_card",
        gateway=GATEWAY,
        gateway_id=f"ch_{ledger.token()[:12]}",
        payment_source=account.record["payment_source"],
        invoice=invoice["id"],
        invoice_number=invoice["number"],
        document_number=invoice["number"],
    )
    ledger.announce(TRANSACTION, "created", record, account)
    ledger.give("transactions", record)


def adjust_credit(ledger: Ledger, account: Account) -> None:
    """Credit granted by hand; sometimes taken back, sometimes entered by mistake and deleted."""
    random = ledger.random
    amount: Number = (1 + random.randrange(10)) * (1000 if account.currency == "jpy" else 10)
    notes = "Goodwill, see ticket #" + str(random.randrange(9_000))
    if account.credit > 0 and random.random() < 0.4:
        amount, notes = -min(amount, account.credit), "Correction"
    record = transaction(ledger, account, "adjustment", amount, method="balance", notes=notes)
    shown = mirror(record)
    ledger.announce(CREDIT_BALANCE_ADJUSTMENT, "created", shown, account)
    mistaken_until = ledger.clock + 5 * 3600
    if random.random() < 0.08 and mistaken_until <= ledger.now:
        ledger.at(
            mistaken_until, ledger.announce, CREDIT_BALANCE_ADJUSTMENT, "deleted", shown, account
        )
        return
    give_transaction(ledger, account, record)
