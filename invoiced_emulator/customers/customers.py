"""Creates, updates, deletes and merges customers."""

from collections.abc import Mapping
from typing import Any

from invoiced_emulator.amounts.line_items import tax_rates
from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.customers.payment_sources import attach
from invoiced_emulator.protocol.errors import not_found, refused
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.properties import Property, accepted_values, as_integer, missing
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.numbers import next_number, number_is_taken
from invoiced_emulator.writes.options import refuse_query
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

_TEXTS = (
    "attention_to address1 address2 city state postal_code phone payment_terms tax_id "
    "avalara_entity_use_code avalara_exemption_number"
)
_BOOLEANS = "active autopay chase credit_hold consolidated bill_to_parent convenience_fee taxable"
_INTEGERS = "autopay_delay_days sign_up_page parent_customer chasing_cadence next_chase_step"
PROPERTIES: Mapping[str, Property] = {
    "name": Property(nullable=False),
    "number": Property(nullable=False, longest=32),
    "email": Property("email"),
    "type": Property(
        "choice", choices=("company", "government", "non_profit", "person"), nullable=False
    ),
    "language": Property("language"),
    "currency": Property("currency"),
    "country": Property("country"),
    "notes": Property(longest=65_535),
    "credit_limit": Property("number"),
    "metadata": Property("metadata"),
    "disabled_payment_methods": Property("any"),
    **{name: Property() for name in _TEXTS.split()},
    **{name: Property("boolean", nullable=False) for name in _BOOLEANS.split()},
    **{name: Property("integer") for name in _INTEGERS.split()},
}
_BLOCKED_NAMES = (
    "client_id client_id_exp credit_balance object statement_pdf_url sign_up_url created_at "
    "updated_at"
)
BLOCKED = frozenset(_BLOCKED_NAMES.split())
_RELATIONS = {
    "owner": "User",
    "late_fee_schedule": "Late Fee Schedule",
    "ach_gateway": "Merchant Account",
    "cc_gateway": "Merchant Account",
    "network_connection": "Network Connection",
}
_EMPTY = (
    f"email {_TEXTS} language currency notes sign_up_page sign_up_url statement_url "
    "statement_pdf_url parent_customer chasing_cadence next_chase_step credit_limit "
    "payment_source default_source_id default_source_type ach_gateway_object cc_gateway_object"
)
_DEEPEST = 5
_CASCADE = (
    "payments", "transactions", "credit_balance_adjustments", "contacts", "subscriptions",
    "cards", "bank_accounts", "notes", "line_items", "tasks",
)  # fmt: skip
_REPOINTED = (*_CASCADE, "invoices", "credit_notes", "estimates", "charges")


def create(call: Call) -> Response:
    """Handles POST /customers."""
    return record_response(call, "customers", create_customer(call, call.body), 201)


def create_customer(call: Call, body: Mapping[str, Any]) -> Record:
    """Creates a customer from a request body and returns it as stored.

    Raises:
        ApiError: 400 with Invoiced's text.
    """
    account = call.shared.account
    values = _values(call, body, None)
    if values.get("name") is None:
        raise missing("name")
    if values.get("autopay"):
        values["payment_terms"] = None
    customer = {
        **dict.fromkeys(_EMPTY.split()),
        **{name: None for relation in _RELATIONS for name in (relation, f"{relation}_id")},
        **dict.fromkeys(_BOOLEANS.split(), False),
        "type": "company",
        "active": True,
        "chase": True,
        "taxable": True,
        "surcharging": False,
        "convenience_fee": True,
        "autopay_delay_days": -1,
        "taxes": [],
        "metadata": {},
        "credit_balance": 0,
        "country": account.country,
        **values,
    }
    customer["country"] = customer["country"] or account.country
    customer["number"] = customer.get("number") or next_number(call, "customers", "CUST-")
    return _with_source(call, call.work.create("customers", customer), body)


def update(call: Call) -> Response:
    """Handles PATCH /customers/:id."""
    customer = record_in_path(call, "customers")
    if call.body:
        values = _values(call, call.body, customer)
        if values.get("active") is False and _has_live_subscription(call, customer["id"]):
            raise refused("Customers with an active subscription cannot be deactivated", "active")
        customer = call.work.save("customers", customer, customer | values)
        customer = _with_source(call, customer, call.body)
    return record_response(call, "customers", customer)


