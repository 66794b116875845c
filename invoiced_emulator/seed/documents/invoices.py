"""Issues invoices: their lines, delivery and outcome."""

from dataclasses import dataclass

from invoiced_emulator.seed.documents.invoice_history import InvoiceHistory, invoice_record
from invoiced_emulator.seed.documents.invoice_outcomes import OUTCOMES
from invoiced_emulator.seed.documents.line_items import draw_lines
from invoiced_emulator.seed.documents.payment_plans import agree_on_plan
from invoiced_emulator.seed.payments.payments import Receipt, receive
from invoiced_emulator.seed.simulation.account import Account, Record, Split
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, office_hours
from invoiced_emulator.seed.simulation.kinds import INVOICE
from invoiced_emulator.seed.simulation.simulation import Simulation

_NAMES = tuple(OUTCOMES)
_WEIGHTS = tuple(weight for _, weight in OUTCOMES.values())


@dataclass(frozen=True, slots=True)
class InvoicePlan:
    """What happens to an invoice; None leaves it to chance."""

    outcome: str | None = None
    delivery: str | None = None
    """How far it gets: `draft`, `not_sent`, `sent` or `viewed`."""


_CHANCE = InvoicePlan()


def issue_invoice(
    simulation: Simulation,
    account: Account,
    lines: list[Record] | None = None,
    *,
    plan: InvoicePlan = _CHANCE,
    subscription: Record | None = None,
) -> Record:
    """Issues an invoice now, plans its outcome and emits it."""
    if lines is None:
        lines = draw_lines(simulation, account)
    invoice = invoice_record(simulation, account, lines, subscription)
    if invoice["total"] <= 0:
        invoice |= _settled(simulation.clock)
        simulation.emit_event(INVOICE, "created", invoice, account)
        simulation.emit("invoices", invoice)
        return invoice
    outcome = plan.outcome or _draw_outcome(simulation, account)
    history = InvoiceHistory(account, invoice)
    _deliver(simulation, history, plan.delivery)
    if outcome == "unpaid" and not invoice["draft"]:
        agree_on_plan(simulation, account, invoice)
    simulation.emit_event(INVOICE, "created", invoice, account)
    if plan.delivery != "draft":
        OUTCOMES[outcome][0](simulation, history)
    simulation.emit("invoices", history.record(simulation))
    return invoice


def _draw_outcome(simulation: Simulation, account: Account) -> str:
    outcome = simulation.random.choices(_NAMES, _WEIGHTS)[0]
    # Customers who pay in runs have a process: they deviate less often.
    orderly = account.payment_habit == "batch" and simulation.random.random() < 0.7
    return "paid" if orderly else outcome


def draft_and_delete(simulation: Simulation, account: Account) -> None:
    """Creates a draft and deletes it: only events show it."""
    moment = office_hours(simulation.random, simulation.clock + HOUR)
    if moment > simulation.now:
        return
    invoice = invoice_record(simulation, account, draw_lines(simulation, account))
    invoice |= {"draft": True, "status": "draft"}
    simulation.emit_event(INVOICE, "created", invoice, account)
    simulation.at(moment, simulation.emit_event, INVOICE, "deleted", invoice, account)


def import_invoices(simulation: Simulation, accounts: list[Account], each: int) -> None:
    """Imports paid invoices and their payments, all in the same second."""
    for account in accounts:
        splits = []
        for _ in range(each):
            invoice = invoice_record(simulation, account, draw_lines(simulation, account, 2))
            days_ago = 60 + simulation.random.randrange(140)
            date = simulation.clock - days_ago * DAY
            invoice |= {"date": date, "metadata": {"imported_from": "former system"}}
            invoice |= {"due_date": date + 30 * DAY, "payment_terms": "NET 30"}
            if invoice["total"] > 0:
                splits.append(Split("invoice", invoice["total"], invoice))
            invoice |= {
                **_settled(date + 28 * DAY),
                "amount_paid": invoice["total"],
                "balance": 0,
            }
            simulation.emit_event(INVOICE, "created", invoice, account)
            simulation.emit("invoices", invoice)
        receive(simulation, account, Receipt(splits=tuple(splits), source="imported"))


def _settled(moment: int) -> Record:
    return {
        "paid": True,
        "closed": True,
        "status": "paid",
        "date_paid": moment,
        "payment_url": None,
    }


def _deliver(simulation: Simulation, history: InvoiceHistory, delivery: str | None) -> None:
    """Sends most invoices when they are issued, some later, a few never."""
    random = simulation.random
    invoice = history.invoice
    chance = random.random()
    if delivery == "draft" or (delivery is None and chance < 0.02):
        invoice |= {"draft": True, "status": "draft"}
        if delivery is None:
            history.step(simulation.clock + random.randrange(HOUR, 2 * HOUR), draft=False)
    elif delivery == "not_sent" or (delivery is None and chance < 0.08):
        return
    elif delivery is not None or chance < 0.85:
        invoice |= {"sent": True, "last_sent": simulation.clock, "status": "sent"}
    else:
        moment = simulation.clock + random.randrange(60, HOUR)
        history.step(moment, sent=True, last_sent=moment)
    if delivery == "viewed" or (delivery is None and random.random() < 0.3):
        moment = office_hours(random, simulation.clock + HOUR + random.randrange(2 * DAY))
        history.step(moment, "viewed", viewed=True)
