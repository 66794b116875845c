"""Plans the business of a company: when customers sign up, and what they buy."""

from collections.abc import Iterator

from invoiced_emulator.seed.customers.contacts import add_contact
from invoiced_emulator.seed.customers.customers import (
    closing_record,
    draw_edit,
    edit,
    new_account,
    pass_through,
)
from invoiced_emulator.seed.customers.notes import plan_note
from invoiced_emulator.seed.customers.pending_lines import add_pending_lines
from invoiced_emulator.seed.customers.tasks import add_task
from invoiced_emulator.seed.documents.credit_notes import issue_credit_note
from invoiced_emulator.seed.documents.estimates import issue_estimate
from invoiced_emulator.seed.documents.invoices import (
    draft_and_delete,
    import_invoices,
    issue_invoice,
)
from invoiced_emulator.seed.examples import plan_examples
from invoiced_emulator.seed.payments.payments import receive_unassigned
from invoiced_emulator.seed.payments.saved_sources import save_sources
from invoiced_emulator.seed.payments.transactions import adjust_credit
from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, month_start, office_hours
from invoiced_emulator.seed.simulation.kinds import CUSTOMER
from invoiced_emulator.seed.simulation.simulation import Simulation
from invoiced_emulator.seed.subscriptions.subscriptions import subscribe

_IMPORTED_ACCOUNTS = 30
_IMPORTED_EACH = 5

_DAYS_BETWEEN = {"large": 2.3, "medium": 100, "small": 260, "subscriber": 400, "prospect": 200}
"""Average days between purchases or estimates, by size."""

_CURRENCIES = ("usd",) * 13 + ("eur",) * 4 + ("jpy", "kwd", "bhd")

_LARGE_EVERY = 75

_NOTED = 0.06
"""Share of purchases and estimates that users write a note about."""

_FOUNDING_SHARE = 0.6
"""Share of customers, other than large ones, that exist from the start."""


def run_business(simulation: Simulation, customers: int) -> Iterator[tuple[str, Record]]:
    """Plans all actions, runs them, and yields the records as of today."""
    span = simulation.now - simulation.start
    for index in range(customers):
        joined = simulation.start
        if index % _LARGE_EVERY and simulation.random.random() > _FOUNDING_SHARE:
            joined = office_hours(
                simulation.random, simulation.start + simulation.random.randrange(span)
            )
            joined = min(joined, simulation.now - HOUR)
        simulation.at(joined, _join, simulation, index)
    for index in range(2, customers, 60):
        moment = office_hours(
            simulation.random, simulation.start + simulation.random.randrange(DAY, span)
        )
        simulation.at(moment, _pass_through, simulation, index)
    for _ in range(2 + customers // 30):
        moment = simulation.start + simulation.random.randrange(DAY, span)
        simulation.at(moment, receive_unassigned, simulation)
    if customers > 100:
        simulation.at(simulation.now - 250 * DAY + 3 * HOUR, _import, simulation)
    if customers:
        plan_examples(simulation)
    for index in range(1, customers, 8):
        days = 1 + index % 20
        simulation.at(simulation.now - days * DAY, _add_pending_lines, simulation, index)
    yield from simulation.run()
    yield from simulation.catalog.records()
    for account in simulation.accounts:
        yield "customers", closing_record(simulation, account)


def _join(simulation: Simulation, index: int) -> None:
    """Signs up a customer: about 1 % are large, 9 % medium, most small."""
    random = simulation.random
    place = index % 100
    size, payment_habit, currency = _habits(simulation, index)
    account = new_account(simulation, size, currency, payment_habit)
    simulation.accounts.append(account)
    simulation.emit_event(CUSTOMER, "created", account.record)
    save_sources(simulation, account)
    for number in range(random.choice((0, 1, 1, 2))):
        add_contact(simulation, account, primary=number == 0)
    if random.random() < 0.25:
        moment = office_hours(random, simulation.clock + random.randrange(DAY, 400 * DAY))
        simulation.at(moment, _edit, simulation, account)
    if size == "dormant" and place % 2:
        moment = office_hours(random, simulation.clock + 60 * DAY)
        simulation.at(moment, edit, simulation, account, {"active": False})
    if size == "medium" or (size == "subscriber" and account.id % 5 < 4):
        subscribe(simulation, account, monthly=size == "medium")
    _plan_next(simulation, account)


def _habits(simulation: Simulation, index: int) -> tuple[str, str, str]:
    place = index % 100
    if index % _LARGE_EVERY == 0:
        return "large", "batch", "usd"
    size = "dormant"
    for above, name in ((95, "prospect"), (90, "subscriber"), (80, "small"), (10, "medium")):
        if place < above:
            size = name
    currency = _CURRENCIES[index % len(_CURRENCIES)]
    payment_habits = (
        ("single", "single", "card", "batch") if size == "small" else ("batch", "card", "ach")
    )
    if size == "medium":
        payment_habits = ("single", "batch", "batch", "card", "ach")
    payment_habit = simulation.random.choice(payment_habits)
    if payment_habit == "ach" and currency != "usd":
        payment_habit = "single"
    return size, payment_habit, currency


def _edit(simulation: Simulation, account: Account) -> None:
    edit(simulation, account, draw_edit(simulation))


def _add_pending_lines(simulation: Simulation, index: int) -> None:
    accounts = [account for account in simulation.accounts if account.record["active"]]
    if accounts:
        add_pending_lines(simulation, accounts[index % len(accounts)])


def _pass_through(simulation: Simulation, index: int) -> None:
    pass_through(simulation, merged=index % 120 < 60)


def _plan_next(simulation: Simulation, account: Account) -> None:
    """Plans the customer's next purchase; half of them on the first days of a month."""
    days = _DAYS_BETWEEN.get(account.size)
    if days is None:
        return
    random = simulation.random
    if account.size == "small" and random.random() < 0.05:
        simulation.at(simulation.clock + 45 * DAY, edit, simulation, account, {"active": False})
        return
    moment = simulation.clock + int(random.expovariate(1 / days) * DAY) + HOUR
    if days > 10 and random.random() < 0.5:
        moment = month_start(moment) + random.randrange(3) * DAY
    simulation.at(office_hours(random, moment), _visit, simulation, account)


def _visit(simulation: Simulation, account: Account) -> None:
    random = simulation.random
    invoice = None
    if account.size == "prospect" or random.random() < 0.06:
        issue_estimate(simulation, account)
    else:
        invoice = issue_invoice(simulation, account)
    if simulation.extras.random() < _NOTED:
        plan_note(simulation, account, invoice)
    for chance, action in (
        (0.025, issue_credit_note),
        (0.02, adjust_credit),
        (0.06, add_task),
        (0.012, draft_and_delete),
    ):
        if random.random() < chance:
            moment = office_hours(random, simulation.clock + random.randrange(HOUR, 20 * DAY))
            simulation.at(moment, action, simulation, account)
    _plan_next(simulation, account)


def _import(simulation: Simulation) -> None:
    """Imports many records in one second."""
    accounts = [
        account
        for account in simulation.accounts
        if account.currency == "usd" and account.record["active"]
    ]
    import_invoices(simulation, accounts[:_IMPORTED_ACCOUNTS], _IMPORTED_EACH)