def delete(call: Call) -> Response:
    """Handles DELETE /customers/:id; the records that belong to it are deleted without events."""
    refuse_query(call)
    customer = record_in_path(call, "customers")
    for collection in ("invoices", "credit_notes", "estimates"):
        if _children(call, collection, customer["id"]):
            raise refused("Customers with transactions cannot be deleted")
    if _has_live_subscription(call, customer["id"]):
        raise refused("Customers with an active subscription cannot be deleted")
    for collection in _CASCADE:
        for key in _children(call, collection, customer["id"]):
            call.shared.store.remove_key(collection, key)
    call.work.delete("customers", customer)
    return NO_CONTENT


def merge(call: Call) -> Response:
    """Handles POST /customers/:id/merge: the customer in the body is merged into this one."""
    store = call.shared.store
    survivor = record_in_path(call, "customers")
    merged_id = call.body.get("customer")
    merged = store.get("customers", merged_id) if merged_id is not None else None
    if merged is None:
        raise not_found("Customer", merged_id)
    if merged["id"] == survivor["id"]:
        raise refused("Cannot merge a customer with itself.", "customer")
    for collection in _REPOINTED:
        for key in _children(call, collection, merged["id"]):
            child = store.at(collection, key) or {}
            names = {"customer", "customer_id"} & child.keys()
            # Observed: the records keep their updated_at, and no event is written.
            store.put(collection, child | dict.fromkeys(names, survivor["id"]))
    extra = {"original_customer": KINDS["customers"].visible(merged)}
    call.work.add_event("customers", survivor, "merged", extra)
    store.remove("customers", merged["id"])
    return NO_CONTENT


def _values(call: Call, body: Mapping[str, Any], before: Record | None) -> Record:
    """Returns the values of a body, after the checks that involve other records."""
    if "external_id" in body and "number" not in body:
        body = {**body, "number": body["external_id"]}
    if before is None and body.get("number") in (None, ""):
        body = {name: value for name, value in body.items() if name != "number"}
    values = accepted_values(body, PROPERTIES, model="Customer", blocked=BLOCKED)
    own_id = before["id"] if before else None
    if "number" in values and number_is_taken(call, "customers", values["number"], own_id):
        number = values["number"]
        raise refused(f"The given customer number has already been taken: {number}", "number")
    if values.get("autopay") and not call.shared.account.autopay_supported:
        raise refused(
            "Sorry, this business does not support AutoPay. "
            "Please enable a supported payment method in Settings > Payments first.",
            "autopay",
        )
    if values.get("parent_customer") is not None:
        _check_parent(call, own_id, values["parent_customer"])
    if "taxes" in body:
        values["taxes"] = tax_rates(call.work, body["taxes"])
    for name, title in _RELATIONS.items():
        if name == "owner" and as_integer(body.get(name)) in call.shared.account.members:
            values["owner"] = values["owner_id"] = as_integer(body[name])
            continue
        if body.get(name) not in (None, ""):
            # The emulator has no such records, so no id exists.
            raise refused(f"{title} was not found: {body[name]}")
        if name in body:
            values[name] = values[f"{name}_id"] = None
    return values


def _with_source(call: Call, customer: Record, body: Mapping[str, Any]) -> Record:
    """Attaches the payment source of a body, if any, and returns the customer."""
    source = body.get("payment_source")
    if isinstance(source, dict):
        attach(call, customer, source | {"make_default": True})
        return call.shared.store.get("customers", customer["id"]) or customer
    return customer


def _check_parent(call: Call, own_id: int | None, parent_id: int) -> None:
    store = call.shared.store
    if parent_id == own_id:
        raise refused("Cannot set parent customer as self.", "parent_customer")
    above = 1
    parent = store.get("customers", parent_id)
    if parent is None:
        raise refused(f"No such customer: {parent_id}", "parent_customer")
    while parent is not None and parent.get("parent_customer") is not None:
        if parent["parent_customer"] == own_id:
            raise refused("Cannot set sub-customer as a parent.", "parent_customer")
        above += 1
        if above >= _DEEPEST:
            raise refused(
                "A customer cannot have more than five levels of sub-customers.",
                "parent_customer",
            )
        parent = store.get("customers", parent["parent_customer"])


def _children(call: Call, collection: str, customer: int) -> list[int]:
    sql = "SELECT key FROM records WHERE customer = ? AND collection = ?"
    return [row[0] for row in call.shared.store.rows(sql, (customer, collection))]


def _has_live_subscription(call: Call, customer: int) -> bool:
    sql = "SELECT 1 FROM records WHERE customer = ? AND collection = 'subscriptions' AND state = 0"
    return bool(call.shared.store.rows(sql, (customer,)))
