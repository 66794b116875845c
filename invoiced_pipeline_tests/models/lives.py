"""Random lives of an account whose receivables are modelled."""

import random
from collections.abc import Callable
from typing import Any

from invoiced_emulator.protocol.clock import DAY
from invoiced_emulator.protocol.errors import ApiError
from invoiced_pipeline_tests.change.actors import Actors
from invoiced_pipeline_tests.change.operations import OPERATIONS

CURRENCIES = ("usd", "eur", "jpy")
Deed = Callable[[Actors, random.Random], None]


def bill(actors: Actors, chance: random.Random) -> None:
    """An invoice with any date, due or not, in one of three currencies; now and then a draft."""
    customer = actors.pick("customers", chance.randrange(99))
    date = actors.clock.now() + chance.randrange(-80, 5) * DAY
    body: dict[str, Any] = {
        "customer": customer["id"],
        "currency": chance.choice(CURRENCIES),
        "date": date,
        "due_date": chance.choice([None, date + chance.randrange(60) * DAY]),
        "draft": chance.random() < 0.1,
        "items": [{"name": "work", "unit_cost": chance.randrange(1, 900)}],
    }
    actors.write("POST", "/invoices", body)


def credit(actors: Actors, chance: random.Random) -> None:
    """A credit note, for an invoice or to be applied later; now and then a draft."""
    invoice = actors.pick("invoices", chance.randrange(99))
    body: dict[str, Any] = {
        "customer": invoice["customer"],
        "currency": invoice["currency"],
        "date": actors.clock.now() - chance.randrange(50) * DAY,
        "items": [{"name": "credit", "unit_cost": chance.randrange(1, 300)}],
    }
    if chance.random() < 0.5:
        body["invoice"] = invoice["id"]
    else:
        body["draft"] = chance.random() < 0.2
    actors.write("POST", "/credit_notes", body)


def receive(actors: Actors, chance: random.Random) -> None:
    """A payment with any date, spread over an invoice, credit and nothing."""
    invoice = actors.pick("invoices", chance.randrange(99))
    actors.write("POST", "/payments", _payment(actors, chance, invoice))


def apply_again(actors: Actors, chance: random.Random) -> None:
    """A payment that goes elsewhere than before."""
    payment = actors.pick("payments", chance.randrange(99))
    invoice = actors.pick("invoices", chance.randrange(99))
    splits = _payment(actors, chance, invoice)["applied_to"]
    actors.write("PATCH", f"/payments/{payment['id']}", {"applied_to": splits})


def use_credit(actors: Actors, chance: random.Random) -> None:
    """Credit balance, a credit note or an adjustment, applied to an invoice by a payment of 0."""
    invoice = actors.pick("invoices", chance.randrange(99))
    note = actors.pick("credit_notes", chance.randrange(99))
    target = {"document_type": "invoice", "invoice": invoice["id"]}
    amount = chance.randrange(1, 40)
    split = chance.choice(
        [
            {"type": "applied_credit", "amount": amount, **target},
            {"type": "document_adjustment", "amount": amount, **target},
            {"type": "credit_note", "amount": amount, "credit_note": note["id"], **target},
            {"type": "credit_note", "amount": amount, "credit_note": note["id"]},
        ]
    )
    body = {"amount": 0, "currency": invoice["currency"], "applied_to": [split]}
    actors.write("POST", "/payments", body)


def charge_and_refund(actors: Actors, chance: random.Random) -> None:
    """A bank account is charged for an invoice; later a part is paid back."""
    invoice = actors.pick("invoices", chance.randrange(99))
    amount = chance.randrange(2, 90)
    payment = actors.write(
        "POST",
        "/charges",
        {
            "customer": invoice["customer"],
            "currency": invoice["currency"],
            "amount": amount,
            "method": "ach",
            "gateway_token": "tok_bank",
            "applied_to": [{"type": "invoice", "invoice": invoice["id"], "amount": amount}],
        },
    )
    actors.clock.advance(chance.randrange(1, 9) * DAY)
    part = chance.randrange(1, amount)
    actors.write("POST", f"/charges/{payment['charge']['id']}/refunds", {"amount": part})


