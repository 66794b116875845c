"""Pages, links, counts and cursors of lists."""

import pytest

MUST_BE_SEQUENTIAL = "You must retrieve all preceding page numbers before retrieving this page."


def fill(api, collection="invoices", count=250, **fields):
    records = ({"id": i, "updated_at": 1000 + i} | fields for i in range(1, count + 1))
    api.emulator.store.put_many(collection, records)


def ids(api, path):
    return [record["id"] for record in api.ok("GET", path)]


def links(response):
    found = {}
    for part in response.headers["Link"].split(", "):
        address, relation = part.split("; ")
        found[relation[5:-1]] = address[1:-1].removeprefix(str(response.request.url.join("/")))
    return found


@pytest.mark.parametrize(
    ("query", "first", "count"),
    [
        ("", 1, 100),
        ("?page=3", 201, 50),
        ("?page=4", None, 0),
        ("?page=0", 1, 100),
        ("?page=x", 1, 100),
        ("?per_page=500", 1, 100),
        ("?per_page=0", 1, 100),
        ("?per_page=-5", 1, 1),
        ("?per_page=x", 1, 1),
        ("?per_page=7&page=2", 8, 7),
        ("?sort=updated_at desc", 250, 100),
        ("?sort=updated_at", 1, 100),
    ],
)
def test_pages(api, query, first, count):
    fill(api)
    found = ids(api, f"/invoices{query}")
    assert len(found) == count
    assert found[0:1] == ([first] if first else [])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "/invoices?sort=name ASC&per_page=50&page=2",
            {
                "self": "invoices?sort=name+ASC&per_page=50&page=2",
                "first": "invoices?sort=name+ASC&per_page=50&page=1",
                "previous": "invoices?sort=name+ASC&per_page=50&page=1",
                "next": "invoices?sort=name+ASC&per_page=50&page=3",
                "last": "invoices?sort=name+ASC&per_page=50&page=5",
            },
        ),
        (
            "/invoices?filter[status]=a,b",
            {
                "self": "invoices?filter%5Bstatus%5D=a%2Cb&page=1",
                "first": "invoices?filter%5Bstatus%5D=a%2Cb&page=1",
                "last": "invoices?filter%5Bstatus%5D=a%2Cb&page=1",
            },
        ),
        (
            "/customers?page=3",
            {
                "self": "customers?page=3&sort=&paginate=offset&updated_before=0&updated_after=0",
                "first": "customers?page=1&sort=&paginate=offset&updated_before=0&updated_after=0",
                "previous": "customers?page=2&sort=&paginate=offset&updated_before=0"
                "&updated_after=0",
                "last": "customers?page=1&sort=&paginate=offset&updated_before=0&updated_after=0",
            },
        ),
        (
            "/customers?include=updated_at&sort=updated_at ASC"
            "&updated_after=1700000000&per_page=25",
            dict.fromkeys(
                ("self", "first", "last"),
                "customers?include=updated_at&page=1&sort=updated_at+ASC&paginate=offset"
                "&updated_before=0&updated_after=1700000000&per_page=25",
            ),
        ),
    ],
)
def test_links(api, path, expected):
    fill(api)
    response = api.get(path)
    assert links(response) == expected
    assert list(links(response)) == list(expected)


def test_pagination_headers_can_be_omitted(api):
    fill(api)
    response = api.get("/invoices?paginate=none&per_page=10&page=2")
    assert [record["id"] for record in response.json()] == list(range(11, 21))
    assert "Link" not in response.headers
    assert "X-Total-Count" not in response.headers


def test_count_is_kept_for_five_minutes_unless_page_one_is_read(api):
    fill(api, count=250)
    total = lambda page: api.get(f"/invoices?page={page}").headers["X-Total-Count"]  # noqa: E731
    assert total(1) == "250"
    api.emulator.store.put("invoices", {"id": 251})
    assert total(2) == "250"
    assert total(1) == "251"
    api.emulator.store.put("invoices", {"id": 252})
    api.emulator.clock.advance(301)
    assert total(2) == "252"


