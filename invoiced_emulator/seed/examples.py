"""Examples of every status and rare case, for accounts of any size."""

from decimal import Decimal

from invoiced_emulator.seed.customers.contacts import add_contact
from invoiced_emulator.seed.customers.notes import plan_note
from invoiced_emulator.seed.customers.tasks import add_task
from invoiced_emulator.seed.documents.credit_notes import OUTCOMES as CREDIT_NOTE_OUTCOMES
from invoiced_emulator.seed.documents.credit_notes import issue_credit_note
from invoiced_emulator.seed.documents.estimates import OUTCOMES as ESTIMATE_OUTCOMES
from invoiced_emulator.seed.documents.estimates import issue_estimate
from invoiced_emulator.seed.documents.invoices import InvoicePlan, issue_invoice
from invoiced_emulator.seed.documents.line_items import draw_lines, line_item
from invoiced_emulator.seed.payments.transactions import adjust_credit
from invoiced_emulator.seed.simulation.account import Account
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR
from invoiced_emulator.seed.simulation.simulation import Simulation

_INVOICES: tuple[tuple[int, str, str | None], ...] = (
    (2, "unpaid", "draft"),
    (3, "unpaid", "draft"),
    (30, "unpaid", "draft"),
    (2, "unpaid", "not_sent"),
    (2, "unpaid", "sent"),
    (5, "unpaid", "viewed"),
    (90, "unpaid", "sent"),
    (4, "pending", "sent"),
    (150, "paid", "sent"),
    (30, "voided", "sent"),
    (260, "written_off", "sent"),
    (170, "partly_paid", None),
    (171, "paid_twice", None),
    (172, "overpaid", None),
    (173, "overpaid", None),
    (174, "short_paid", None),
    (175, "credited", None),
    (176, "reversed_payment", None),
    (177, "refunded", None),
)
"""Age in days, outcome and delivery of each example."""


def plan_examples(simulation: Simulation) -> None:
    """Plans one record of each case, for the first customers in turn."""
    moment = simulation.now - 8 * HOUR
    for turn, (days, outcome, delivery) in enumerate(_INVOICES):
        simulation.at(moment - days * DAY, _invoice, simulation, turn, outcome, delivery)
    for turn, outcome in enumerate(ESTIMATE_OUTCOMES):
        simulation.at(moment - 100 * DAY + turn * HOUR, _estimate, simulation, turn, outcome)
    for turn, outcome in enumerate(CREDIT_NOTE_OUTCOMES):
        simulation.at(moment - 80 * DAY + turn * HOUR, _credit_note, simulation, turn, outcome)
    for turn in range(4):
        simulation.at(moment - 200 * DAY + turn * HOUR, _others, simulation, turn)
    simulation.at(moment - 60 * DAY, _extremes, simulation)


def _payer(simulation: Simulation, turn: int, terms: str | None = None) -> Account:
    """Returns a customer with terms, these terms if a customer has them."""
    payers = [one for one in simulation.accounts[:60] if one.terms and one.record["active"]]
    payers = [one for one in payers if one.terms == terms] or payers
    return payers[turn % len(payers)]


def _invoice(simulation: Simulation, turn: int, outcome: str, delivery: str | None) -> None:
    account = _payer(simulation, turn, "NET 30" if outcome == "unpaid" else None)
    issue_invoice(simulation, account, plan=InvoicePlan(outcome, delivery))


def _estimate(simulation: Simulation, turn: int, outcome: str) -> None:
    issue_estimate(simulation, _payer(simulation, turn), outcome)


def _credit_note(simulation: Simulation, turn: int, outcome: str) -> None:
    issue_credit_note(simulation, _payer(simulation, turn), outcome)


def _others(simulation: Simulation, turn: int) -> None:
    account = _payer(simulation, turn)
    adjust_credit(simulation, account)
    add_contact(simulation, account, primary=False)
    add_task(simulation, account)
    plan_note(simulation, account)
    if account.credit > 0:
        issue_invoice(simulation, account, plan=InvoicePlan("paid_from_credit"))


def _extremes(simulation: Simulation) -> None:
    """Issues a very long invoice, one without lines, and one with many decimals."""
    account = _payer(simulation, 0)
    issue_invoice(
        simulation, account, draw_lines(simulation, account, 60), plan=InvoicePlan("paid")
    )
    issue_invoice(simulation, account, [])
    price = Decimal("9876.5432109876")
    line = line_item(
        simulation, "Turbine rental", Decimal("12.0450000001"), price, account.currency
    )
    issue_invoice(simulation, account, [line], plan=InvoicePlan("unpaid"))