def record_in_the_older_way(actors: Actors, chance: random.Random) -> None:
    """A transaction without a payment."""
    invoice = actors.pick("invoices", chance.randrange(99))
    kind = chance.choice(["payment", "refund", "adjustment", "document_adjustment"])
    body: dict[str, Any] = {
        "type": kind,
        "customer": invoice["customer"],
        "amount": chance.randrange(1, 30) * (-1 if "adjustment" in kind else 1),
        "date": actors.clock.now() - chance.randrange(40) * DAY,
        "status": chance.choice(["succeeded", "succeeded", "failed"]),
    }
    if chance.random() < 0.8:
        body["invoice"] = invoice["id"]
    actors.write("POST", "/transactions", body)


def write_off(actors: Actors, chance: random.Random) -> None:
    """An invoice that is bad debt, or closed without payment."""
    invoice = actors.pick("invoices", chance.randrange(99))
    if chance.random() < 0.7:
        actors.write("POST", f"/invoices/{invoice['id']}/bad_debt")
    else:
        actors.write("PATCH", f"/invoices/{invoice['id']}", {"closed": True})


def subscribe(actors: Actors, chance: random.Random) -> None:
    """A subscription that started some time ago."""
    body = {
        "customer": actors.pick("customers", chance.randrange(99))["id"],
        "plan": actors.pick("plans", chance.randrange(99))["id"],
        "quantity": chance.randrange(1, 9),
        "start_date": actors.clock.now() - chance.randrange(90) * DAY,
    }
    actors.write("POST", "/subscriptions", body)


def change_subscription(actors: Actors, chance: random.Random) -> None:
    """Another quantity, a pause or the end."""
    subscription = actors.pick("subscriptions", chance.randrange(99))
    path = f"/subscriptions/{subscription['id']}"
    if chance.random() < 0.4:
        actors.write("DELETE", path)
    else:
        change = chance.choice([{"quantity": chance.randrange(1, 9)}, {"paused": True}])
        actors.write("PATCH", path, change)


def begin(actors: Actors) -> None:
    """Creates the first customers and a plan."""
    for number in range(4):
        OPERATIONS["create_customer"](actors, number)
    OPERATIONS["create_plan"](actors, 0)


def _payment(actors: Actors, chance: random.Random, invoice: dict[str, Any]) -> dict[str, Any]:
    amount = chance.randrange(1, 400)
    applied = chance.randrange(1, amount + 1)
    splits: list[dict[str, Any]] = [
        {"type": "invoice", "invoice": invoice["id"], "amount": applied}
    ]
    if applied < amount and chance.random() < 0.5:
        splits.append({"type": "credit", "amount": amount - applied})
    return {
        "customer": invoice["customer"],
        "currency": invoice["currency"],
        "amount": amount,
        "date": actors.clock.now() + chance.randrange(-60, 6) * DAY,
        "method": chance.choice(["check", "ach", "cash"]),
        "applied_to": chance.choice([[], splits, splits]),
    }


def _other(name: str) -> Deed:
    def deed(actors: Actors, chance: random.Random) -> None:
        OPERATIONS[name](actors, chance.randrange(99))

    return deed


_DEEDS: tuple[Deed, ...] = (
    *(bill,) * 4, *(receive,) * 4, credit, apply_again, apply_again, use_credit, use_credit,
    charge_and_refund, record_in_the_older_way, write_off, subscribe, change_subscription,
    *(
        _other(name)
        for name in (
            "create_customer", "void_payment", "void_document", "delete_document",
            "merge_customers", "delete_customer", "adjust_credit", "change_adjustment",
            "delete_adjustment", "delete_transaction", "change_lines", "create_plan",
        )
    ),
)  # fmt: skip


def live(actors: Actors, seed: int, deeds: int) -> list[str]:
    """Lets some months pass in an account; returns the deeds that the API refused."""
    chance = random.Random(seed)  # noqa: S311 - a life that can be repeated
    refused = []
    for _ in range(deeds):
        actors.clock.advance(chance.randrange(4) * DAY + chance.randrange(DAY))
        deed = chance.choice(_DEEDS)
        try:
            deed(actors, chance)
        except ApiError as error:
            refused.append(f"{deed.__name__}: {error}")
    return refused
