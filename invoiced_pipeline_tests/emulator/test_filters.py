"""Windows, filters and default scopes."""

import json

import pytest

from invoiced_emulator.protocol.clock import Clock

HONOURED = (
    "customers",
    "invoices",
    "credit_notes",
    "estimates",
    "subscriptions",
    "transactions",
    "payments",
)
IGNORED = ("plans", "credit_balance_adjustments", "items", "tasks")


def ids(api, path):
    return [record["id"] for record in api.ok("GET", path)]


def advanced(field, operator, value=None):
    return json.dumps([{"field": field, "operator": operator, "value": value}])


@pytest.mark.parametrize("collection", HONOURED)
def test_updated_window_excludes_both_bounds(api, collection):
    rows = [{"id": i, "updated_at": 100 + i} for i in range(1, 6)]
    api.emulator.store.put_many(collection, [*rows, {"id": 6, "updated_at": None}, {"id": 7}])
    assert ids(api, f"/{collection}?updated_after=102&updated_before=105") == [3, 4]
    assert ids(api, f"/{collection}?updated_after=102") == [3, 4, 5]
    assert len(ids(api, f"/{collection}?updated_after=0")) == 7
    assert len(ids(api, f"/{collection}?updated_after=-5")) == 7
    assert len(ids(api, f"/{collection}?updated_after=soon")) == 7


@pytest.mark.parametrize("collection", IGNORED)
def test_lists_that_ignore_the_updated_window(api, collection):
    api.emulator.store.put_many(collection, [{"id": str(i), "updated_at": i} for i in (1, 2)])
    assert len(ids(api, f"/{collection}?updated_after=100")) == 2


def test_notes_are_filtered_by_user_customer_and_invoice_alone(api):
    note = {"user_id": 3, "customer": 1, "invoice": 4}
    api.emulator.store.put_many("notes", [{"id": 1}, {"id": 2} | note])
    for field, value in (("user_id", 3), ("customer_id", 1), ("invoice_id", 4)):
        assert ids(api, f"/notes?filter[{field}]={value}") == [2]
    assert api.error("GET", "/notes?filter[id]=1")[1] == "Invalid filter parameter: id"
    assert api("GET", "/notes/1").status_code == 405


def test_account_setting_applies_the_updated_window_everywhere(api):
    api.emulator.store.put("plans", {"id": "a", "updated_at": 5})
    api.emulator.account.updated_filter_everywhere = True
    try:
        assert ids(api, "/plans?updated_after=5") == []
    finally:
        api.emulator.account.updated_filter_everywhere = False


@pytest.mark.parametrize(
    "collection", ["invoices", "credit_notes", "estimates", "transactions", "payments"]
)
def test_date_window_includes_both_bounds(api, collection):
    api.emulator.store.put_many(collection, [{"id": i, "date": 100 + i} for i in range(1, 6)])
    assert ids(api, f"/{collection}?start_date=102&end_date=104") == [2, 3, 4]


