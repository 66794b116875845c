"""How customers pay invoices: one by one, in payment runs, or by AutoPay."""

from dataclasses import replace
from decimal import Decimal

from invoiced_emulator.seed.documents.invoice_history import InvoiceHistory
from invoiced_emulator.seed.payments.payments import Receipt, receive
from invoiced_emulator.seed.payments.transactions import decline
from invoiced_emulator.seed.simulation.account import Account, Split
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, month_start, office_hours
from invoiced_emulator.seed.simulation.money import Number, share
from invoiced_emulator.seed.simulation.simulation import Simulation

_METHODS = (
    ("check", "keyed"),
    ("check", "check_lockbox"),
    ("wire_transfer", "bank_feed"),
    ("ach", "remittance_advice"),
    ("cash", "keyed"),
    ("paypal", "customer_portal"),
    ("other", "api"),
)
_PLAIN = Receipt()


def payment_date(simulation: Simulation, history: InvoiceHistory) -> int:
    """Returns when the customer pays this invoice, by its habit."""
    random = simulation.random
    days = history.account.delay_days + int(random.random() * 9)
    return office_hours(random, max(history.due + days * DAY, simulation.clock + 2 * HOUR))


def pay(
    simulation: Simulation,
    history: InvoiceHistory,
    moment: int,
    amount: Number,
    receipt: Receipt = _PLAIN,
) -> None:
    """Pays this invoice alone, by one of the usual methods.

    Args:
        simulation: The account.
        history: The invoice.
        moment: When the payment arrives.
        amount: What is applied to the invoice.
        receipt: What the payment has besides.
    """
    method, source = simulation.random.choice(_METHODS)
    splits = (Split("invoice", amount, history.invoice), *receipt.splits)
    receipt = replace(receipt, splits=splits, method=method, source=source)
    simulation.at(moment, receive, simulation, history.account, receipt)
    history.paid(moment, amount)


def pay_in_run(simulation: Simulation, history: InvoiceHistory) -> None:
    """Adds the invoice to the customer's next payment run, early or in the middle of a month."""
    account = history.account
    after = max(history.due + account.delay_days * DAY, simulation.clock + HOUR)
    offset = (account.id % 5) * DAY + 15 * HOUR + account.id % 3_600
    next_month = month_start(after)
    middle = next_month - 17 * DAY + offset
    moment = middle if middle > after else next_month + offset
    if moment > simulation.now:
        return
    run = account.runs.setdefault(moment, [])
    if not run:
        simulation.at(moment, _run_payments, simulation, account, moment)
    run.append(Split("invoice", history.balance, history.invoice))
    history.paid(moment, history.balance)


def _run_payments(simulation: Simulation, account: Account, moment: int) -> None:
    splits = tuple(account.runs.pop(moment))
    receive(simulation, account, Receipt(splits=splits, method="wire_transfer", source="bank_feed"))


def charge_automatically(simulation: Simulation, history: InvoiceHistory) -> None:
    """Charges the invoice within hours; a declined charge is retried three days later."""
    account = history.account
    moment = simulation.clock + HOUR + int(simulation.random.random() * 3 * HOUR)
    attempts = 1
    while simulation.random.random() < 0.08 and attempts < 4:
        retry = moment + 3 * DAY
        simulation.at(moment, decline, simulation, account, history.invoice, history.balance)
        history.step(
            moment, attempt_count=attempts, next_payment_attempt=retry, needs_attention=True
        )
        moment, attempts = retry, attempts + 1
    if attempts == 4:
        return
    splits: list[Split] = [Split("invoice", history.balance, history.invoice)]
    fee = share(history.balance, Decimal("2.9"), account.currency)
    if account.record["convenience_fee"] and fee:
        splits.append(Split("convenience_fee", fee))
    receipt = Receipt(
        splits=tuple(splits),
        method="credit_card" if account.payment_habit == "card" else "ach",
        source="autopay",
        charged=account.record["payment_source"],
    )
    simulation.at(moment, receive, simulation, account, receipt)
    history.step(moment, attempt_count=attempts, needs_attention=False)
    history.paid(moment, history.balance)
