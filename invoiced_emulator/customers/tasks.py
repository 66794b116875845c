"""Creates, updates and deletes tasks."""

from collections.abc import Mapping

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import Property, accepted_values, missing
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.options import refuse_query, refuse_unknown
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

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


def create(call: Call) -> Response:
    """Handles POST /tasks."""
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
        call.work.add_event("tasks", task, "completed")
    return record_response(call, "tasks", task, 201)


def update(call: Call) -> Response:
    """Handles PATCH /tasks/:id."""
    before = record_in_path(call, "tasks")
    refuse_unknown(call, PROPERTIES)
    if not call.body:
        return record_response(call, "tasks", before)
    task = call.work.save("tasks", before, _completed(call, before | _values(call), before))
    if task["complete"] and not before.get("complete"):
        call.work.add_event("tasks", task, "completed")
    return record_response(call, "tasks", task)


def delete(call: Call) -> Response:
    """Handles DELETE /tasks/:id."""
    refuse_query(call)
    call.work.delete("tasks", record_in_path(call, "tasks"))
    return NO_CONTENT


def _values(call: Call) -> Record:
    values = accepted_values(call.body, PROPERTIES)
    customer = values.get("customer_id")
    if customer is not None and call.shared.store.get("customers", customer) is None:
        raise refused(f"No such customer: {customer}", "customer_id")
    account = call.shared.account
    user = values.get("user_id")
    if user is not None and user not in account.members:
        if user in account.former_members:
            raise refused(f"User is not a member of this company: {user}", "user_id")
        raise refused(f"No such user: {user}", "user_id")
    return values


def _completed(call: Call, task: Record, before: Record | None) -> Record:
    """Returns the task with its completion date, and with `customer` beside `customer_id` etc."""
    was_complete = bool(before and before.get("complete"))
    if task.get("complete") and not was_complete:
        task["completed_date"] = call.shared.clock.now()
    elif not task.get("complete"):
        task["completed_date"] = None
    twins = {"customer": "customer_id", "bill": "bill_id", "vendor_credit": "vendor_credit_id"}
    return task | {name: task.get(source) for name, source in twins.items()}
