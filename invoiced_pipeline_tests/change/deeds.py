"""What people do to an account, by name; `number` chooses among the records that are there."""

from collections.abc import Callable

from invoiced_pipeline_tests.change.people import People, Record

Deed = Callable[[People, int], None]

DOCUMENTS = ("invoices", "credit_notes", "estimates")


def _lines(people: People, count: int) -> list[Record]:
    return [{"name": f"line {people.number()}", "unit_cost": 10 + at} for at in range(count)]


def create_customer(people: People, number: int) -> None:
    people.write("POST", "/customers", {"name": f"Customer {people.number()}"})


def rename_customer(people: People, number: int) -> None:
    customer = people.pick("customers", number)
    people.write("PATCH", f"/customers/{customer['id']}", {"name": f"Name {people.number()}"})


def delete_customer(people: People, number: int) -> None:
    """One without documents; whatever else it has goes with it, without a word."""
    busy = {record["customer"] for name in DOCUMENTS for record in people.store.all(name)}
    free = [each["id"] for each in people.store.all("customers") if each["id"] not in busy]
    people.write("DELETE", f"/customers/{free[number % len(free)] if free else 0}")


def merge_customers(people: People, number: int) -> None:
    survivor, victim = people.pick("customers", number), people.pick("customers", number // 7 + 1)
    path = f"/customers/{survivor['id']}/merge"
    people.write("POST", path, {"customer": victim["id"]})


def create_document(people: People, number: int) -> None:
    customer = people.pick("customers", number)
    body = {"customer": customer["id"], "items": _lines(people, number % 3 + 1)}
    people.write("POST", f"/{DOCUMENTS[number % 3]}", body)


def create_invoice(people: People, number: int) -> None:
    customer = people.pick("customers", number)
    body = {"customer": customer["id"], "items": _lines(people, number % 3 + 1)}
    people.write("POST", "/invoices", body)


def change_lines(people: People, number: int) -> None:
    """More lines, fewer, or none."""
    invoice = people.pick("invoices", number)
    body = {"items": _lines(people, number % 4)}
    people.write("PATCH", f"/invoices/{invoice['id']}", body)


def rename_document(people: People, number: int) -> None:
    collection = DOCUMENTS[number % 3]
    document = people.pick(collection, number)
    people.write("PATCH", f"/{collection}/{document['id']}", {"name": f"N{people.number()}"})


def void_document(people: People, number: int) -> None:
    collection = DOCUMENTS[number % 3]
    document = people.pick(collection, number)
    people.write("POST", f"/{collection}/{document['id']}/void")


def delete_document(people: People, number: int) -> None:
    collection = DOCUMENTS[number % 3]
    document = people.pick(collection, number)
    people.write("DELETE", f"/{collection}/{document['id']}")


def pay(people: People, number: int) -> None:
    """A payment for an invoice, the rest to the customer's credit balance."""
    invoice = people.pick("invoices", number)
    amount = min(5, invoice["balance"])
    splits: list[Record] = [{"type": "credit", "amount": 2}]
    if amount > 0:
        splits.append({"type": "invoice", "invoice": invoice["id"], "amount": amount})
    body = {"customer": invoice["customer"], "amount": 10, "applied_to": splits}
    people.write("POST", "/payments", body)


def prepay(people: People, number: int) -> None:
    """A payment of a customer, applied to nothing but credit."""
    customer = people.pick("customers", number)
    body = {"customer": customer["id"], "amount": 3}
    people.write("POST", "/payments", body | {"applied_to": [{"type": "credit", "amount": 3}]})


def apply_anew(people: People, number: int) -> None:
    """The payment's transactions vanish, others take their place."""
    payment = people.pick("payments", number)
    splits = [{"type": "credit", "amount": number % 3 + 1}]
    people.write("PATCH", f"/payments/{payment['id']}", {"applied_to": splits})


def unapply(people: People, number: int) -> None:
    payment = people.pick("payments", number)
    people.write("PATCH", f"/payments/{payment['id']}", {"applied_to": []})


def void_payment(people: People, number: int) -> None:
    payment = people.pick("payments", number)
    people.write("DELETE", f"/payments/{payment['id']}")


def take_back_payment(people: People, number: int) -> None:
    """An integration deletes it; its event is called as that of a void."""
    people.take_back(people.pick("payments", number))


def subscribe(people: People, number: int) -> None:
    customer, plan = people.pick("customers", number), people.pick("plans", number)
    people.write("POST", "/subscriptions", {"customer": customer["id"], "plan": plan["id"]})


def cancel_subscription(people: People, number: int) -> None:
    subscription = people.pick("subscriptions", number)
    people.write("DELETE", f"/subscriptions/{subscription['id']}")


def create_plan(people: People, number: int) -> None:
    """Its id may be that of an archived one."""
    body = {"id": f"plan-{number % 3}", "name": f"Plan {people.number()}", "amount": 9}
    people.write("POST", "/plans", body | {"interval": "month", "interval_count": 1})


def archive_plan(people: People, number: int) -> None:
    people.write("DELETE", f"/plans/plan-{number % 3}")


def adjust_credit(people: People, number: int) -> None:
    customer = people.pick("customers", number)
    body = {"customer": customer["id"], "amount": number % 5 + 1}
    people.write("POST", "/credit_balance_adjustments", body)


def change_adjustment(people: People, number: int) -> None:
    adjustment = people.pick("credit_balance_adjustments", number)
    body = {"amount": number % 5 + 1, "notes": f"note {people.number()}"}
    people.write("PATCH", f"/credit_balance_adjustments/{adjustment['id']}", body)


def delete_adjustment(people: People, number: int) -> None:
    adjustment = people.pick("credit_balance_adjustments", number)
    people.write("DELETE", f"/credit_balance_adjustments/{adjustment['id']}")


def record_transaction(people: People, number: int) -> None:
    customer = people.pick("customers", number)
    people.write("POST", "/transactions", {"customer": customer["id"], "amount": 4})


def delete_transaction(people: People, number: int) -> None:
    """One that belongs to no payment."""
    own = [each["id"] for each in people.store.all("transactions") if each.get("payment") is None]
    people.write("DELETE", f"/transactions/{own[number % len(own)] if own else 0}")


def stamp_many(people: People, number: int) -> None:
    """A job of the service bears one second into many records, and shows no other change."""
    collection = ("invoices", "customers", "transactions")[number % 3]
    for record in people.store.all(collection)[number % 4 :][:5]:
        people.store.put(collection, record | {"updated_at": people.clock.now()})


def bring_back(people: People, number: int) -> None:
    """A document is deleted, and restored a minute later under its id."""
    invoice = people.pick("invoices", number)
    people.write("DELETE", f"/invoices/{invoice['id']}")
    now = people.clock.advance(60)
    people.store.put("invoices", invoice | {"updated_at": now})


DEEDS: dict[str, Deed] = {
    deed.__name__: deed
    for deed in (
        create_customer, rename_customer, delete_customer, merge_customers,
        create_document, create_invoice, change_lines, rename_document, void_document,
        delete_document, pay, prepay, apply_anew, unapply, void_payment, take_back_payment,
        subscribe, cancel_subscription, create_plan, archive_plan, adjust_credit, change_adjustment,
        delete_adjustment, record_transaction, delete_transaction, stamp_many, bring_back,
    )
}  # fmt: skip

MAY_LOSE_EVENTS = frozenset(
    {
        "delete_customer", "merge_customers", "delete_document", "delete_adjustment",
        "delete_transaction",
    }
)  # fmt: skip
"""Deeds whose events may be lost: the sweep makes up for them."""
