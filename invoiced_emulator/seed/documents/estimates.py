"""Estimates: approved, declined, expired, voided or invoiced."""

from invoiced_emulator.seed.documents.documents import (
    Content,
    document,
    draw_coupon,
    ship_to,
    voided,
)
from invoiced_emulator.seed.documents.invoices import issue_invoice
from invoiced_emulator.seed.documents.line_items import draw_lines, line_item
from invoiced_emulator.seed.payments.payments import Receipt, receive
from invoiced_emulator.seed.simulation import company
from invoiced_emulator.seed.simulation.account import Account, Record, Split
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, office_hours
from invoiced_emulator.seed.simulation.history import Step, advance
from invoiced_emulator.seed.simulation.kinds import ESTIMATE
from invoiced_emulator.seed.simulation.money import share
from invoiced_emulator.seed.simulation.simulation import Simulation

OUTCOMES = (
    "invoiced",
    "approved",
    "declined",
    "expired",
    "sent",
    "viewed",
    "not_sent",
    "voided",
    "draft",
    "deleted",
)
"""Outcomes of an estimate."""

_WEIGHTS = (40, 12, 12, 14, 6, 4, 3, 4, 2, 3)


def issue_estimate(simulation: Simulation, account: Account, outcome: str | None = None) -> None:
    """Issues an estimate now and plans its outcome."""
    if outcome is None:
        outcome = simulation.random.choices(OUTCOMES, _WEIGHTS)[0]
    estimate = _estimate(simulation, account, outcome)
    simulation.emit_event(ESTIMATE, "created", estimate, account)
    viewed_at = office_hours(
        simulation.random, simulation.clock + HOUR + simulation.random.randrange(3 * DAY)
    )
    decided_at = office_hours(
        simulation.random, viewed_at + simulation.random.randrange(HOUR, 8 * DAY)
    )
    if outcome == "deleted" and decided_at <= simulation.now:
        simulation.at(decided_at, simulation.emit_event, ESTIMATE, "deleted", estimate, account)
        return
    steps: list[Step] = []
    if outcome in ("viewed", "approved", "declined", "invoiced"):
        steps.append((viewed_at, "viewed", {"viewed": True, "status": "viewed"}))
    if outcome in ("approved", "invoiced"):
        steps.append((decided_at, "approved", _approval(simulation, decided_at)))
        _pay_deposit(simulation, account, estimate, decided_at + HOUR, steps)
    elif outcome == "declined":
        steps.append((decided_at, "updated", {"closed": True, "status": "declined"}))
    elif outcome == "voided":
        steps.append((decided_at, "updated", voided(decided_at)))
    elif outcome == "expired":
        steps.append((estimate["expiration_date"] + 60, "updated", {"status": "expired"}))
    state = advance(simulation, ESTIMATE, estimate, steps, account=account)
    invoiced_at = office_hours(simulation.random, decided_at + DAY)
    if outcome == "invoiced" and invoiced_at <= simulation.now:
        # Emitted once the invoice has its id.
        simulation.at(invoiced_at, _invoice_estimate, simulation, account, state)
    else:
        simulation.emit("estimates", state)


def _invoice_estimate(simulation: Simulation, account: Account, estimate: Record) -> None:
    lines = [
        line_item(simulation, line["name"], line["quantity"], line["unit_cost"], account.currency)
        | {"type": line["type"]}
        for line in estimate["items"]
    ]
    invoice = issue_invoice(simulation, account, lines)
    fields: Record = {"invoice": invoice["id"], "status": "invoiced", "closed": True}
    step: Step = (simulation.clock, "updated", fields)
    simulation.emit("estimates", advance(simulation, ESTIMATE, estimate, [step], account=account))


def _pay_deposit(
    simulation: Simulation, account: Account, estimate: Record, moment: int, steps: list[Step]
) -> None:
    if estimate["deposit"]:
        split = Split("estimate", estimate["deposit"], estimate)
        simulation.at(moment, receive, simulation, account, Receipt(splits=(split,), method="ach"))
        steps.append((moment, "updated", {"deposit_paid": True}))


def _approval(simulation: Simulation, moment: int) -> Record:
    signed = company.initials(company.person_name(simulation.random))
    return {
        "status": "approved",
        "viewed": True,
        "approved": signed,
        "approval": {
            "id": simulation.next_id("approval", 10),
            "timestamp": moment,
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
            "ip": f"203.0.113.{simulation.random.randrange(1, 255)}",
            "initials": signed,
        },
    }


def _estimate(simulation: Simulation, account: Account, outcome: str) -> Record:
    content = Content(
        draw_lines(simulation, account), draw_coupon(simulation, account), account.tax_rate
    )
    shared = document(simulation, account, ESTIMATE, content)
    draft, sent = outcome == "draft", outcome not in ("draft", "not_sent")
    wants_deposit = simulation.random.random() < 0.25
    days = simulation.random.choice((14, 30, 60))
    return {
        **shared,
        "id": simulation.next_id("estimate", ESTIMATE.first_id),
        "object": "estimate",
        "invoice": None,
        "draft": draft,
        "sent": sent,
        "last_sent": simulation.clock if sent else None,
        "status": "draft" if draft else "sent" if sent else "not_sent",
        "expiration_date": simulation.clock + days * DAY if outcome != "not_sent" else None,
        "payment_terms": account.terms,
        "approved": None,
        "approval": None,
        "deposit": share(shared["total"], 20, account.currency) if wants_deposit else 0,
        "deposit_paid": False,
        "ship_to": ship_to(simulation, account),
    }