def test_due_date_window(api):
    rows = [{"id": 1, "date": 5, "due_date": 50}, {"id": 2, "date": 50, "due_date": 5}]
    api.emulator.store.put_many("invoices", rows)
    assert ids(api, "/invoices?start_date=10&date_column=due_date") == [1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filter[status]=paid", [1]),
        ("filter[status]=PAID", [1]),
        ("filter[paid]=1", [1]),
        ("filter[paid]=True", [2]),
        ("filter[total]=10.5", [1]),
        ("filter[customer]=7", [2]),
        ("filter[voided]=1", [2]),
        ("filter[number]=INV-2", [2]),
        ("metadata[region]=north", [1]),
        ("metadata[bad key!]=x", [1, 2]),
        ('total=["<=",10.5]', [1]),
        ("filter[date]=2023-11-14", [2]),
    ],
)
def test_filters(api, query, expected):
    api.emulator.store.put_many(
        "invoices",
        [
            {
                "id": 1,
                "status": "paid",
                "paid": True,
                "total": 10.5,
                "number": "INV-1",
                "metadata": {"region": "north"},
                "voided": False,
                "date": 1,
            },
            {
                "id": 2,
                "status": "draft",
                "paid": False,
                "total": 11,
                "number": "INV-2",
                "customer": 7,
                "voided": True,
                "date": 1_699_920_000,
            },
        ],
    )
    assert ids(api, f"/invoices?{query}") == expected


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("id", ">", 2, [3, 4]),
        ("name", "starts_with", "al", [1, 2]),
        ("name", "ends_with", "a", [1, 3]),
        ("name", "contains", "l_h", []),
        ("name", "not_contains", "lph", [2, 3]),
        ("name", "empty", None, [4]),
        ("name", "not_empty", None, [1, 2, 3]),
        ("name", "<>", "alpha", [2, 3]),
        ("number", "=", "N1", [1]),
        ("metadata.tier", "=", "gold", [3]),
        ("updated_at", ">=", "2024-01-01 00:00:00", [2, 3, 4]),
        ("created_at", "<", "2024-01-01", [1]),
    ],
)
def test_advanced_filters(api, field, operator, value, expected):
    newer = {"updated_at": 1_704_067_200, "created_at": 1_704_067_200}
    api.emulator.store.put_many(
        "customers",
        [
            {
                "id": 1,
                "name": "Alpha",
                "number": "N1",
                "updated_at": 1_704_067_199,
                "created_at": 1_704_067_199,
            },
            {"id": 2, "name": "Albert"} | newer,
            {"id": 3, "name": "Beta", "metadata": {"tier": "gold"}} | newer,
            {"id": 4, "name": None} | newer,
        ],
    )
    assert ids(api, f"/customers?advanced_filter={advanced(field, operator, value)}") == expected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/invoices?filter[x]=1", "Invalid filter parameter: x"),
        ("/estimates?filter[id]=1", "Invalid filter parameter: id"),
        ("/invoices?filter[status][]=1", "Invalid value for `status` filter parameter"),
        (
            "/invoices?filter[date]=1704067200",
            "Invalid value for `date` filter parameter: 1704067200",
        ),
        ("/plans?metadata[a b]=1", "Invalid filter parameter: a b"),
        ("/invoices?advanced_filter=[{}]", "Missing field in advanced filter condition"),
        (
            f"/invoices?advanced_filter={advanced('x', '=')}",
            "Invalid field used in advanced filter: x",
        ),
        (
            '/invoices?advanced_filter=[{"field":"id"}]',
            "Missing operator in advanced filter condition",
        ),
        (
            f"/invoices?advanced_filter={advanced('id', '~')}",
            "Invalid operator in advanced filter condition: ~",
        ),
    ],
)
def test_refused_filters(api, path, message):
    assert api.error("GET", path) == (400, message, None)


def test_invalid_json_in_advanced_filter(api):
    status, message, param = api.error("GET", "/invoices?advanced_filter=x")
    assert (status, param) == (400, None)
    assert message.startswith("Invalid advanced filter: ")


def test_filters_on_timestamps_use_the_company_time_zone(start):
    api = start(company_timezone="America/Chicago", clock=Clock(1_700_000_000))
    api.emulator.store.put("invoices", {"id": 1, "updated_at": 1_704_067_200})  # 18:00 in Chicago
    for text in ("2023-12-31 18:00:00", "2023-12-31T18:00:00Z"):
        assert ids(api, f"/invoices?advanced_filter={advanced('updated_at', '=', text)}") == [1]


def test_subscription_scopes(api):
    rows = [
        {"id": 1, "status": "active"},
        {"id": 2, "status": "canceled"},
        {"id": 3, "status": "finished"},
        {"id": 4, "status": "past_due", "plan": "p"},
    ]
    api.emulator.store.put_many("subscriptions", rows)
    assert ids(api, "/subscriptions") == [1, 4]
    assert ids(api, "/subscriptions?all=1") == [1, 2, 3, 4]
    assert ids(api, "/subscriptions?canceled=1") == [2]
    assert ids(api, "/subscriptions?finished=1") == [3]
    assert ids(api, "/subscriptions?plan=p") == [4]


