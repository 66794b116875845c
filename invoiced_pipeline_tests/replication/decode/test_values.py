"""Values from JSON to the column: exact and complete, or rejected with a clear reason."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import table
from invoiced_pipeline.invoiced.reading.pages import Page, Stamp
from invoiced_pipeline.replication.decode.batches import Batcher
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi

NUMBERS = [
    "0.1",
    "1234567890.12",
    "107.305",
    "0.0000000001",
    "1000000000000000",
    "1000000000000000.01",
    "-0.07",
    "0",
    "100",
    "1e3",
    "1E-10",
    "1.10e1",
    "9999999999999999999999999999.9999999999",
    "-9999999999999999999999999999.9999999999",
    "0.30000000000000004",  # binary noise
    "107.30499999999999",
]


def served(replicate: Replica, body: str, *tables: str, **options: Any) -> dict[str, Any]:
    """Loads tables from a server that answers every list with exactly `body`."""
    headers = {"Date": "Sun, 22 Nov 2026 12:00:00 GMT"}
    with HandmadeApi(reply=lambda *_: (200, headers, body.encode())) as api:
        replicate.url = api.url
        return replicate(*tables, **options)


def test_amounts_are_exact(replicate: Replica) -> None:
    # Other amounts are in the same column, because a batch has one scale.
    body = ", ".join(
        f'{{"id": {number}, "total": {text}, "updated_at": {NOW}, '
        f'"items": [{{"amount": {text}, "quantity": {text}}}]}}'
        for number, text in enumerate(NUMBERS)
    )
    reports = served(replicate, f"[{body}]", "invoices")
    assert reports["invoices"].error is None
    expected = [Decimal(text).quantize(Decimal("1e-10")) for text in NUMBERS[:-4]]
    expected += [Decimal(text) for text in NUMBERS[-4:-2]]
    expected += [Decimal("0.3000000000"), Decimal("107.3050000000")]
    assert [row[0] for row in replicate.query("select total from invoices order by id")] == expected
    lines = replicate.query("select amount, quantity from invoices__items order by invoice_id")
    assert lines == [(amount, amount) for amount in expected]


INSTANTS = {
    0: datetime(1970, 1, 1, tzinfo=UTC),
    -1: datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    -2_208_988_800: datetime(1900, 1, 1, tzinfo=UTC),
    1_700_000_000: datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
    4_102_444_800: datetime(2100, 1, 1, tzinfo=UTC),
    None: None,
}


@pytest.mark.everywhere
def test_instants_before_and_after_all_that_is_usual(
    emulator: Emulator, replicate: Replica
) -> None:
    emulator.store.put_many(
        "invoices",
        [
            invoice(number, date=second, created_at=second, items=[{"created_at": second}])
            for number, second in enumerate(INSTANTS, start=1)
        ],
    )
    replicate.ok("invoices")
    found = replicate.query("select date, created_at from invoices order by id")
    assert found == [(instant, instant) for instant in INSTANTS.values()]
    lines = replicate.query("select created_at from invoices__items order by invoice_id")
    assert lines == [(instant,) for instant in INSTANTS.values()]


def test_records_with_odd_updated_at_since_the_beginning_of_time(
    emulator: Emulator, replicate: Replica
) -> None:
    # MySQL's zero date is a second before the year 1, outside Python's datetime.
    stamps = [None, -62_169_984_000, -1, 0, 1, NOW]
    emulator.store.put_many("customers", [customer(n, s) for n, s in enumerate(stamps, start=1)])
    emulator.store.put_many(
        "plans", [{"id": f"plan{n}", "updated_at": s} for n, s in enumerate(stamps, start=1)]
    )
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    replicate.ok("customers", "plans", start=epoch)
    assert replicate.ids("customers") == [1, 4, 5, 6]  # before 1970 is before the start date
    assert replicate.ids("plans") == ["plan1", "plan4", "plan5", "plan6"]
    null_last = replicate.query("select extract(epoch from updated_at) from customers order by id")
    assert [second for (second,) in null_last] == [None, 0, 1, NOW]


@pytest.mark.everywhere
def test_zero_dates_in_other_columns(emulator: Emulator, replicate: Replica) -> None:
    zero = -62_169_984_000
    emulator.store.put("invoices", invoice(1, date=zero, created_at=zero))
    replicate.ok("invoices")
    assert replicate.query(
        "select extract(epoch from date), extract(epoch from created_at) from invoices"
    ) == [(zero, zero)]


TEXTS = {
    "empty": "",
    "newlines": "one\ntwo\r\nthree\n",
    "quotes": 'it\'s "quoted" \\ and 100 % ; -- , \t |',
    "unicode": "Łódź 東京 🧾 עברית e\u0301 \u202e",
    "nothing": "NULL",
    "zero": "0",
    "spaces": "  both  ",
    "nul": "a\u0000b",
}


@pytest.mark.everywhere
def test_all_texts_arrive_as_they_are(emulator: Emulator, replicate: Replica) -> None:
    emulator.store.put_many(
        "customers",
        [
            customer(number, notes=text, name=text, metadata={"text": text})
            for number, text in enumerate(TEXTS.values(), start=1)
        ],
    )
    replicate.ok("customers")
    found = replicate.query("select name, notes, metadata from customers order by id")
    texts = list(TEXTS.values())
    if replicate.database.kind == "postgres":  # which stores every character except one
        texts = [text.replace("\x00", "\ufffd") for text in texts]
    assert [(name, notes) for name, notes, _ in found] == [(text, text) for text in texts]
    assert [json.loads(metadata) for *_, metadata in found] == [{"text": text} for text in texts]


def test_notes_of_two_megabytes(emulator: Emulator, replicate: Replica) -> None:
    notes = "".join(f"{number:07d} é\n" for number in range(200_000))
    assert len(notes.encode()) > 2_000_000
    emulator.store.put_many("customers", [customer(1, notes=notes), customer(2, notes="short")])
    replicate.ok("customers")
    assert replicate.query("select notes from customers order by id") == [(notes,), ("short",)]


METADATA: list[dict[str, Any]] = [
    {},
    {"account-rep": "Jan", "SELECT": "1", "with space": "x", "": "empty", "a.b": "c", "ü": "ö"},
    {"id": "9", "metadata": "{}", "_dlt_id": "x", "items": "[]"},
    {"quote\"'`": "'\"`", "back\\slash": "\\", "new\nline": "\n"},
    {"number": "12", "nested": '{"a": 1}'},
]


def test_metadata_with_odd_keys(emulator: Emulator, replicate: Replica) -> None:
    emulator.store.put_many(
        "customers", [customer(number, metadata=data) for number, data in enumerate(METADATA)]
    )
    replicate.ok("customers")
    found = replicate.query("select metadata from customers order by id")
    assert [json.loads(text) for (text,) in found] == METADATA
    assert not {"account_rep", "with_space"}.intersection(replicate.columns("customers"))


def test_ids_and_numbers_keep_their_leading_zeros(emulator: Emulator, replicate: Replica) -> None:
    emulator.store.put("customers", customer(7, number="007"))
    emulator.store.put("plans", {"id": "007", "updated_at": NOW, "tiers": [{"unit_cost": 1}]})
    emulator.store.put("plans", {"id": "7", "updated_at": NOW})
    emulator.store.put("plans", {"id": "0_7", "updated_at": NOW})
    emulator.store.put("subscriptions", {"id": 1, "plan": "007", "updated_at": NOW})
    replicate.ok("customers", "plans", "subscriptions")
    assert replicate.query("select number from customers") == [("007",)]
    assert replicate.ids("plans") == ["007", "0_7", "7"]
    assert replicate.query("select plan_id from plans__tiers") == [("007",)]
    assert replicate.query("select plan from subscriptions") == [("007",)]


@pytest.mark.parametrize(
    ("sent", "approved", "kept"),
    [
        ("AB", True, "AB"),
        (None, None, None),
        (True, True, None),
        (False, False, None),
        ("", False, None),
        ("F.", True, "F."),
    ],
)
def test_approval_by_initials(
    emulator: Emulator, replicate: Replica, sent: Any, approved: bool | None, kept: str | None
) -> None:
    emulator.store.put("estimates", {"id": 1, "approved": sent, "updated_at": NOW})
    replicate.ok("estimates")
    ((value, extra),) = replicate.query("select approved, _extra from estimates")
    assert value is approved
    assert (json.loads(extra)["approved"] if extra else None) == kept


@pytest.mark.everywhere
def test_values_in_other_forms_than_the_reference_says(replicate: Replica) -> None:
    body = """[
        {"id": "12", "customer": "34", "total": "107.305", "paid": 1, "draft": "0", "number": 7,
         "date": "1700000000", "due_date": "2023-11-14T22:13:20Z", "balance": " 5.50 ",
         "name": true, "updated_at": 1700000000.0, "items": {"odd": 1}, "notes": {"a": [1]}},
        {"id": 13, "customer": 35.0, "total": 1, "updated_at": 1700000000}
    ]"""
    assert served(replicate, body, "invoices")["invoices"].error is None
    first, second = replicate.rows("invoices", "id")
    assert (first["id"], first["customer"], second["customer"]) == (12, 34, 35)
    assert (first["total"], first["balance"]) == (Decimal("107.305"), Decimal("5.5"))
    assert (first["paid"], first["draft"]) == (True, False)
    assert first["date"] == first["due_date"] == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (first["number"], first["name"]) == ("7", "true")
    assert json.loads(first["notes"]) == {"a": [1]}
    assert json.loads(first["items"]) == {"odd": 1}
    assert replicate.rows("invoices__items") == []


BAD = [
    ('"total": 1e400', "total"),
    ('"total": 10000000000000000000000000000', "total"),
    ('"total": "a lot"', "total"),
    ('"total": "ten"', "total"),
    ('"total": "NaN"', "total"),
    ('"total": "Infinity"', "total"),
    ('"total": [1]', "total"),
    ('"customer": 99999999999999999999', "customer"),
    ('"customer": 1.5', "customer"),
    ('"date": 99999999999999999', "date"),
    ('"date": "soon"', "date"),
    ('"paid": 7', "paid"),
    ('"paid": [true]', "paid"),
]


@pytest.mark.parametrize(("field", "name"), BAD)
def test_value_that_fits_no_column_is_reported(field: str, name: str) -> None:
    batcher = Batcher(table("invoices"))
    body = f'[{{"id": 1}}, {{"id": 2, {field}}}, {{"id": 3, "total": 0.5}}]'.encode()
    stamps = [Stamp(id=number) for number in (1, 2, 3)]
    list(batcher.empty())
    batches = [*batcher.add(Page(body, stamps, frozenset(), None, None)), *batcher.flush()]
    assert batches[0].rows.column("id").to_pylist() == [1, 3]
    (reject,) = batcher.rejects
    assert reject.id == "2"
    assert reject.reason.startswith(f"{name}: ")
    assert json.loads(reject.record)["id"] == 2


def test_rejects_are_logged_and_leave_when_they_fit(replicate: Replica) -> None:
    fields = [field for field, _ in BAD]
    records = [f'{{"id": {n}, {field}, "updated_at": {NOW}}}' for n, field in enumerate(fields)]
    good = f'{{"id": 100, "updated_at": {NOW}}}'
    report = served(replicate, f"[{', '.join([*records, good])}]", "invoices")["invoices"]
    assert report.rejected == len(BAD)
    assert report.error is None
    assert replicate.ids("invoices") == [100]
    assert len(replicate.rows("_rejected")) == len(BAD)
    healed = [f'{{"id": {n}, "updated_at": {NOW}}}' for n in range(len(BAD))]
    report = served(replicate, f"[{', '.join([*healed, good])}]", "invoices")["invoices"]
    assert report.error is None
    assert replicate.ids("invoices") == [*range(len(BAD)), 100]
    assert replicate.rows("_rejected") == []


def test_empty_text_where_no_text_belongs_is_null(replicate: Replica) -> None:
    body = f'[{{"id": 1, "total": "", "due_date": "", "number": "", "updated_at": {NOW}}}]'
    assert served(replicate, body, "invoices")["invoices"].error is None
    (row,) = replicate.rows("invoices")
    assert (row["total"], row["due_date"], row["number"]) == (None, None, "")
    assert json.loads(row["_extra"]) == {"total": "", "due_date": ""}


def test_record_without_an_id_is_refused(replicate: Replica) -> None:
    body = f'[{{}}, {{"id": null}}, {{"name": "no id"}}, {{"id": 1, "updated_at": {NOW}}}]'
    report = served(replicate, body, "customers")["customers"]
    assert report.rejected == 3
    assert "id is missing" in (report.error or "")
    assert replicate.ids("customers") == [1]


def test_element_that_cannot_be_typed_keeps_its_place(replicate: Replica) -> None:
    items = '[{"amount": 1}, {"amount": "a lot"}, {"amount": 1e400}, null, 7, {"amount": "2.5"}]'
    body = f'[{{"id": 1, "items": {items}, "updated_at": {NOW}}}]'
    assert served(replicate, body, "invoices")["invoices"].error is None
    found = replicate.query("select _index, amount, _extra from invoices__items order by _index")
    assert [(index, amount) for index, amount, _ in found] == [
        (0, Decimal(1)),
        (1, None),
        (2, None),
        (5, Decimal("2.5")),
    ]
    assert json.loads(found[1][2]) == {"amount": "a lot"}
    assert "1e400" in found[2][2].lower() or "1e+400" in found[2][2].lower()


def test_unknown_fields_are_kept_and_missing_ones_are_null(
    emulator: Emulator, replicate: Replica
) -> None:
    unknown = {"brand_new": {"deep": [1, 2.50]}, "flag": True, "_extra": "theirs", "extra_json": 1}
    records: list[dict[str, Any]] = [
        {"id": 1, "updated_at": NOW},
        {"id": 2, "updated_at": NOW, "items": [{"name": "x", "colour": "red"}]} | unknown,
    ]
    emulator.store.put_many("invoices", records)
    replicate.ok("invoices")
    plain, rich = replicate.rows("invoices", "id")
    own = {"id", "updated_at", "_dlt_load_id"}
    assert {name for name, value in plain.items() if value is not None} == own
    assert json.loads(rich["_extra"]) == unknown
    (line,) = replicate.rows("invoices__items")
    assert json.loads(line["_extra"]) == {"colour": "red"}
    assert "brand_new" not in plain


@pytest.mark.everywhere
def test_unknown_numbers_keep_their_digits(replicate: Replica) -> None:
    body = f'[{{"id": 1, "rate": 1000000000000000.010, "updated_at": {NOW}}}]'
    served(replicate, body, "customers")
    assert replicate.query("select _extra from customers") == [('{"rate":1000000000000000.010}',)]


@pytest.mark.parametrize("records", [0, 1, 499, 500, 501, 1_250])
def test_each_value_stays_with_its_record(records: int) -> None:
    metadata = [{"line": "é" * (number % 3), "n": number} for number in range(records)]
    body = [
        {"id": number, "name": f"C{number}", "metadata": metadata[number], "updated_at": NOW}
        for number in range(records)
    ]
    stamps = [Stamp(each["id"], NOW) for each in body]
    batcher = Batcher(table("customers"))
    page = Page(json.dumps(body).encode(), stamps, frozenset(), None, None)
    batches = [*batcher.add(page), *batcher.flush()]
    rows = [row for batch in batches if batch.record_count for row in batch.rows.to_pylist()]
    assert [(row["id"], row["name"]) for row in rows] == [(n, f"C{n}") for n in range(records)]
    assert [json.loads(row["metadata"]) for row in rows] == metadata
    assert {row["notes"] for row in rows} <= {None}
