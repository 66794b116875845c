"""What actors do to an account, by name; `number` chooses among the records that are there."""

from collections.abc import Callable

from invoiced_emulator.records.unit_of_work import UnitOfWork
from invoiced_pipeline_tests.change.actors import Actors, Record

Operation = Callable[[Actors, int], None]

DOCUMENTS = ("invoices", "credit_notes", "estimates")
CATALOG = ("items", "coupons", "tax_rates")


def _lines(actors: Actors, count: int) -> list[Record]:
    return [{"name": f"line {actors.number()}", "unit_cost": 10 + at} for at in range(count)]


def create_customer(actors: Actors, number: int) -> None:
    actors.write("POST", "/customers", {"name": f"Customer {actors.number()}"})


def rename_customer(actors: Actors, number: int) -> None:
    customer = actors.pick("customers", number)
    actors.write("PATCH", f"/customers/{customer['id']}", {"name": f"Name {actors.number()}"})


def delete_customer(actors: Actors, number: int) -> None:
    """One without documents; whatever else it has goes with it, without a word."""
    busy = {record["customer"] for name in DOCUMENTS for record in actors.store.all(name)}
    free = [each["id"] for each in actors.store.all("customers") if each["id"] not in busy]
    actors.write("DELETE", f"/customers/{free[number % len(free)] if free else 0}")


