"""Tasks: create, update and delete."""

from collections.abc import Mapping

from invoiced_emulator.calls.call import Answer, Call
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import Property, accepted, missing
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.handling import (
    NO_CONTENT,
    record_of,
    refuse_query,
    refuse_unknown,
    written,
)

_INTEGER = Property("integer")
PROPERTIES: Mapping[str, Property] = {
    "action": Property(nullable=False),
    "due_date": Property("stamp", nullable=False),
    "name": Property(nullable=False),
    "customer_id": _INTEGER,
    "user_id": _INTEGER,
    "complete": Property("boolean", nullable=False),
    "completed_by_user_id": _INTEGER,
    "bill_id": _INTEGER,
    "vendor_credit_id": _INTEGER,
}
_REQUIRED = ("action", "due_date", "name")


def create(call: Call) -> Answer:
    """POST /tasks."""
    refuse_unknown(call, PROPERTIES)
    values = _values(call)
    for name in _REQUIRED:
        if values.get(name) is None:
            raise missing(name)
    task = {
        **dict.fromkeys(PROPERTIES),
        "complete": False,
        "completed_date": None,
        "chase_step_id": None,
        **values,
    }
    task = call.work.create("tasks", _completed(call, task, None))
    if task["complete"]:
        call.work.tell("tasks", task, "completed")
    return written(call, "tasks", task, 201)


def update(call: Call) -> Answer:
    """PATCH /tasks/:id."""
    before = record_of(call, "tasks")
    refuse_unknown(call, PROPERTIES)
    if not call.body:
        return written(call, "tasks", before)
    task = call.work.save("tasks", before, _completed(call, before | _values(call), before))
    if task["complete"] and not before.get("complete"):
        call.work.tell("tasks", task, "completed")
    return written(call, "tasks", task)


def delete(call: Call) -> Answer:
    """DELETE /tasks/:id."""
    refuse_query(call)
    call.work.delete("tasks", record_of(call, "tasks"))
    return NO_CONTENT


def _values(call: Call) -> Record:
    values = accepted(call.body, PROPERTIES)
    customer = values.get("customer_id")
    if customer is not None and call.service.store.get("customers", customer) is None:
        raise refused(f"No such customer: {customer}", "customer_id")
    account = call.service.account
    user = values.get("user_id")
    if user is not None and user not in account.members:
        if user in account.former_members:
            raise refused(f"User is not a member of this company: {user}", "user_id")
        raise refused(f"No such user: {user}", "user_id")
    return values


def _completed(call: Call, task: Record, before: Record | None) -> Record:
    """The task with its completion date and the twins of its relations."""
    was_complete = bool(before and before.get("complete"))
    if task.get("complete") and not was_complete:
        task["completed_date"] = call.service.clock.now()
    elif not task.get("complete"):
        task["completed_date"] = None
    twins = {"customer": "customer_id", "bill": "bill_id", "vendor_credit": "vendor_credit_id"}
    return task | {name: task.get(source) for name, source in twins.items()}
