"""Tasks: what users have to do about a customer."""

from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, office_hours
from invoiced_emulator.seed.simulation.history import advance
from invoiced_emulator.seed.simulation.kinds import TASK
from invoiced_emulator.seed.simulation.simulation import Simulation

_TASKS = (("Call about overdue invoice", "phone"), ("Send reminder letter", "letter"),
          ("Review credit limit", "review"), ("Confirm billing address", "email"))  # fmt: skip


def add_task(simulation: Simulation, account: Account) -> None:
    """Adds a task; most are completed, a few are deleted."""
    random = simulation.random
    name, action = random.choice(_TASKS)
    user = 1_970 + random.randrange(6)
    task: Record = {
        "id": simulation.next_id("task", TASK.first_id),
        "name": name,
        "action": action,
        "customer_id": account.id,
        "customer": account.id,
        "user_id": user,
        "due_date": simulation.clock + 3 * DAY,
        "complete": False,
        "completed_date": None,
        "completed_by_user_id": None,
        "chase_step_id": None,
        **dict.fromkeys(("bill_id", "bill", "vendor_credit_id", "vendor_credit")),
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
    }
    simulation.emit_event(TASK, "created", task, account)
    moment = office_hours(random, simulation.clock + random.randrange(HOUR, 6 * DAY))
    chance = random.random()
    if chance < 0.05 and moment <= simulation.now:
        simulation.at(moment, simulation.emit_event, TASK, "deleted", task, account)
        return
    done = {"complete": True, "completed_date": moment, "completed_by_user_id": user}
    steps = [(moment, "updated", done)] if chance < 0.8 else []
    final = advance(simulation, TASK, task, steps, account=account)
    if final["complete"]:
        simulation.at(moment, simulation.emit_event, TASK, "completed", final, account)
    simulation.emit("tasks", final)