def test_pages_beyond_10000_rows_need_the_page_before(api):
    fill(api, count=10_250)
    assert api.error("GET", "/invoices?page=101") == (400, MUST_BE_SEQUENTIAL, None)
    assert ids(api, "/invoices?page=100")[-1] == 10_000
    assert ids(api, "/invoices?page=101")[0] == 10_001
    api.emulator.clock.advance(301)
    assert api.error("GET", "/invoices?page=102") == (400, MUST_BE_SEQUENTIAL, None)
    assert ids(api, "/invoices?sort=updated_at asc&page=102")[0] == 10_101


def test_deleted_rows_shift_offsets_but_not_cursors(api):
    fill(api, count=30)
    store = api.emulator.store
    assert ids(api, "/invoices?per_page=10")[-1] == 10
    store.remove("invoices", 1)
    assert ids(api, "/invoices?per_page=10&page=2")[0] == 11
    assert ids(api, "/invoices?per_page=10&sort=updated_at asc&page=2")[0] == 12


def test_events_are_listed_newest_first_by_cursor(api):
    events = (
        {"id": i, "type": "invoice.updated", "timestamp": 1_699_000_000 + i, "data": {}}
        for i in range(1, 31)
    )
    api.emulator.store.put_many("events", events)
    assert ids(api, "/events?per_page=10") == list(range(30, 20, -1))
    api.emulator.store.put("events", {"id": 31, "type": "a.b", "timestamp": 1_699_000_000})
    assert ids(api, "/events?per_page=10&page=2") == list(range(20, 10, -1))
    assert ids(api, "/events?per_page=10&sort=id asc") == list(range(1, 11))


def test_ties_are_broken_by_id(api):
    rows = [{"id": 1, "updated_at": 5}, {"id": 2, "updated_at": 5}, {"id": 3, "updated_at": 4}]
    api.emulator.store.put_many("invoices", rows)
    assert ids(api, "/invoices?sort=updated_at asc") == [3, 1, 2]
    assert ids(api, "/invoices?sort=updated_at asc,id desc") == [3, 2, 1]
    assert ids(api, "/invoices?sort=nonsense asc") == [1, 2, 3]


def test_unknown_sort_column_of_a_plain_list_is_500(api):
    status, message, _ = api.error("GET", "/tasks?sort=nonsense asc")
    assert status == 500
    assert message.startswith("There was an error processing your request.")
    assert "\n\nCorrelation ID: " in message


def test_null_updated_at_sorts_first(api):
    rows = [{"id": 1, "updated_at": 5}, {"id": 2, "updated_at": None}, {"id": 3}]
    api.emulator.store.put_many("invoices", rows)
    assert ids(api, "/invoices?sort=updated_at asc") == [2, 3, 1]


def test_hook_runs_between_pages(api):
    fill(api, count=30)
    seen = []

    def hook(path, query):
        seen.append((path, query.get("page")))
        if query.get("page") == "2":
            api.emulator.store.remove("invoices", 15)

    api.emulator.on_request = hook
    assert 15 not in ids(api, "/invoices?per_page=10&page=2")
    assert seen == [("/invoices", "2")]


def test_held_records_appear_when_released(api):
    fill(api, count=3)
    store = api.emulator.store
    store.hold("invoices", 2)
    assert ids(api, "/invoices") == [1, 3]
    assert api.get("/invoices/2").status_code == 404
    store.put("invoices", {"id": 2, "updated_at": 9})
    assert ids(api, "/invoices") == [1, 3]
    store.release("invoices", 2)
    assert ids(api, "/invoices") == [1, 2, 3]


STRICT = (
    "'advanced_filter', 'automation', 'balance', 'exclude', 'expand', 'filter', 'include', "
    "'late_fee_schedule_id', 'metadata', 'open_balance', 'owner', 'page', 'paginate', "
    "'payment_source', 'per_page', 'sort', 'updated_after', 'updated_before'"
)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/customers?foo=1", f"The option 'foo' does not exist. Defined options are: {STRICT}."),
        (
            "/customers?foo=1&bar=2",
            f"The options 'bar', 'foo' do not exist. Defined options are: {STRICT}.",
        ),
        (
            "/customers?paginate=foo",
            "The option 'paginate' with value 'foo' is invalid. "
            "Accepted values are: 'offset', 'none'.",
        ),
    ],
)
def test_strict_lists_refuse_unknown_parameters(api, path, message):
    assert api.error("GET", path) == (400, message, "query")


def test_other_lists_ignore_unknown_parameters(api):
    assert api.get("/invoices?foo=1&paginate=foo").status_code == 200
