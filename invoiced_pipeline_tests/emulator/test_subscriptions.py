"""Plans, items and subscriptions."""

from decimal import Decimal

import pytest

PLAN = {"name": "Starter", "amount": 49, "interval": "month", "interval_count": 1}


@pytest.fixture
def plan(api):
    api.emulator.store.put("customers", {"id": 1, "name": "A"})
    return api.ok("POST", "/plans", PLAN | {"id": "starter"})


def plan_without(*names):
    return {name: value for name, value in PLAN.items() if name not in names}


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        (plan_without("amount"), "Non-custom plans are required to have an amount", "amount"),
        (
            PLAN | {"pricing_mode": "custom"},
            "Amounts are not allowed on plans that have a custom pricing mode",
            "amount",
        ),
        (plan_without("name"), "Name is missing", "name"),
        (plan_without("interval_count"), "Interval Count is missing", "interval_count"),
        (
            PLAN | {"interval": "decade"},
            "Interval must be one of the allowed values",
            "interval",
        ),
        (PLAN | {"id": "starter"}, "An item already exists with ID: starter", "id"),
        (
            PLAN | {"pricing_mode": "tiered", "tiers": [{"min_qty": 5, "unit_cost": 1}]},
            "The first tier must be 0 or left blank",
            "tiers",
        ),
        (
            PLAN
            | {
                "pricing_mode": "volume",
                "tiers": [{"max_qty": 9, "unit_cost": 1}, {"min_qty": 5, "unit_cost": 2}],
            },
            "Invalid pricing tiers because quantity ranges overlap.",
            "tiers",
        ),
    ],
)
def test_refused_plans(api, plan, body, message, param):
    assert api.error("POST", "/plans", body) == (400, message, param)


def test_quantity_type_is_refused(api):
    message = api.error("POST", "/plans", PLAN | {"quantity_type": "usage"})[1]
    assert message.startswith("The option 'quantity_type' does not exist.")


def test_id_of_an_archived_plan_may_be_used_again(api, plan):
    changed = api.ok("PATCH", "/plans/starter", {"name": "New", "amount": 1})
    assert (changed["name"], changed["amount"]) == ("New", 49)
    assert api("DELETE", "/plans/starter").status_code == 204
    assert api("DELETE", "/plans/starter").status_code == 204
    assert api.ok("GET", "/plans") == []
    assert api.ok("GET", "/plans/starter?include=archived")["archived"] is True
    api.ok("POST", "/plans", PLAN | {"id": "starter", "amount": Decimal("107.305")})
    assert api.ok("GET", "/plans")[0]["amount"] == Decimal("107.305")
    assert len(api.ok("GET", "/plans?archived=1")) == 1
    assert api.events() == []


@pytest.mark.parametrize("path", ["/items", "/catalog_items"])
def test_items_are_updated_and_archived(api, path):
    assert api.error("POST", path, {}) == (400, "Name is missing", "name")
    made = api.ok("POST", path, {"name": "Delivery", "id": "delivery", "unit_cost": 5})
    changed = api.ok("PATCH", f"{path}/delivery", {"name": "Post", "unit_cost": 9})
    assert (changed["name"], changed["unit_cost"]) == ("Post", made["unit_cost"])
    assert api("DELETE", f"{path}/delivery").status_code == 204
    assert api.ok("GET", path) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Customer missing"),
        ({"customer": 9}, "No such customer: 9"),
        ({"customer": 1}, "Plan missing"),
        ({"customer": 1, "plan": "x"}, "No such plan: x"),
        ({"customer": 1, "plan": "starter", "discounts": ["x"]}, "No such coupon: x"),
        (
            {"customer": 1, "plan": "starter", "start_date": 1},
            "Subscriptions cannot start more than 5 years in the past!",
        ),
        (
            {"customer": 1, "plan": "starter", "amount": 5},
            "Amounts are only allowed when the plan has a custom pricing mode",
        ),
    ],
)
def test_refused_subscriptions(api, plan, body, message):
    assert api.error("POST", "/subscriptions", body) == (400, message, None)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"customer": {"name": "x"}}, "Invalid customer"),
        (
            {"customer": 2, "start_date": 1_690_000_000},
            "AutoPay subscriptions cannot start more than 1 month in the past!",
        ),
        (
            {"plan": "quarterly", "snap_to_nth_day": 1},
            "Calendar billing cannot be used when the plan interval count is greater than 1.",
        ),
        (
            {"bill_in_advance_days": 31},
            "The invoice can be issued in advance at most the number of days in the billing "
            "period (30).",
        ),
        ({"plan": "free"}, "An amount is required when the subscription has a custom plan"),
    ],
)
def test_refused_terms(api, plan, body, message):
    api.emulator.store.put("customers", {"id": 2, "name": "B", "autopay": True})
    api.ok("POST", "/plans", PLAN | {"id": "quarterly", "interval_count": 3})
    custom = {"id": "free", "pricing_mode": "custom"}
    api.ok("POST", "/plans", plan_without("amount") | custom)
    sent = {"customer": 1, "plan": "starter"} | body
    assert api.error("POST", "/subscriptions", sent) == (400, message, None)


