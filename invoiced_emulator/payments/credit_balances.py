"""Credit balances: adjustments and the transactions that mirror them."""

from datetime import UTC, datetime
from decimal import Decimal

from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.payments.transactions import new_transaction
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.protocol.exact_json import number_text
from invoiced_emulator.records.properties import Property, accepted_values, as_decimal
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork
from invoiced_emulator.writes.options import check_options, refuse_query, requested_currency
from invoiced_emulator.writes.records import existing_customer, record_in_path
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

COLLECTION = "credit_balance_adjustments"
_OPTIONS = {
    "amount": ("numeric",),
    "customer": ("integer", "null"),
    "currency": ("string", "null"),
    "date": ("integer", "null"),
    "notes": ("string", "null"),
}
_EDITABLE = {"notes": Property(longest=65_535), "date": Property("stamp", nullable=False)}


def create(call: Call) -> Response:
    """Handles POST /credit_balance_adjustments."""
    check_options(call, _OPTIONS, required=("amount",))
    body, work = call.body, call.work
    customer = existing_customer(call, body.get("customer"))
    amount = as_decimal(body["amount"])
    if not amount:
        raise refused("Amount is invalid", "amount")
    currency = requested_currency(call, body.get("currency"), customer)
    adjustment = grant_credit(
        work,
        new_transaction(
            work,
            customer=customer["id"],
            currency=currency,
            amount=-amount,
            type="adjustment",
            method="balance",
            date=body.get("date") or work.clock.now(),
            notes=body.get("notes"),
        ),
    )
    check_not_overspent(work, customer["id"], currency, "amount")
    return record_response(call, COLLECTION, adjustment, 201)


def update(call: Call) -> Response:
    """Handles PATCH /credit_balance_adjustments/:id."""
    work, body = call.work, call.body
    before = record_in_path(call, COLLECTION)
    if body.get("customer", before["customer"]) != before["customer"]:
        raise refused(
            "Invalid request parameter `customer`. The customer cannot be modified.", "customer"
        )
    if not body:
        return record_response(call, COLLECTION, before)
    values = accepted_values(body, _EDITABLE)
    if "amount" in body:
        values["amount"] = as_decimal(body["amount"])
        if not values["amount"]:
            raise refused("Amount is invalid", "amount")
    after = work.save(COLLECTION, before, before | values)
    mirror = work.store.get("transactions", before["id"])
    if mirror is not None:
        shared = {"amount": -after["amount"], "date": after["date"], "notes": after.get("notes")}
        work.save("transactions", mirror, mirror | shared, silent=True)
    update_credit_balance(work, after["customer"], after["currency"])
    check_not_overspent(work, after["customer"], after["currency"], "amount")
    return record_response(call, COLLECTION, after)


def delete(call: Call) -> Response:
    """Handles DELETE /credit_balance_adjustments/:id."""
    refuse_query(call)
    adjustment = record_in_path(call, COLLECTION)
    call.work.delete(COLLECTION, adjustment)
    call.shared.store.remove("transactions", adjustment["id"])
    update_credit_balance(call.work, adjustment["customer"], adjustment["currency"])
    check_not_overspent(call.work, adjustment["customer"], adjustment["currency"], "amount")
    return NO_CONTENT


def grant_credit(work: UnitOfWork, transaction: Record, *, silent: bool = False) -> Record:
    """Stores a transaction that changes the credit balance, and returns its adjustment.

    Args:
        work: Collects the changes.
        transaction: Not stored yet; its amount is negative when credit is granted.
        silent: Writes no event.
    """
    transaction = work.create("transactions", transaction, silent=True)
    adjustment = {
        "id": transaction["id"],
        "customer": transaction["customer"],
        "date": transaction["date"],
        "currency": transaction["currency"],
        "amount": -transaction["amount"],
        "notes": transaction["notes"],
        "metadata": {},
    }
    adjustment = work.create(COLLECTION, adjustment, silent=silent)
    update_credit_balance(work, transaction["customer"], transaction["currency"])
    return adjustment


def balance(work: UnitOfWork, customer: int, currency: str) -> Decimal:
    """Returns the credit that a customer has left."""
    total = Decimal(0)
    for record in work.store.of_customer(COLLECTION, customer):
        if record.get("currency") == currency:
            total += decimal(record, "amount")
    for record in work.store.of_customer("transactions", customer):
        spends = record.get("type") == "charge" and record.get("method") == "balance"
        if spends and record.get("currency") == currency:
            total -= decimal(record, "amount")
    return total


def update_credit_balance(work: UnitOfWork, customer_id: int, currency: str) -> None:
    """Updates `customer.credit_balance`, which is in the default currency only."""
    customer = work.store.get("customers", customer_id)
    if customer is None or currency != (customer.get("currency") or work.account.currency):
        return
    current = balance(work, customer_id, currency)
    if decimal(customer, "credit_balance") != current:
        work.save("customers", customer, customer | {"credit_balance": current})


def check_not_overspent(
    work: UnitOfWork, customer: int, currency: str, param: str, prefix: str = ""
) -> None:
    """Refuses a change that leaves a negative credit balance.

    Raises:
        ApiError: 400 with Invoiced's text.
    """
    current = balance(work, customer, currency)
    if current < 0:
        day = datetime.fromtimestamp(work.clock.now(), tz=UTC)
        raise refused(
            f"{prefix}Could not write this change because it caused the customer's credit balance "
            f"to become {number_text(current)} {currency.upper()} on "
            f"{day:%b} {day.day}, {day.year}",
            param,
        )
