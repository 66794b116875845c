# ruff: noqa: RUF001 - digits that are not ASCII belong to what is tested
"""A value's unit is certain, or its row is invalid: dates, numbers, and what JSON cannot hold."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from invoiced_pipeline.catalog.operations import Field
from invoiced_pipeline.defs.writeback.metadata import plan_metadata
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.selection.privacy import privacy_of
from invoiced_pipeline.settings import ConnectionSettings, WritebackSettings
from invoiced_pipeline.warehouse.database import Database, Selection
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.planner import PlanRequest, make_plan, plan_rows
from invoiced_pipeline.writeback.plan.redaction import redacted_plan
from invoiced_pipeline.writeback.plan.single_row import SingleRow, plan_single
from invoiced_pipeline.writeback.source.decimal_notation import number_of
from invoiced_pipeline.writeback.source.instants import Instant
from invoiced_pipeline.writeback.source.values import fitted
from invoiced_pipeline_tests.writeback.plans import plan_of, planned
from invoiced_pipeline_tests.writeback.push_harness import PushHarness

EPOCH_2026_11_07 = 1_794_009_600
EPOCH_2026_10_20 = 1_792_454_400
HOST = "https://api.invoiced.com"

arbitrary = hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def body(row: PlannedRow) -> Mapping[str, Any]:
    assert row.reason is None
    return row.body or {}


def selection_plan(
    database: Database,
    operation: str,
    columns: tuple[str, ...],
    rows: list[tuple[Any, ...]],
    *,
    more: Mapping[str, Any] | None = None,
    **options: Any,
) -> Plan:
    """The plan of a selection whose first column is the key."""
    values = {"name": "it", "operation": operation, "source": "rows", "key": columns[0]} | options
    request = PlanRequest(
        settings=WritebackSettings.model_validate(values),
        dataset="invoiced",
        parent_keys={"it": columns[0]},
    )
    selection = Selection(columns=columns, rows=rows, is_text=True, **(more or {}))
    return plan_rows(request, selection, database)


def due_date(database: Database, value: Any, **options: Any) -> PlannedRow:
    row = {"name": "a", "action": "phone", "due_date": value}
    return planned(database, "create_task", row, **options)


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("2026-11-07", EPOCH_2026_11_07),
        (" 2026-11-07 ", EPOCH_2026_11_07),
        ("2026-11-07T00:00:00Z", EPOCH_2026_11_07),
        ("2026-11-07 01:00:00+01:00", EPOCH_2026_11_07),
        ("2026-11-07 00:00:00+00", EPOCH_2026_11_07),
        ("20261107T000000Z", EPOCH_2026_11_07),
        ("1960-01-01T00:00:00Z", None),
        (EPOCH_2026_11_07, EPOCH_2026_11_07),
        (str(EPOCH_2026_11_07), EPOCH_2026_11_07),
        (f"{EPOCH_2026_11_07}.0", EPOCH_2026_11_07),
        (float(EPOCH_2026_11_07), EPOCH_2026_11_07),
        (631_152_000, 631_152_000),
        (631_151_999, None),
        (4_102_444_799, 4_102_444_799),
        (4_102_444_800, None),
        (date(1985, 3, 1), 478_483_200),
        (datetime(1985, 3, 1, tzinfo=UTC), 478_483_200),
        ("1985-03-01", 478_483_200),
        (20261107, EPOCH_2026_11_07),
        ("20261107", EPOCH_2026_11_07),
        ("20261107.0", EPOCH_2026_11_07),
        (20261107.0, EPOCH_2026_11_07),
        (Decimal("20261107.00"), EPOCH_2026_11_07),
        ("20261307", None),
        ("20260230", None),
        (20261107.5, None),
        (46315, None),
        ("46315", None),
        ("46315.0", None),
        (46315.5, None),
        (2026, None),
        ("2026", None),
        ("2026-11", None),
        (0, None),
        (-1, None),
        (True, None),
        (1_794_009_600_000, None),
        ("1794009600000", None),
        ("1e9", None),
        ("1.794E9", None),
        ("20/10/2026", None),
        ("10/20/2026", None),
        ("20.10.2026", None),
        ("Oct 20 2026", None),
        ("2026-02-30", None),
        ("10000-01-01", None),
        ("0044-03-15 (BC)", None),
        (datetime.max.replace(tzinfo=UTC), None),
        (datetime.min.replace(tzinfo=UTC), None),
        (date(9999, 12, 31), None),
        ("٢٠٢٦١١٠٧", None),
        ("２０２６-１１-０７", None),
        ("1_794_009_600", None),
        ("soon", None),
        ([1], None),
        (dt.time(1), None),
        (timedelta(days=1), None),
    ],
)
def test_a_date_is_certain_or_invalid(database: Database, value: Any, sent: int | None) -> None:
    row = due_date(database, value)
    if sent is not None:
        assert body(row)["due_date"] == sent
        return
    assert row.action == "invalid"
    assert row.reason_param == "due_date"
    assert "due_date" in (row.reason or "")


@pytest.mark.parametrize("value", [46315, "20/10/2026", "1794009600000", 2026])
def test_a_refused_date_names_the_accepted_forms(database: Database, value: Any) -> None:
    reason = due_date(database, value).reason or ""
    for part in (repr(str(value)), "2026-11-07", "20261107", "seconds since 1970", "format = "):
        assert part in reason


def test_a_recognised_date_is_shown_in_the_plan(database: Database) -> None:
    plan = plan_of(
        database,
        "create_task",
        {"name": "a", "action": "phone", "due_date": "20261107.0"},
        {"name": "a", "action": "phone", "due_date": "2026-11-07"},
    )
    assert [row.warnings for row in plan.rows] == [
        ("due_date: 20261107.0 was read as 2026-11-07",),
        (),
    ]
    assert "was read as 2026-11-07" in str(plan_metadata(plan, HOST))


@given(
    at=st.datetimes(
        datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis takes naive bounds
        datetime(2099, 12, 31),  # noqa: DTZ001
        timezones=st.just(UTC),
    ).map(lambda at: at.replace(microsecond=0))
)
def test_what_is_written_as_a_date_is_that_date(at: datetime) -> None:
    field = Field(name="date", type="timestamp", description="")
    seconds = int(at.timestamp())
    assert fitted(at.isoformat(), field) == seconds
    assert Instant.of(at) == seconds
    assert datetime.fromisoformat(Instant.of(at).shown).replace(tzinfo=UTC) == at
    if at.year >= 1990:
        assert fitted(seconds, field) == fitted(str(seconds), field) == seconds
        midnight = int(at.replace(hour=0, minute=0, second=0).timestamp())
        assert fitted(at.strftime("%Y%m%d"), field) == midnight


@pytest.mark.parametrize(
    ("form", "value", "sent"),
    [
        ("%d.%m.%Y", "07.11.2026", EPOCH_2026_11_07),
        ("%d.%m.%Y", "7.11.2026 ", EPOCH_2026_11_07),
        ("%m/%d/%y", "11/07/26", EPOCH_2026_11_07),
        ("%d.%m.%Y %H:%M %z", "07.11.2026 01:00 +0100", EPOCH_2026_11_07),
        ("%Y%m%d", 20261107, EPOCH_2026_11_07),
        ("%Y%m%d", 20261107.0, EPOCH_2026_11_07),
        ("%d.%m.%Y", date(2026, 11, 7), EPOCH_2026_11_07),
        ("%d.%m.%Y", "2026-11-07", None),
        ("%d.%m.%Y", "31.02.2026", None),
        ("%d.%m.%Y", "07.11.0026", None),
        ("%d.%m.%Y", "soon", None),
    ],
)
def test_a_column_may_declare_its_format(
    database: Database, form: str, value: Any, sent: int | None
) -> None:
    mapping = {"due_date": {"column": "created", "format": form}}
    row = planned(
        database,
        "create_task",
        {"name": "a", "action": "phone", "created": value},
        mapping=mapping,
    )
    if sent is not None:
        assert body(row) == {"name": "a", "action": "phone", "due_date": sent}
        return
    assert row.action == "invalid"
    assert row.reason_param == "due_date"


def test_a_value_without_its_format_is_named(database: Database) -> None:
    row = planned(
        database,
        "create_task",
        {"name": "a", "action": "phone", "created": "2026-11-07"},
        mapping={"due_date": {"column": "created", "format": "%d.%m.%Y"}},
    )
    for part in ("due_date", "'2026-11-07'", "'%d.%m.%Y'"):
        assert part in (row.reason or "")


@pytest.mark.parametrize("form", ["", "d.m.Y", "%d.%m", "%Y", "%H:%M", "%-d.%-m.%Y", "%Q", 7])
def test_a_format_describes_a_whole_date(form: Any) -> None:
    mapping = {"due_date": {"column": "created", "format": form}}
    with pytest.raises(ValidationError, match="it needs year, month and day"):
        WritebackSettings(
            name="it",
            operation="create_task",
            source="t",
            key="k",
            mapping=mapping,  # pyright: ignore[reportArgumentType]
        )


def test_a_format_belongs_to_a_date(database: Database) -> None:
    mapping = {"credit_limit": {"column": "x", "format": "%d.%m.%Y"}}
    with pytest.raises(ConfigurationError, match="credit_limit is not a date"):
        plan_of(database, "create_customer", {"name": "a", "x": "1"}, mapping=mapping)


def test_a_date_is_not_an_amount(database: Database) -> None:
    row = planned(database, "record_payment", {"amount": date(2026, 1, 1)})
    assert row.action == "invalid"
    assert "'2026-01-01'" in (row.reason or "")


NUMBERS = [
    (".", "1234.56", "1234.56"),
    (".", " 5 ", "5"),
    (".", "-0", "0"),
    (".", "+1.50", "1.50"),
    (".", ".5", "0.5"),
    (".", "1.5E3", "1500"),
    (".", "1.500", "1.5"),
    (".", "1234,5", None),
    (".", "1.234,56", None),
    (".", "1,234.56", None),
    (".", "1,234,567", None),
    (".", "1 234", None),
    (".", "1\u00a0234", None),
    (".", "1'234", None),
    (".", "$5", None),
    (".", "5 €", None),
    (".", "5%", None),
    (".", "(5)", None),
    (".", "5-", None),
    (".", "1_000", None),
    (".", "0x10", None),
    (".", "NaN", None),
    (".", "Infinity", None),
    (".", "-inf", None),
    (".", "1e999", None),
    (".", "１２", None),
    (".", "٣", None),
    (",", "1.234,56", "1234.56"),
    (",", "1.500", "1500"),
    (",", "2.000,00", "2000.00"),
    (",", "1234,5", "1234.5"),
    (",", "1.234.567,8", "1234567.8"),
    (",", "12", "12"),
    (",", "1.5", None),
    (",", "1234.56", None),
    (",", "12.34,5", None),
    (",", "1.2345", None),
    (",", "1234.567,8", None),
    (",", "1,234.56", None),
    (",", "1,2,3", None),
    (",", "NaN", None),
    (",", "1,5E3", None),
]


@pytest.mark.parametrize(("notation", "text", "number"), NUMBERS)
def test_a_number_in_text_is_certain_or_invalid(
    database: Database, notation: str, text: str, number: str | None
) -> None:
    rows = {"name": "a", "credit_limit": text}, {"name": "b", "credit_limit": "7"}
    first, second = plan_of(database, "create_customer", *rows, decimal=notation).rows
    assert body(second)["credit_limit"] == 7
    if number is not None:
        assert body(first)["credit_limit"] == Decimal(number)
        return
    assert first.action == "invalid"
    assert first.reason_param == "credit_limit"
    assert "decimal" in (first.reason or "")


@pytest.mark.parametrize("notation", [".", ","])
@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**12))
def test_a_number_is_read_as_it_was_written(notation: Any, number: Decimal) -> None:
    written = f"{number:,.2f}"
    if notation == ",":
        written = written.translate(str.maketrans(",.", ".,"))
    else:
        written = written.replace(",", "")
    assert number_of(written, notation) == number


def test_an_identifier_has_no_exponent(database: Database) -> None:
    row = planned(database, "update_customer", {"id": "1.92E+09", "name": "a"})
    assert row.action == "invalid"
    assert body(planned(database, "update_customer", {"id": "12.0", "name": "a"},
                        check_replica=False)) == {"name": "a"}  # fmt: skip


MIXED = ["1.234,56", "1.500", "2.000,00", "7", None]


@pytest.mark.parametrize(
    ("notation", "texts"),
    [
        (".", MIXED),
        (".", ["10.50", "7,25", "3"]),
        (",", ["1.500", "12.50", "3"]),
        (",", ["1.234,56", "1,234.56", "3"]),
    ],
)
def test_a_column_with_both_notations_is_refused_as_a_whole(
    database: Database, notation: str, texts: list[str | None]
) -> None:
    rows = [{"name": "a", "credit_limit": text, "notes": "1,234.56"} for text in texts]
    plan = plan_of(database, "create_customer", *rows, decimal=notation)
    for text, row in zip(texts, plan.rows, strict=True):
        if text is None:
            assert body(row)["notes"] == "1,234.56"
            continue
        assert row.action == "invalid"
        assert "decimal = " in (row.reason or "")
        assert repr(text) in (row.reason or "")


def test_native_numbers_have_no_notation(database: Database) -> None:
    rows = [{"name": "a", "credit_limit": value} for value in (1.5, Decimal("1234.56"), 3)]
    plan = plan_of(database, "create_customer", *rows, decimal=",")
    assert [body(row)["credit_limit"] for row in plan.rows] == [
        Decimal("1.5"), Decimal("1234.56"), 3,
    ]  # fmt: skip


def test_constants_keep_the_decimal_point(database: Database) -> None:
    row = planned(
        database,
        "create_customer",
        {"name": "a"},
        decimal=",",
        mapping={"credit_limit": {"value": "9.99"}},
    )
    assert body(row)["credit_limit"] == Decimal("9.99")


def test_notations_inside_lines(database: Database) -> None:
    rows = [
        {"customer": "1", "what": "x", "price": "1.234,56"},
        {"customer": "1", "what": "x", "price": "1.500"},
    ]
    options: dict[str, Any] = {
        "check_replica": False,
        "mapping": {"items.0.name": "what", "items.0.unit_cost": "price"},
    }
    plan = plan_of(database, "create_invoice", *rows, **options, decimal=",")
    assert [body(row)["items"][0]["unit_cost"] for row in plan.rows] == [Decimal("1234.56"), 1500]
    plan = plan_of(database, "create_invoice", *rows, **options)
    assert [row.reason_param for row in plan.rows] == ["items", "items"]
    lines = [
        {"customer": 1, "items": f'[{{"name": "x", "unit_cost": "{row["price"]}"}}]'}
        for row in rows
    ]
    plan = plan_of(database, "create_invoice", *lines, check_replica=False, decimal=",")
    assert [body(row)["items"][0]["unit_cost"] for row in plan.rows] == [Decimal("1234.56"), 1500]
    plan = plan_of(database, "create_invoice", *lines, check_replica=False)
    assert [row.action for row in plan.rows] == ["invalid"] * 2


NO_JSON: list[Any] = [
    float("nan"),
    float("inf"),
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("-Infinity"),
    b"\xff\x00",
    bytearray(b"a"),
    {1, 2},
    "a\ud800b",
    10**5000,
    Decimal("1e5000"),
    Decimal("1e-5000"),
    [[float("nan")]],
    {"a": {"b": float("inf")}},
    {"\udfff": 1},
    [b"a"],
]


@pytest.mark.parametrize("value", NO_JSON, ids=range(len(NO_JSON)))
@pytest.mark.parametrize("target", ["credit_limit", "name", "metadata", "metadata.x", "address1"])
def test_what_json_cannot_hold_makes_its_row_invalid(
    database: Database, target: str, value: Any
) -> None:
    rows = [{"name": "a"}, {"name": "b"}, {"name": "c"}]
    rows[1] = {**rows[1], target: value}
    first, wrong, last = plan_of(database, "create_customer", *rows).rows
    assert [first.action, wrong.action, last.action] == ["create", "invalid", "create"]
    assert target in (wrong.reason or "")
    assert wrong.reason_param == target.partition(".")[0]
    encode_body(dict(wrong.wanted))


@pytest.mark.parametrize("value", NO_JSON, ids=range(len(NO_JSON)))
def test_what_json_cannot_hold_in_keys_paths_and_custom_bodies(
    database: Database, value: Any
) -> None:
    good = {"name": "a"}
    keys = plan_of(database, "create_customer", {"key": value, **good}, good)
    assert [row.action for row in keys.rows] == ["invalid", "create"]
    assert "key column" in (keys.rows[0].reason or "")
    paths = plan_of(
        database, "update_customer", {"id": value, **good}, {"id": 1, **good}, check_replica=False
    )
    assert [row.action for row in paths.rows] == ["invalid", "update"]
    custom = plan_of(
        database, "custom", {"x": value}, {"x": 1}, method="POST", path="/things", batch_size=1
    )
    assert [row.action for row in custom.rows] == ["invalid", "create"]


def test_a_column_that_is_not_sent_may_hold_anything(database: Database) -> None:
    row = {"name": "a", "raw": b"\xff"}
    assert planned(database, "create_customer", row, exclude=["key", "raw"]).action == "create"


def test_nesting_is_limited(database: Database) -> None:
    value: Any = 1
    for _ in range(5_000):
        value = [value]
    text = "[" * 100_000 + "]" * 100_000
    rows = [{"name": "a", "metadata": {"x": value}}, {"name": "b", "metadata": text}]
    plan = plan_of(database, "create_customer", *rows, {"name": "c"})
    assert [row.action for row in plan.rows] == ["invalid", "invalid", "create"]
    assert all("nested" in (row.reason or "") for row in plan.rows[:2])


def test_a_hidden_number_of_a_card_stays_hidden_beside_a_nan(database: Database) -> None:
    row = planned(
        database,
        "create_customer",
        {"key": "4111111111111111", "name": "a", "credit_limit": float("nan")},
    )
    assert row.action == "invalid"
    assert "4111111111111111" not in repr(row)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.text(st.characters(categories=["Cs", "Nd", "Lu"]))
    | st.binary()
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.sampled_from([10**400, "1e999999", "{", "[[", '{"a": NaN}', "1E+2", "9" * 5000])
    | st.frozensets(st.integers()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=6,
)


@arbitrary
@given(value=values, key=values, notation=st.sampled_from([".", ","]))
def test_no_value_stops_the_plan(database: Database, value: Any, key: Any, notation: str) -> None:
    for operation, good, names in (
        ("create_customer", {"name": "a"}, ("credit_limit", "notes", "metadata", "autopay")),
        ("create_task", {"name": "a", "action": "phone"}, ("due_date", "customer_id")),
        ("create_invoice", {"customer": 1}, ("items", "date", "ship_to", "tags", "delivery")),
        ("custom", {}, ("anything",)),
    ):
        options: dict[str, Any] = {"check_replica": False, "decimal": notation}
        if operation == "custom":
            options |= {"method": "POST", "path": "/things"}
        rows = [{**good, name: value} for name in names]
        rows[0]["key"] = key
        plan = plan_of(database, operation, *rows, **options)
        assert len(plan.rows) == len(rows)
        plan_metadata(plan, HOST)
        for row in plan.rows:
            encode_body([row.body, row.record_key, row.reason, list(row.warnings)])
            is_text = isinstance(value, str)  # which may read as it likes
            assert is_text or "NaN" not in str((row.body or {}).get("notes", ""))


def test_an_identifier_that_looks_like_a_number_is_a_warning(database: Database) -> None:
    rows = [
        {"key": "1928826755.0", "name": "a", "number": "1928826755.0"},
        {"key": "b", "name": "b", "metadata": {"crm": "1.92E+09"}},
        {"key": "c", "name": "c", "number": "12E5", "credit_limit": "12.0"},
        {"key": "d", "name": "NaN"},
    ]
    plan = plan_of(database, "create_customer", *rows)
    assert [row.action for row in plan.rows] == ["create"] * 4
    assert [[each.partition(":")[0] for each in row.warnings] for row in plan.rows] == [
        ["number", "the key column key"],
        ["metadata.crm"],
        [],
        ["name"],
    ]
    assert "1928826755.0" in plan.rows[0].warnings[0]
    assert "looks like a floating-point number" in str(plan_metadata(plan, HOST))


def test_a_warning_hides_private_values(database: Database) -> None:
    connection = ConnectionSettings.model_validate(
        {"tables": {"customers": {"hash": ["number", "name"]}}}
    )
    privacy = privacy_of(connection, lambda _: SecretStr("0123456789abcdef0123456789abcdef"))
    rows = [{"name": "1928826755.0", "number": "77777.0"}, {"name": "a", "notes": "1928.0"}]
    kept = redacted_plan(plan_of(database, "create_customer", *rows), privacy)
    first, second = kept.rows
    assert "1928826755.0" not in repr(first)
    assert "77777.0" not in repr(first)
    assert len(first.warnings) == 2
    assert "'1928.0'" in second.warnings[0]


@pytest.mark.everywhere
def test_rows_that_could_not_be_read_are_invalid_rows(pushing: PushHarness) -> None:
    plan = selection_plan(
        pushing.database,
        "create_customer",
        ("ext_id", "name"),
        [("C1", "Alpha"), (None, None), ("C3", "Gamma")],
        more={
            "problems": {1: "rows.ndjson, line 2 is no object"},
            "record_keys": {1: "line 2"},
        },
        mapping={"number": "ext_id"},
        active=True,
    )
    assert [(row.record_key, row.action) for row in plan.rows] == [
        ("C1", "create"), ("line 2", "invalid"), ("C3", "create"),
    ]  # fmt: skip
    assert plan.rows[1].reason == "rows.ndjson, line 2 is no object"
    pushing(plan.rows)
    states = {key: entry.state for key, entry in pushing.entries().items()}
    assert states == {"C1": "succeeded", "line 2": "invalid", "C3": "succeeded"}


def test_numeric_dates_of_an_export(database: Database) -> None:
    plan = selection_plan(
        database,
        "create_invoice",
        ("invoice_no", "customer_no", "created", "due", "amount"),
        [("1928826755.0", "1", "20261020", "20261107.0", "120.50")],
        check_replica=False,
        mapping={
            "number": "invoice_no",
            "customer": "customer_no",
            "date": "created",
            "due_date": "due",
            "items.0.name": {"value": "Work"},
            "items.0.unit_cost": "amount",
        },
    )
    (row,) = plan.rows
    sent = body(row)
    assert (sent["date"], sent["due_date"]) == (EPOCH_2026_10_20, EPOCH_2026_11_07)
    assert row.amount == Decimal("120.50")
    assert [each.partition(":")[0] for each in row.warnings] == [
        "number", "date", "due_date", "the key column invoice_no",
    ]  # fmt: skip


@pytest.mark.parametrize(("notation", "sent"), [(",", [Decimal("1234.56"), 1500, 2000]), (".", [])])
def test_an_export_with_decimal_commas(
    database: Database, notation: str, sent: list[Decimal]
) -> None:
    plan = selection_plan(
        database,
        "create_customer",
        ("ext_id", "name", "credit_limit"),
        [("C1", "A", "1.234,56"), ("C2", "B", "1.500"), ("C3", "C", "2.000,00")],
        mapping={"number": "ext_id"},
        decimal=notation,
    )
    assert [(row.body or {})["credit_limit"] for row in plan.to_send] == sent
    assert all('set decimal = ","' in (row.reason or "") for row in plan.rows if not row.is_sent)


@pytest.mark.duckdb("the file is read by an embedded DuckDB")
def test_a_nan_in_a_parquet_file(database: Database, tmp_path: Path) -> None:
    duckdb.connect().sql(
        "select * from (values ('C1', 'A', 1.5::double, date '2026-01-01'), "
        "('C2', 'B', 'nan'::double, null), ('C3', 'C', 2.5, null), "
        "('C4', 'D', 'inf'::double, null)) as t(ext_id, name, credit_limit, seen)"
    ).write_parquet(str(tmp_path / "rows.parquet"))
    settings = WritebackSettings(
        name="it",
        operation="create_customer",
        source="rows.parquet",
        key="ext_id",
        mapping={"number": "ext_id"},
        exclude=["seen"],
    )
    request = PlanRequest(settings=settings, dataset="invoiced", folder=tmp_path)
    plan = make_plan(request, database)
    assert [row.action for row in plan.rows] == ["create", "invalid", "create", "invalid"]
    assert "credit_limit is NaN" in (plan.rows[1].reason or "")
    assert "credit_limit is Infinity" in (plan.rows[3].reason or "")
    single = plan_single(request, SingleRow(record_key="C2"), database)
    assert [row.action for row in single.rows] == ["invalid"]


@pytest.mark.duckdb("the query is in its dialect")
def test_dates_of_the_warehouse_beyond_the_calendar(database: Database) -> None:
    with database.session("invoiced") as session:
        session.run(
            "create table tasks_to_do as select * from (values "
            "('a', timestamptz '2026-11-07'), ('b', timestamptz 'infinity'), "
            "('c', timestamptz '-infinity'), ('d', timestamptz '10000-01-01'), "
            "('e', timestamptz '0044-03-15 (BC)'), ('f', timestamptz '1985-03-01')) t(id, due)"
        )
    settings = WritebackSettings(
        name="it",
        operation="create_task",
        source="tasks_to_do",
        key="id",
        mapping={"name": "id", "action": {"value": "phone"}, "due_date": "due"},  # pyright: ignore[reportArgumentType]
    )
    plan = make_plan(PlanRequest(settings=settings, dataset="invoiced"), database)
    assert [row.action for row in plan.rows] == [
        "create", "invalid", "invalid", "invalid", "invalid", "create",
    ]  # fmt: skip
    assert all("due_date" in (row.reason or "") for row in plan.rows if not row.is_sent)


def test_long_identifiers_keep_their_digits(database: Database) -> None:
    digits = "1234567890" * 4
    row = planned(database, "create_customer", {"name": "a", "metadata": {"x": 1}, "number": 1})
    assert body(row)["number"] == "1"
    row = planned(database, "create_customer", {"name": Decimal(digits), "notes": uuid.UUID(int=7)})
    assert body(row) == {"name": digits, "notes": "00000000-0000-0000-0000-000000000007"}


@pytest.mark.parametrize("value", ["yes", "no", 2, "1.0", "on"])
def test_a_boolean_is_certain_or_invalid(database: Database, value: Any) -> None:
    row = planned(database, "create_customer", {"name": "a", "autopay": value})
    assert row.action == "invalid"
    assert "true or false" in (row.reason or "")
    assert replace(row, reason=None).body is None
