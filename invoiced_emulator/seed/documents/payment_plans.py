"""Payment plans: open invoices that are paid in installments."""

from typing import Any

from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY
from invoiced_emulator.seed.simulation.kinds import PAYMENT_PLAN
from invoiced_emulator.seed.simulation.money import exact, rounded
from invoiced_emulator.seed.simulation.simulation import Simulation

_INSTALLMENTS = 4
_EVERY = 3
"""One in so many open invoices that can have a plan."""


def agree_on_plan(simulation: Simulation, account: Account, invoice: Record) -> None:
    """Gives some invoices that stay open a payment plan when they are issued."""
    if invoice["autopay"] or invoice["id"] % _EVERY:
        return
    with simulation.apart():
        plan = _plan(simulation, account, invoice)
        simulation.emit_event(PAYMENT_PLAN, "created", plan, account)
    simulation.emit("payment_plans", plan)
    invoice["payment_plan"] = plan["id"]


def _plan(simulation: Simulation, account: Account, invoice: Record) -> Record:
    moment = simulation.clock
    part = rounded(invoice["total"] / _INSTALLMENTS, account.currency)
    amounts: list[Any] = [part] * (_INSTALLMENTS - 1)
    amounts.append(exact(invoice["total"] - sum(amounts)))
    identity = simulation.next_id("payment_plan", PAYMENT_PLAN.first_id)
    return {
        "id": identity,
        "object": "payment_plan",
        "invoice": invoice["id"],
        "status": "active",
        "installments": [
            {
                "id": simulation.next_id("installment", 9_000),
                "date": moment + (number + 1) * 30 * DAY,
                "amount": amount,
                "balance": amount,
            }
            for number, amount in enumerate(amounts)
        ],
        "approval": _approval(simulation) if identity % 2 else None,
        "created_at": moment,
        "updated_at": moment,
    }


def _approval(simulation: Simulation) -> Record:
    return {
        "id": simulation.next_id("approval", 700),
        "ip": "203.0.113.7",
        "timestamp": simulation.clock,
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    }
