"""Outcomes of invoices: paid in many ways, left open, voided or written off."""

from collections.abc import Callable

from invoiced_emulator.seed.documents.credit_notes import APPLIED_AFTER, credit_invoice
from invoiced_emulator.seed.documents.invoice_history import InvoiceHistory
from invoiced_emulator.seed.documents.payment_habits import (
    charge_automatically,
    pay,
    pay_in_run,
    payment_date,
)
from invoiced_emulator.seed.payments.payment_sources import payment_source
from invoiced_emulator.seed.payments.payments import Receipt, receive
from invoiced_emulator.seed.simulation.account import Split
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, office_hours
from invoiced_emulator.seed.simulation.money import Number, share
from invoiced_emulator.seed.simulation.simulation import Simulation

Outcome = Callable[[Simulation, InvoiceHistory], None]


def unpaid(simulation: Simulation, history: InvoiceHistory) -> None:
    """Leaves the invoice unpaid."""


def paid(simulation: Simulation, history: InvoiceHistory) -> None:
    """Pays in full, as the customer usually does."""
    payment_habit = history.account.payment_habit
    if payment_habit in ("card", "ach"):
        charge_automatically(simulation, history)
    elif payment_habit == "batch":
        pay_in_run(simulation, history)
    else:
        pay(simulation, history, payment_date(simulation, history), history.balance)


def partly_paid(simulation: Simulation, history: InvoiceHistory) -> None:
    """Pays a part, and never the rest."""
    pay(
        simulation,
        history,
        payment_date(simulation, history),
        _part(history, 30 + simulation.random.randrange(50)),
    )


def paid_twice(simulation: Simulation, history: InvoiceHistory) -> None:
    """Pays in two parts."""
    first = payment_date(simulation, history)
    pay(simulation, history, first, _part(history, 50))
    if history.balance > 0:
        pay(simulation, history, office_hours(simulation.random, first + 20 * DAY), history.balance)


def overpaid(simulation: Simulation, history: InvoiceHistory) -> None:
    """Pays too much; the rest becomes credit or stays unapplied."""
    extra = share(max(history.balance, 1), 10, history.account.currency)
    if not extra:
        paid(simulation, history)
    elif simulation.random.random() < 0.5:
        split = Split("credit", extra)
        pay(
            simulation,
            history,
            payment_date(simulation, history),
            history.balance,
            Receipt(splits=(split,)),
        )
    else:
        pay(
            simulation,
            history,
            payment_date(simulation, history),
            history.balance,
            Receipt(unapplied=extra),
        )


def short_paid(simulation: Simulation, history: InvoiceHistory) -> None:
    """Pays less by a bank fee, which is written off with the payment."""
    fee = share(history.balance, 1, history.account.currency)
    if not fee:
        paid(simulation, history)
        return
    moment = payment_date(simulation, history)
    adjustment = Split("document_adjustment", fee, history.invoice)
    history.credited(moment, fee)
    pay(simulation, history, moment, history.balance, Receipt(splits=(adjustment,)))


def credited(simulation: Simulation, history: InvoiceHistory) -> None:
    """Credits a part and pays the rest."""
    amount = _part(history, 20 if simulation.random.random() < 0.8 else 100)
    moment = office_hours(simulation.random, simulation.clock + 3 * DAY)
    simulation.at(
        moment, credit_invoice, simulation, history.account, history.invoice, amount, "Credit Note"
    )
    history.credited(moment + APPLIED_AFTER, amount)
    if history.balance > 0:
        pay(
            simulation,
            history,
            max(payment_date(simulation, history), moment + HOUR),
            history.balance,
        )


def paid_from_credit(simulation: Simulation, history: InvoiceHistory) -> None:
    """Pays from the customer's credit balance first."""
    account = history.account
    amount = min(account.credit, history.balance)
    if amount > 0:
        split = Split("applied_credit", amount, history.invoice)
        # Now, so that nothing else can spend the same credit.
        receive(simulation, account, Receipt(splits=(split,)))
        history.paid(simulation.clock, amount)
    if history.balance > 0:
        paid(simulation, history)


def voided(simulation: Simulation, history: InvoiceHistory) -> None:
    """Voids the invoice, which was issued by mistake."""
    history.void(office_hours(simulation.random, simulation.clock + DAY))


def written_off(simulation: Simulation, history: InvoiceHistory) -> None:
    """Writes the invoice off months later, by a credit note called Bad Debt."""
    amount = history.balance
    moment = office_hours(simulation.random, history.due + 90 * DAY)
    simulation.at(
        moment, credit_invoice, simulation, history.account, history.invoice, amount, "Bad Debt"
    )
    applied = moment + APPLIED_AFTER
    history.credited(applied, amount, date_bad_debt=applied, amount_written_off=amount)


def reversed_payment(simulation: Simulation, history: InvoiceHistory) -> None:
    """Voids the first payment, and pays again."""
    amount = history.balance
    first = payment_date(simulation, history)
    void_at = office_hours(simulation.random, first + 2 * DAY)
    pay(simulation, history, first, amount, Receipt(void_at=void_at))
    history.paid(void_at, -amount)
    pay(simulation, history, office_hours(simulation.random, void_at + 9 * DAY), amount)


def refunded(simulation: Simulation, history: InvoiceHistory) -> None:
    """Pays by card, refunds a part, and settles the invoice by a credit note."""
    account = history.account
    moment = payment_date(simulation, history)
    refund_at = office_hours(simulation.random, moment + 5 * DAY)
    amount, refund = history.balance, _part(history, 25)
    source = payment_source(simulation, "card", account.id, account.record["name"])
    receipt = Receipt(
        splits=(Split("invoice", amount, history.invoice),),
        method="credit_card",
        source="virtual_terminal",
        charged=source,
        refund_at=refund_at,
        refund=refund,
    )
    simulation.at(moment, receive, simulation, account, receipt)
    history.paid(moment, amount)
    history.paid(refund_at, -refund)
    simulation.at(
        refund_at + HOUR,
        credit_invoice,
        simulation,
        account,
        history.invoice,
        refund,
        "Credit Note",
    )
    history.credited(refund_at + HOUR + APPLIED_AFTER, refund)


def pending(simulation: Simulation, history: InvoiceHistory) -> None:
    """Pays by a bank transfer that is still pending; only shortly before now."""
    account = history.account
    moment = max(simulation.clock + HOUR, simulation.now - 2 * DAY)
    source = payment_source(simulation, "ach", account.id, account.record["name"])
    receipt = Receipt(
        splits=(Split("invoice", history.balance, history.invoice),),
        method="ach",
        source="customer_portal",
        charged=source,
        status="pending",
    )
    simulation.at(moment, receive, simulation, account, receipt)
    history.pending(moment)


def _part(history: InvoiceHistory, percent: int) -> Number:
    return share(history.balance, percent, history.account.currency) or history.balance


OUTCOMES: dict[str, tuple[Outcome, int]] = {
    "paid": (paid, 690),
    "unpaid": (unpaid, 60),
    "partly_paid": (partly_paid, 30),
    "paid_twice": (paid_twice, 30),
    "overpaid": (overpaid, 20),
    "short_paid": (short_paid, 15),
    "credited": (credited, 35),
    "paid_from_credit": (paid_from_credit, 40),
    "voided": (voided, 30),
    "written_off": (written_off, 15),
    "reversed_payment": (reversed_payment, 15),
    "refunded": (refunded, 15),
    "pending": (pending, 0),
}
"""Each outcome, with its share in thousandths."""
