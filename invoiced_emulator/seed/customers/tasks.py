"""Tasks: what the company's own people have to do about a customer."""

from invoiced_emulator.seed.ledger.account import Account, Record
from invoiced_emulator.seed.ledger.business_time import DAY, HOUR, office_hours
from invoiced_emulator.seed.ledger.history import advance
from invoiced_emulator.seed.ledger.kinds import TASK
from invoiced_emulator.seed.ledger.ledger import Ledger

_TASKS = (("Call about overdue invoice", "phone"), ("Send reminder letter", "letter"),
          ("Review credit limit", "review"), ("Confirm billing address", "email"))  # fmt: skip


def add_task(ledger: Ledger, account: Account) -> None:
    """Something to do about the customer; most get done, a few are deleted."""
    random = ledger.random
    name, action = random.choice(_TASKS)
    user = 1_970 + random.randrange(6)
    task: Record = {
        "id": ledger.next_id("task", TASK.first_id),
        "name": name,
        "action": action,
        "customer_id": account.id,
        "customer": account.id,
        "user_id": user,
        "due_date": ledger.clock + 3 * DAY,
        "complete": False,
        "completed_date": None,
        "completed_by_user_id": None,
        "chase_step_id": None,
        **dict.fromkeys(("bill_id", "bill", "vendor_credit_id", "vendor_credit")),
        "created_at": ledger.clock,
        "updated_at": ledger.clock,
    }
    ledger.announce(TASK, "created", task, account)
    moment = office_hours(random, ledger.clock + random.randrange(HOUR, 6 * DAY))
    chance = random.random()
    if chance < 0.05 and moment <= ledger.now:
        ledger.at(moment, ledger.announce, TASK, "deleted", task, account)
        return
    done = {"complete": True, "completed_date": moment, "completed_by_user_id": user}
    steps = [(moment, "updated", done)] if chance < 0.8 else []
    final = advance(ledger, TASK, task, steps, account=account)
    if final["complete"]:
        ledger.at(moment, ledger.announce, TASK, "completed", final, account)
    ledger.give("tasks", final)
