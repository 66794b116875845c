"""The ways in which a customer pays an invoice: by hand, in payment runs, or by AutoPay."""

from decimal import Decimal

from invoiced_emulator.seed.documents.invoice_story import InvoiceStory
from invoiced_emulator.seed.ledger.account import Account, Split
from invoiced_emulator.seed.ledger.business_time import DAY, HOUR, month_start, office_hours
from invoiced_emulator.seed.ledger.ledger import Ledger
from invoiced_emulator.seed.ledger.money import Number, share
from invoiced_emulator.seed.payments.payments import Receipt, receive
from invoiced_emulator.seed.payments.transactions import decline

_METHODS = (
    ("check", "keyed"),
    ("check", "check_lockbox"),
    ("wire_transfer", "bank_feed"),
    ("ach", "remittance_advice"),
    ("cash", "keyed"),
    ("paypal", "customer_portal"),
    ("other", "api"),
)


def payday(ledger: Ledger, story: InvoiceStory) -> int:
    """When the customer would pay this invoice, going by its habit."""
    random = ledger.random
    days = story.account.delay_days + int(random.random() * 9)
    return office_hours(random, max(story.due + days * DAY, ledger.clock + 2 * HOUR))


def pay(  # noqa: PLR0913  a payment has that many terms
    ledger: Ledger,
    story: InvoiceStory,
    moment: int,
    amount: Number,
    *,
    extra: tuple[Split, ...] = (),
    unapplied: Number = 0,
    void_at: int | None = None,
) -> None:
    """A payment over this invoice alone, by one of the usual ways."""
    method, source = ledger.random.choice(_METHODS)
    receipt = Receipt(
        splits=(Split("invoice", amount, story.invoice), *extra),
        unapplied=unapplied,
        method=method,
        source=source,
        void_at=void_at,
    )
    ledger.at(moment, receive, ledger, story.account, receipt)
    story.paid(moment, amount)


def pay_in_run(ledger: Ledger, story: InvoiceStory) -> None:
    """Joins the customer's next payment run, early in a month or in the middle of it."""
    account = story.account
    after = max(story.due + account.delay_days * DAY, ledger.clock + HOUR)
    offset = (account.id % 5) * DAY + 15 * HOUR + account.id % 3_600
    next_month = month_start(after)
    middle = next_month - 17 * DAY + offset
    moment = middle if middle > after else next_month + offset
    if moment > ledger.now:
        return
    run = account.runs.setdefault(moment, [])
    if not run:
        ledger.at(moment, _run_payments, ledger, account, moment)
    run.append(Split("invoice", story.balance, story.invoice))
    story.paid(moment, story.balance)


def _run_payments(ledger: Ledger, account: Account, moment: int) -> None:
    splits = tuple(account.runs.pop(moment))
    receive(ledger, account, Receipt(splits=splits, method="wire_transfer", source="bank_feed"))


def charge_automatically(ledger: Ledger, story: InvoiceStory) -> None:
    """AutoPay: charged within hours; a declined charge is tried again three days later."""
    account = story.account
    moment = ledger.clock + HOUR + int(ledger.random.random() * 3 * HOUR)
    attempts = 1
    while ledger.random.random() < 0.08 and attempts < 4:
        retry = moment + 3 * DAY
        ledger.at(moment, decline, ledger, account, story.invoice, story.balance)
        story.step(moment, attempt_count=attempts, next_payment_attempt=retry, needs_attention=True)
        moment, attempts = retry, attempts + 1
    if attempts == 4:
        return
    splits: list[Split] = [Split("invoice", story.balance, story.invoice)]
    fee = share(story.balance, Decimal("2.9"), account.currency)
    if account.record["convenience_fee"] and fee:
        splits.append(Split("convenience_fee", fee))
    receipt = Receipt(
        splits=tuple(splits),
        method="credit_card" if account.manner == "card" else "ach",
        source="autopay",
        charged=account.record["payment_source"],
    )
    ledger.at(moment, receive, ledger, account, receipt)
    story.step(moment, attempt_count=attempts, needs_attention=False)
    story.paid(moment, story.balance)