def test_first_invoice(api, plan):
    body = {"customer": 1, "plan": "starter", "quantity": 2}
    preview = api.ok("POST", "/subscriptions/preview", body)
    assert (preview["first_invoice"]["total"], preview["mrr"]) == (98, 98)
    assert api.emulator.store.count("subscriptions") == 0
    made = api.ok("POST", "/subscriptions", body)
    (invoice,) = api.ok("GET", "/invoices")
    assert (invoice["total"], invoice["subscription"]) == (98, made["id"])
    (line,) = invoice["items"]
    assert (line["plan"], line["subscription"], line["prorated"]) == ("starter", made["id"], False)
    assert line["period_end"] == made["period_end"]
    api.ok("POST", "/subscriptions", body | {"bill_in": "arrears"})
    assert len(api.ok("GET", "/invoices")) == 1
    api.emulator.account.invoices_new_subscriptions = False
    try:
        api.ok("POST", "/subscriptions", body)
    finally:
        api.emulator.account.invoices_new_subscriptions = True
    assert len(api.ok("GET", "/invoices")) == 1


def test_cancellation_has_a_reason(api, plan):
    made = api.ok("POST", "/subscriptions", {"customer": 1, "plan": "starter"})
    path = f"/subscriptions/{made['id']}"
    assert api.error("DELETE", path, {"canceled_reason": "x" * 51}) == (
        400,
        "Canceled Reason must be a string between 1 and 50 characters.",
        "canceled_reason",
    )
    assert api.ok("DELETE", path, {"canceled_reason": "price"})["canceled_reason"] == "price"


def test_addon_with_another_billing_cycle(api, plan):
    api.ok("POST", "/plans", PLAN | {"id": "yearly", "interval": "year"})
    body = {"customer": 1, "plan": "starter", "addons": [{"plan": "yearly"}]}
    assert api.error("POST", "/subscriptions", body)[1].startswith(
        'Billing cycle for addon "yearly" (1 year) does not match the subscription\'s billing '
        "cycle (1 month). "
    )


def test_create_update_pause_and_cancel_a_subscription(api, plan):
    body = {"customer": 1, "plan": "starter", "quantity": Decimal("1.5")}
    made = api.ok("POST", "/subscriptions", body)
    assert (made["status"], made["plan"], made["quantity"]) == ("active", "starter", Decimal("1.5"))
    assert made["recurring_total"] == made["mrr"] == Decimal("73.5")
    assert made["renews_next"] == made["period_end"] + 1
    path = f"/subscriptions/{made['id']}"
    assert api.error("PATCH", path, {"customer": 1}) == (
        400,
        "Invalid request parameter `customer`. The customer cannot be modified.",
        "customer",
    )
    assert api.error("PATCH", path, {"start_date": 5})[1] == (
        "The start date cannot be modified for an active subscription"
    )
    paused = api.ok("PATCH", path, {"paused": True, "quantity": 9})
    assert (paused["status"], paused["quantity"]) == ("paused", Decimal("1.5"))
    assert api.ok("POST", f"{path}/resume")["status"] == "active"
    assert api.ok("PATCH", path, {"quantity": 2})["recurring_total"] == 98
    api.emulator.clock.advance(5)
    assert api.ok("PATCH", path, {})["updated_at"] == api.emulator.clock.now()
    response = api("DELETE", path)
    assert response.status_code == 200
    canceled = response.json()
    assert (canceled["status"], canceled["renews_next"]) == ("canceled", None)
    assert api.error("DELETE", path)[1] == "This subscription has already been canceled."
    assert api.ok("GET", "/subscriptions") == []
    assert len(api.ok("GET", "/subscriptions?all=1")) == 1
    types = [event["type"] for event in api.events()]
    assert (types[0], types[-1]) == ("subscription.created", "subscription.deleted")
    snapshot = api.events()[0]["data"]["object"]
    assert (snapshot["customer"]["name"], snapshot["plan"]["name"]) == ("A", "Starter")