def test_plan_versions_and_archive(api):
    store = api.emulator.store
    store.put("plans", {"id": "a", "internal_id": 1, "archived": True, "name": "old"})
    store.put("plans", {"id": "a", "internal_id": 2, "archived": False, "name": "new"})
    store.put("plans", {"id": "b", "internal_id": 3, "archived": True, "name": "gone"})
    assert api.ok("GET", "/plans") == [{"id": "a", "name": "new"}]
    archived = api.ok("GET", "/plans?archived=1&include=archived,internal_id")
    assert [(row["id"], row["internal_id"], row["archived"]) for row in archived] == [
        ("a", 1, True),
        ("b", 3, True),
    ]
    assert api.ok("GET", "/plans/a")["name"] == "new"
    assert api.ok("GET", "/plans/b") == {"id": "b", "name": "gone"}


def test_credit_balance_adjustments(api):
    api.emulator.store.put(
        "credit_balance_adjustments", {"id": 1, "amount": 50, "updated_at": 1_704_067_200}
    )
    path = "/credit_balance_adjustments"
    assert api.ok("GET", path) == [{"amount": 50, "id": 1}]
    assert api.ok("GET", f"{path}?include=updated_at")[0]["updated_at"] == 1_704_067_200
    assert ids(api, f"{path}?filter[amount]=-50") == [1]
    assert ids(api, f"{path}?filter[amount]=50") == []
    after = advanced("updated_at", ">=", "2024-01-01 00:00:01")
    assert ids(api, f"{path}?advanced_filter={after}") == []


def test_events(api):
    store, now = api.emulator.store, 1_700_000_000
    customer = {"id": 5, "object": "customer"}
    data = {"object": {"id": 9, "object": "invoice", "customer": customer}}
    store.put_many(
        "events",
        [
            {"id": 1, "type": "invoice.created", "timestamp": now - 10, "data": data},
            {
                "id": 2,
                "type": "customer.updated",
                "timestamp": now,
                "data": {"object": customer},
                "user_id": 3,
                "source": "team",
            },
            {"id": 3, "type": "invoice.deleted", "timestamp": now - 8 * 365 * 86400, "data": data},
        ],
    )
    assert ids(api, "/events") == [2, 1]
    assert ids(api, "/events?related_to=customer,5") == [2, 1]
    assert ids(api, "/events?related_to=invoice,9") == [1]
    assert ids(api, "/events?type=invoice") == [1]
    assert ids(api, "/events?from=team") == [2]
    assert ids(api, f"/events?start_date={now - 10}&end_date={now - 10}") == [1]
    assert ids(api, "/events?filter[type]=invoice.created") == [1]
    assert ids(api, "/events?filter[user_id]=3") == [2]
    assert ids(api, f"/events?advanced_filter={advanced('type', 'ends_with', '.updated')}") == [2]
    assert api.ok("GET", "/events/2") == {
        "data": {"object": customer},
        "id": 2,
        "timestamp": now,
        "type": "customer.updated",
    }
    assert api.error("GET", "/events?type=x") == (400, "Object type not recognized: x", None)


def test_lists_below_a_customer(api):
    api.emulator.store.put_many("contacts", [{"id": 1, "customer": 5}, {"id": 2, "customer": 6}])
    api.emulator.store.put_many("tasks", [{"id": 1, "customer_id": 5}, {"id": 2}])
    assert ids(api, "/customers/5/contacts") == [1]
    assert ids(api, "/customers/99/contacts") == []
    assert ids(api, "/customers/5/tasks") == [1]
    assert api.get("/customers/6/contacts/1").status_code == 404
