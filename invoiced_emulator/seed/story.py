"""The story of a company's ledger: who becomes a customer when, and what they buy."""

from collections.abc import Iterator

from invoiced_emulator.seed.customers.contacts import add_contact
from invoiced_emulator.seed.customers.customers import (
    closing,
    draw_edit,
    edit,
    new_account,
    pass_through,
)
from invoiced_emulator.seed.customers.tasks import add_task
from invoiced_emulator.seed.documents.credit_notes import issue_credit_note
from invoiced_emulator.seed.documents.estimates import issue_estimate
from invoiced_emulator.seed.documents.invoices import (
    draft_and_delete,
    import_invoices,
    issue_invoice,
)
from invoiced_emulator.seed.examples import plan_examples
from invoiced_emulator.seed.ledger.account import Account, Record
from invoiced_emulator.seed.ledger.business_time import DAY, HOUR, month_start, office_hours
from invoiced_emulator.seed.ledger.kinds import CUSTOMER
from invoiced_emulator.seed.ledger.ledger import Ledger
from invoiced_emulator.seed.payments.payments import receive_unassigned
from invoiced_emulator.seed.payments.transactions import adjust_credit
from invoiced_emulator.seed.subscriptions.subscriptions import subscribe

_IMPORTED_ACCOUNTS = 30
_IMPORTED_EACH = 5

_DAYS_BETWEEN = {"large": 2.3, "medium": 100, "small": 260, "subscriber": 400, "prospect": 200}
"""How often each size buys or asks for an estimate, on average."""

_CURRENCIES = ("usd",) * 13 + ("eur",) * 4 + ("jpy", "kwd", "bhd")

_LARGE_EVERY = 75

_FOUNDING_SHARE = 0.6
"""Of the others than the large ones, those who were there from the beginning."""


def tell(ledger: Ledger, customers: int) -> Iterator[tuple[str, Record]]:
    """Plans everything that happens, lets it happen, and yields what is left of it today."""
    span = ledger.now - ledger.start
    for index in range(customers):
        joined = ledger.start
        if index % _LARGE_EVERY and ledger.random.random() > _FOUNDING_SHARE:
            joined = office_hours(ledger.random, ledger.start + ledger.random.randrange(span))
            joined = min(joined, ledger.now - HOUR)
        ledger.at(joined, _join, ledger, index)
    for index in range(2, customers, 60):
        moment = office_hours(ledger.random, ledger.start + ledger.random.randrange(DAY, span))
        ledger.at(moment, _pass_through, ledger, index)
    for _ in range(2 + customers // 30):
        moment = ledger.start + ledger.random.randrange(DAY, span)
        ledger.at(moment, receive_unassigned, ledger)
    if customers > 100:
        ledger.at(ledger.now - 250 * DAY + 3 * HOUR, _import, ledger)
    if customers:
        plan_examples(ledger)
    yield from ledger.run()
    yield from ledger.catalog.records()
    for account in ledger.accounts:
        yield "customers", closing(ledger, account)


def _join(ledger: Ledger, index: int) -> None:
    """A customer signs up: about one in a hundred is large, nine are medium, most small."""
    random = ledger.random
    place = index % 100
    size, manner, currency = _habits(ledger, index)
    account = new_account(ledger, size, currency, manner)
    ledger.accounts.append(account)
    ledger.announce(CUSTOMER, "created", account.record)
    for number in range(random.choice((0, 1, 1, 2))):
        add_contact(ledger, account, primary=number == 0)
    if random.random() < 0.25:
        moment = office_hours(random, ledger.clock + random.randrange(DAY, 400 * DAY))
        ledger.at(moment, _edit, ledger, account)
    if size == "dormant" and place % 2:
        moment = office_hours(random, ledger.clock + 60 * DAY)
        ledger.at(moment, edit, ledger, account, {"active": False})
    if size == "medium" or (size == "subscriber" and account.id % 5 < 4):
        subscribe(ledger, account, monthly=size == "medium")
    _plan_next(ledger, account)


def _habits(ledger: Ledger, index: int) -> tuple[str, str, str]:
    place = index % 100
    if index % _LARGE_EVERY == 0:
        return "large", "batch", "usd"
    size = "dormant"
    for above, name in ((95, "prospect"), (90, "subscriber"), (80, "small"), (10, "medium")):
        if place < above:
            size = name
    currency = _CURRENCIES[index % len(_CURRENCIES)]
    manners = ("single", "single", "card", "batch") if size == "small" else ("batch", "card", "ach")
    if size == "medium":
        manners = ("single", "batch", "batch", "card", "ach")
    manner = ledger.random.choice(manners)
    if manner == "ach" and currency != "usd":
        manner = "single"
    return size, manner, currency


def _edit(ledger: Ledger, account: Account) -> None:
    edit(ledger, account, draw_edit(ledger))


def _pass_through(ledger: Ledger, index: int) -> None:
    pass_through(ledger, merged=index % 120 < 60)


def _plan_next(ledger: Ledger, account: Account) -> None:
    """Plans the customer's next visit; every other one falls on the first days of a month."""
    days = _DAYS_BETWEEN.get(account.size)
    if days is None:
        return
    random = ledger.random
    if account.size == "small" and random.random() < 0.05:
        ledger.at(ledger.clock + 45 * DAY, edit, ledger, account, {"active": False})
        return
    moment = ledger.clock + int(random.expovariate(1 / days) * DAY) + HOUR
    if days > 10 and random.random() < 0.5:
        moment = month_start(moment) + random.randrange(3) * DAY
    ledger.at(office_hours(random, moment), _visit, ledger, account)


def _visit(ledger: Ledger, account: Account) -> None:
    random = ledger.random
    if account.size == "prospect" or random.random() < 0.06:
        issue_estimate(ledger, account)
    else:
        issue_invoice(ledger, account)
    for chance, action in (
        (0.025, issue_credit_note),
        (0.02, adjust_credit),
        (0.06, add_task),
        (0.012, draft_and_delete),
    ):
        if random.random() < chance:
            moment = office_hours(random, ledger.clock + random.randrange(HOUR, 20 * DAY))
            ledger.at(moment, action, ledger, account)
    _plan_next(ledger, account)


def _import(ledger: Ledger) -> None:
    """A bulk import: many records share this one second."""
    accounts = [
        account
        for account in ledger.accounts
        if account.currency == "usd" and account.record["active"]
    ]
    import_invoices(ledger, accounts[:_IMPORTED_ACCOUNTS], _IMPORTED_EACH)