def merge_customers(actors: Actors, number: int) -> None:
    survivor, victim = actors.pick("customers", number), actors.pick("customers", number // 7 + 1)
    path = f"/customers/{survivor['id']}/merge"
    actors.write("POST", path, {"customer": victim["id"]})


def create_document(actors: Actors, number: int) -> None:
    customer = actors.pick("customers", number)
    body = {"customer": customer["id"], "items": _lines(actors, number % 3 + 1)}
    actors.write("POST", f"/{DOCUMENTS[number % 3]}", body)


def create_invoice(actors: Actors, number: int) -> None:
    customer = actors.pick("customers", number)
    body = {"customer": customer["id"], "items": _lines(actors, number % 3 + 1)}
    actors.write("POST", "/invoices", body)


def change_lines(actors: Actors, number: int) -> None:
    """More lines, fewer, or none."""
    invoice = actors.pick("invoices", number)
    body = {"items": _lines(actors, number % 4)}
    actors.write("PATCH", f"/invoices/{invoice['id']}", body)


def rename_document(actors: Actors, number: int) -> None:
    collection = DOCUMENTS[number % 3]
    document = actors.pick(collection, number)
    actors.write("PATCH", f"/{collection}/{document['id']}", {"name": f"N{actors.number()}"})


def void_document(actors: Actors, number: int) -> None:
    collection = DOCUMENTS[number % 3]
    document = actors.pick(collection, number)
    actors.write("POST", f"/{collection}/{document['id']}/void")


def delete_document(actors: Actors, number: int) -> None:
    collection = DOCUMENTS[number % 3]
    document = actors.pick(collection, number)
    actors.write("DELETE", f"/{collection}/{document['id']}")


def pay(actors: Actors, number: int) -> None:
    """A payment for an invoice, the rest to the customer's credit balance."""
    invoice = actors.pick("invoices", number)
    amount = min(5, invoice["balance"])
    splits: list[Record] = [{"type": "credit", "amount": 2}]
    if amount > 0:
        splits.append({"type": "invoice", "invoice": invoice["id"], "amount": amount})
    body = {"customer": invoice["customer"], "amount": 10, "applied_to": splits}
    actors.write("POST", "/payments", body)


def prepay(actors: Actors, number: int) -> None:
    """A payment of a customer, applied to nothing but credit."""
    customer = actors.pick("customers", number)
    body = {"customer": customer["id"], "amount": 3}
    actors.write("POST", "/payments", body | {"applied_to": [{"type": "credit", "amount": 3}]})


def apply_anew(actors: Actors, number: int) -> None:
    """The payment's transactions vanish, others take their place."""
    payment = actors.pick("payments", number)
    splits = [{"type": "credit", "amount": number % 3 + 1}]
    actors.write("PATCH", f"/payments/{payment['id']}", {"applied_to": splits})


def unapply(actors: Actors, number: int) -> None:
    payment = actors.pick("payments", number)
    actors.write("PATCH", f"/payments/{payment['id']}", {"applied_to": []})


def void_payment(actors: Actors, number: int) -> None:
    payment = actors.pick("payments", number)
    actors.write("DELETE", f"/payments/{payment['id']}")


def take_back_payment(actors: Actors, number: int) -> None:
    """An integration deletes it; its event is called as that of a void."""
    actors.take_back(actors.pick("payments", number))


def subscribe(actors: Actors, number: int) -> None:
    customer, plan = actors.pick("customers", number), actors.pick("plans", number)
    actors.write("POST", "/subscriptions", {"customer": customer["id"], "plan": plan["id"]})


def cancel_subscription(actors: Actors, number: int) -> None:
    subscription = actors.pick("subscriptions", number)
    actors.write("DELETE", f"/subscriptions/{subscription['id']}")


def create_plan(actors: Actors, number: int) -> None:
    """Its id may be that of an archived one."""
    body = {"id": f"plan-{number % 3}", "name": f"Plan {actors.number()}", "amount": 9}
    actors.write("POST", "/plans", body | {"interval": "month", "interval_count": 1})


def archive_plan(actors: Actors, number: int) -> None:
    actors.write("DELETE", f"/plans/plan-{number % 3}")


def adjust_credit(actors: Actors, number: int) -> None:
    customer = actors.pick("customers", number)
    body = {"customer": customer["id"], "amount": number % 5 + 1}
    actors.write("POST", "/credit_balance_adjustments", body)


def change_adjustment(actors: Actors, number: int) -> None:
    adjustment = actors.pick("credit_balance_adjustments", number)
    body = {"amount": number % 5 + 1, "notes": f"note {actors.number()}"}
    actors.write("PATCH", f"/credit_balance_adjustments/{adjustment['id']}", body)


def delete_adjustment(actors: Actors, number: int) -> None:
    adjustment = actors.pick("credit_balance_adjustments", number)
    actors.write("DELETE", f"/credit_balance_adjustments/{adjustment['id']}")


def record_transaction(actors: Actors, number: int) -> None:
    customer = actors.pick("customers", number)
    actors.write("POST", "/transactions", {"customer": customer["id"], "amount": 4})


def delete_transaction(actors: Actors, number: int) -> None:
    """One that belongs to no payment."""
    own = [each["id"] for each in actors.store.all("transactions") if each.get("payment") is None]
    actors.write("DELETE", f"/transactions/{own[number % len(own)] if own else 0}")


def create_catalog_object(actors: Actors, number: int) -> None:
    """Its id may be that of an archived one."""
    collection = CATALOG[number % 3]
    body = {"id": f"{collection}-{number % 2}", "name": f"Name {actors.number()}"}
    value = {} if collection == "items" else {"value": number % 9 + 1}
    actors.write("POST", f"/{collection}", body | value)


def rename_catalog_object(actors: Actors, number: int) -> None:
    collection = CATALOG[number % 3]
    path = f"/{collection}/{collection}-{number % 2}"
    actors.write("PATCH", path, {"name": f"Name {actors.number()}"})


def archive_catalog_object(actors: Actors, number: int) -> None:
    collection = CATALOG[number % 3]
    actors.write("DELETE", f"/{collection}/{collection}-{number % 2}")


def write_note(actors: Actors, number: int) -> None:
    """About a customer, or about an invoice that may be deleted before it."""
    body: Record = {"notes": f"note {actors.number()}"}
    if number % 2:
        body["invoice_id"] = actors.pick("invoices", number)["id"]
    customer = actors.pick("customers", number)
    actors.write("POST", "/notes", body | {"customer_id": customer["id"]})


def edit_note(actors: Actors, number: int) -> None:
    note = actors.pick("notes", number)
    actors.write("PATCH", f"/notes/{note['id']}", {"notes": f"note {actors.number()}"})


def delete_note(actors: Actors, number: int) -> None:
    actors.write("DELETE", f"/notes/{actors.pick('notes', number)['id']}")


def create_task(actors: Actors, number: int) -> None:
    customer = actors.pick("customers", number)
    body = {"name": f"task {actors.number()}", "action": "phone", "due_date": actors.clock.now()}
    actors.write("POST", "/tasks", body | {"customer_id": customer["id"]})


def complete_task(actors: Actors, number: int) -> None:
    """Or reopen it."""
    task = actors.pick("tasks", number)
    actors.write("PATCH", f"/tasks/{task['id']}", {"complete": not task["complete"]})


def delete_task(actors: Actors, number: int) -> None:
    actors.write("DELETE", f"/tasks/{actors.pick('tasks', number)['id']}")


def charge_card(actors: Actors, number: int) -> None:
    """One of three stays pending, and makes no payment yet."""
    customer = actors.pick("customers", number)
    token = "tok_visa" if number % 3 else "tok_processing"
    body = {"customer": customer["id"], "amount": 8, "method": "credit_card"}
    actors.write("POST", "/charges", body | {"gateway_token": token})


def settle_charge(actors: Actors, number: int) -> None:
    """The gateway says what became of it; the payment's `updated_at` stays."""
    charge = actors.pick("charges", number)
    status = ("succeeded", "pending", "failed")[number % 3]
    change = {"status": status, "disputed": bool(number % 2), "updated_at": actors.clock.now()}
    actors.store.put("charges", charge | change)


def refund_charge(actors: Actors, number: int) -> None:
    charge = actors.pick("charges", number)
    actors.write("POST", f"/charges/{charge['id']}/refunds", {"amount": 2})
    _touch_payment(actors, charge)


def void_refund(actors: Actors, number: int) -> None:
    refund = actors.pick("refunds", number)
    actors.write("POST", f"/refunds/{refund['id']}/void")
    _touch_payment(actors, actors.store.get("charges", refund["charge_id"]) or {})


def settle_refund(actors: Actors, number: int) -> None:
    """The gateway says what became of it; the charge's `updated_at` stays."""
    refund = actors.pick("refunds", number)
    status = ("succeeded", "pending", "failed")[number % 3]
    actors.store.put("refunds", refund | {"status": status, "updated_at": actors.clock.now()})


def _touch_payment(actors: Actors, charge: Record) -> None:
    """The payment is edited, too: a change of its charge alone shows in no window."""
    payment = actors.store.get("payments", charge.get("payment_id") or 0)
    if payment is not None:
        actors.store.put("payments", payment | {"updated_at": actors.clock.now()})


def stamp_many(actors: Actors, number: int) -> None:
    """A job of the service bears one second into many records, and shows no other change."""
    collection = ("invoices", "customers", "transactions", "charges", "tasks")[number % 5]
    for record in actors.store.all(collection)[number % 4 :][:5]:
        actors.store.put(collection, record | {"updated_at": actors.clock.now()})


def bring_back(actors: Actors, number: int) -> None:
    """A document is deleted, and restored a minute later under its id."""
    invoice = actors.pick("invoices", number)
    actors.write("DELETE", f"/invoices/{invoice['id']}")
    now = actors.clock.advance(60)
    actors.store.put("invoices", invoice | {"updated_at": now})


def add_contact(actors: Actors, number: int) -> None:
    customer = actors.pick("customers", number)
    body = {"name": f"Contact {actors.number()}"}
    actors.write("POST", f"/customers/{customer['id']}/contacts", body)


def _below(actors: Actors, collection: str, number: int) -> str:
    record = actors.pick(collection, number)
    owner = record.get("customer_id") or record["customer"]
    return f"/customers/{owner}/{collection}/{record['id']}"


def change_contact(actors: Actors, number: int) -> None:
    actors.write("PATCH", _below(actors, "contacts", number), {"name": f"N{actors.number()}"})


def delete_contact(actors: Actors, number: int) -> None:
    actors.write("DELETE", _below(actors, "contacts", number))


def save_source(actors: Actors, number: int) -> None:
    """A card or a bank account."""
    customer = actors.pick("customers", number)
    body = {"method": ("credit_card", "ach")[number % 2], "gateway_token": f"t{actors.number()}"}
    actors.write("POST", f"/customers/{customer['id']}/payment_sources", body)


def remove_source(actors: Actors, number: int) -> None:
    actors.write("DELETE", _below(actors, ("cards", "bank_accounts")[number % 2], number // 2))


def add_pending_line(actors: Actors, number: int) -> None:
    customer = actors.pick("customers", number)
    (line,) = _lines(actors, 1)
    actors.write("POST", f"/customers/{customer['id']}/line_items", line)


def change_pending_line(actors: Actors, number: int) -> None:
    body = {"quantity": number % 5 + 1}
    actors.write("PATCH", _below(actors, "line_items", number), body)


def delete_pending_line(actors: Actors, number: int) -> None:
    actors.write("DELETE", _below(actors, "line_items", number))


def invoice_pending_lines(actors: Actors, number: int) -> None:
    line = actors.pick("line_items", number)
    actors.write("POST", f"/customers/{line['customer']}/invoices")


def agree_on_plan(actors: Actors, number: int) -> None:
    invoice = actors.pick("invoices", number)
    parts = [{"date": actors.clock.now(), "amount": 1}] * (number % 3)
    rest = {"date": actors.clock.now(), "amount": invoice["balance"] - len(parts)}
    path = f"/invoices/{invoice['id']}/payment_plan"
    actors.write("PUT", path, {"installments": [*parts, rest]})


def pay_installment(actors: Actors, number: int) -> None:
    """Progress of a plan: the invoice stays as it was, and the event does not name it."""
    plan = actors.pick("payment_plans", number)
    parts = [dict(part) for part in plan["installments"]]
    parts[0]["balance"] = 0
    work = UnitOfWork(actors.store, actors.emulator.account, actors.clock)
    with actors.store.transaction():
        work.save("payment_plans", plan, plan | {"installments": parts})
        work.finish()


def cancel_plan(actors: Actors, number: int) -> None:
    plan = actors.pick("payment_plans", number)
    actors.write("DELETE", f"/invoices/{plan['invoice']}/payment_plan")


OPERATIONS: dict[str, Operation] = {
    operation.__name__: operation
    for operation in (
        create_customer, rename_customer, delete_customer, merge_customers,
        create_document, create_invoice, change_lines, rename_document, void_document,
        delete_document, pay, prepay, apply_anew, unapply, void_payment, take_back_payment,
        subscribe, cancel_subscription, create_plan, archive_plan, adjust_credit, change_adjustment,
        delete_adjustment, record_transaction, delete_transaction, stamp_many, bring_back,
        create_catalog_object, rename_catalog_object, archive_catalog_object,
        write_note, edit_note, delete_note, create_task, complete_task, delete_task,
        charge_card, settle_charge, refund_charge, void_refund, settle_refund,
        add_contact, change_contact, delete_contact, save_source, remove_source,
        add_pending_line, change_pending_line, delete_pending_line, invoice_pending_lines,
        agree_on_plan, pay_installment, cancel_plan,
    )
}  # fmt: skip

MAY_LOSE_EVENTS = frozenset(
    {
        "delete_customer", "merge_customers", "delete_document", "delete_adjustment",
        "delete_transaction", "delete_note", "delete_task",
        "add_contact", "change_contact", "delete_contact", "save_source", "remove_source",
        "add_pending_line", "change_pending_line", "delete_pending_line", "pay_installment",
    }
)  # fmt: skip
"""Deeds whose events may be lost: the sweep makes up for them."""
