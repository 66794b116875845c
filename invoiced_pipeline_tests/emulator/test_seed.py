"""Seeded records: repeatable, complete, and correct to the smallest unit of a currency."""

import json
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from invoiced_emulator.seed import generate
from invoiced_emulator.seed.documents.line_items import add_up
from invoiced_emulator.seed.simulation.money import rounded
from invoiced_pipeline.catalog import TABLES, Table

Record = dict[str, Any]
Ledger = dict[str, list[Record]]

NOW = 1_793_000_000
MINOR_UNITS = {"usd": 2, "eur": 2, "jpy": 0, "kwd": 3, "bhd": 3}
CONSUMING = {"invoice", "estimate", "credit", "convenience_fee"}


def _collect(**arguments: Any) -> Ledger:
    ledger: Ledger = defaultdict(list)
    for collection, record in generate(**arguments):
        ledger[collection].append(record)
    return ledger


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return _collect(seed=7, customers=300, now=NOW)


@pytest.fixture(scope="module")
def applied(ledger: Ledger) -> dict[tuple[str, int], dict[str, Decimal]]:
    """What was paid, refunded and credited per document, by its transactions."""
    sums: dict[tuple[str, int], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for record in ledger["transactions"]:
        if record["status"] == "succeeded" and record["invoice"] is not None:
            sums["invoice", record["invoice"]][record["type"]] += record["amount"]
        if record["credit_note"] is not None:
            sums["credit_note", record["credit_note"]][record["method"]] -= record["amount"]
    return sums


def _is_money(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def test_same_seed_gives_same_records() -> None:
    first = list(generate(seed=3, customers=20, now=NOW))
    assert first == list(generate(seed=3, customers=20, now=NOW))
    assert first != list(generate(seed=4, customers=20, now=NOW))


def test_size(ledger: Ledger) -> None:
    assert len(ledger["customers"]) == 300
    assert 2_000 < len(ledger["invoices"]) < 3_000
    assert {table.name for table in TABLES} < set(ledger)
    most = Counter(invoice["customer"] for invoice in ledger["invoices"]).most_common()
    assert most[0][1] > 150
    assert sum(1 for _, count in most if count < 10) > 100


@pytest.mark.parametrize("customers", [1, 2, 12])
def test_small_ledgers_hold_every_invoice_status(customers: int) -> None:
    statuses = {
        invoice["status"] for invoice in _collect(seed=1, customers=customers, now=NOW)["invoices"]
    }
    assert len(statuses) == 9


@pytest.mark.parametrize(
    ("collection", "field", "values"),
    [
        ("invoices", "status", "draft not_sent sent viewed past_due pending paid voided bad_debt"),
        ("credit_notes", "status", "draft open paid closed voided"),
        (
            "estimates",
            "status",
            "draft not_sent sent viewed approved declined expired invoiced voided",
        ),
        (
            "subscriptions",
            "status",
            "not_started active past_due paused pending_renewal finished canceled",
        ),
        ("transactions", "type", "payment charge refund adjustment document_adjustment"),
        ("transactions", "status", "succeeded pending failed"),
        ("charges", "status", "succeeded pending failed"),
        ("plans", "pricing_mode", "per_unit volume tiered custom"),
        ("customers", "currency", "usd eur jpy kwd bhd"),
    ],
)
def test_every_value_of_a_field_occurs(
    ledger: Ledger, collection: str, field: str, values: str
) -> None:
    assert {record[field] for record in ledger[collection]} == set(values.split())


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_records_hold_every_column(ledger: Ledger, table: Table) -> None:
    expected = {column.name for column in table.columns}
    expected -= {"failure_reason"}
    if table.name == "estimates":
        expected -= {"balance", "paid"}  # in the published contract, never sent
    for record in ledger[table.name]:
        assert expected <= set(record)


def test_numbers_are_exact(ledger: Ledger) -> None:
    for collection, records in ledger.items():
        # Decimals become text here; a float would be written as a number with a fraction.
        text = json.dumps(records, default=str)
        floats: list[str] = []
        json.loads(text, parse_float=lambda number, found=floats: found.append(number))
        assert not floats, collection


def test_ids_are_unique_and_rise_with_creation(ledger: Ledger) -> None:
    for collection, records in ledger.items():
        key = "internal_id" if "internal_id" in records[0] else "id"
        created = "timestamp" if collection == "events" else "created_at"
        ordered = sorted(records, key=lambda record, key=key: record[key])
        assert len({record[key] for record in records}) == len(records)
        assert all(a[created] <= b[created] for a, b in pairwise(ordered)), collection


def test_times_are_in_order(ledger: Ledger) -> None:
    for collection, records in ledger.items():
        for record in records:
            if collection == "events":
                assert record["timestamp"] <= NOW
            else:
                assert record["created_at"] <= record["updated_at"] <= NOW
    oldest = min(invoice["created_at"] for invoice in ledger["invoices"])
    assert 700 < (NOW - oldest) // 86_400 < 800


def test_updates_are_spread_but_some_share_a_second(ledger: Ledger) -> None:
    seconds = Counter(invoice["updated_at"] for invoice in ledger["invoices"])
    assert seconds.most_common(1)[0][1] == 150
    assert len({second // 86_400 for second in seconds}) > 300


def test_references_exist(ledger: Ledger) -> None:
    ids = {name: {record["id"] for record in records} for name, records in ledger.items()}
    for table in TABLES:
        for key in table.foreign_keys:
            for record in ledger[table.name]:
                value = record[key.column]
                assert value is None or value in ids[key.table], (table.name, key.column)
    for payment in ledger["payments"]:
        for split in payment["applied_to"]:
            assert split["id"] in ids["transactions"]
    assert {contact["customer"] for contact in ledger["contacts"]} <= ids["customers"]
    assert {task["customer_id"] for task in ledger["tasks"]} <= ids["customers"]


@pytest.mark.parametrize("collection", ["invoices", "credit_notes", "estimates"])
def test_documents_add_up(ledger: Ledger, collection: str) -> None:
    for document in ledger[collection]:
        currency = document["currency"]
        for line in document["items"]:
            assert line["amount"] == rounded(line["quantity"] * line["unit_cost"], currency)
        off = sum(d["amount"] for line in document["items"] for d in line["discounts"])
        off += sum(discount["amount"] for discount in document["discounts"])
        taxes = sum(tax["amount"] for tax in document["taxes"])
        taxes += sum(tax["amount"] for line in document["items"] for tax in line["taxes"])
        assert document["subtotal"] == sum(line["amount"] for line in document["items"])
        assert document["total"] == document["subtotal"] - off + taxes
        for amount in (document["subtotal"], document["total"], off, taxes):
            assert amount == round(Decimal(amount), MINOR_UNITS[currency])


def test_invoices_have_many_few_and_no_lines(ledger: Ledger) -> None:
    lengths = Counter(len(invoice["items"]) for invoice in ledger["invoices"])
    assert lengths[60] == 1
    assert lengths[0] == 1
    assert set(range(1, 13)) <= set(lengths)
    (empty,) = (invoice for invoice in ledger["invoices"] if not invoice["items"])
    assert (empty["paid"], empty["closed"], empty["status"]) == (True, True, "paid")


def test_rounding_of_the_documented_example() -> None:
    def line(amount: str, less: str = "0") -> Record:
        return {
            "amount": Decimal(amount),
            "discounts": [{"amount": Decimal(less)}],
            "taxes": [],
            "discountable": True,
            "taxable": True,
        }

    percent = {"is_percent": True, "value": 5}
    sums = add_up(
        [line("105.26", "5.26"), line("12.05"), line("-10")],
        "usd",
        coupon=percent,
        tax_rate=percent,
    )
    assert sums.subtotal == Decimal("107.31")
    assert sums.discount == Decimal("5.1")
    assert sums.tax == Decimal("4.85")
    assert sums.total == Decimal("101.8")


def test_invoice_balances(ledger: Ledger, applied: dict[Any, Any]) -> None:
    for invoice in ledger["invoices"]:
        sums = applied["invoice", invoice["id"]]
        paid = sums["payment"] + sums["charge"] - sums["refund"]
        credited = -sums["adjustment"] - sums["document_adjustment"]
        assert invoice["amount_paid"] == paid, invoice["id"]
        assert invoice["amount_credited"] == credited, invoice["id"]
        if invoice["voided"]:
            assert invoice["balance"] == paid == credited == 0
        else:
            assert invoice["balance"] == invoice["total"] - paid - credited


def test_invoice_states(ledger: Ledger) -> None:
    for invoice in ledger["invoices"]:
        status = invoice["status"]
        assert (status == "paid") == invoice["paid"]
        assert invoice["paid"] == (invoice["balance"] <= 0 and status not in ("voided", "bad_debt"))
        assert not invoice["paid"] or invoice["closed"]
        assert (status == "bad_debt") == bool(invoice["date_bad_debt"])
        assert (status == "draft") == invoice["draft"]
        links = {invoice[name] is None for name in ("url", "pdf_url", "csv_url")}
        assert links == {status == "voided"}
        if status == "past_due":
            assert invoice["due_date"] < NOW
        if status in ("sent", "viewed", "not_sent") and invoice["due_date"]:
            assert invoice["due_date"] >= NOW - 60


def test_due_dates_follow_from_terms(ledger: Ledger) -> None:
    terms = {invoice["payment_terms"] for invoice in ledger["invoices"]}
    assert terms == {"NET 7", "NET 14", "NET 30", "NET 60", "AutoPay"}
    for invoice in ledger["invoices"]:
        if invoice["payment_terms"] == "AutoPay":
            assert invoice["due_date"] is None
        else:
            days = int(invoice["payment_terms"].removeprefix("NET "))
            assert invoice["due_date"] == invoice["date"] + days * 86_400


def test_payments_and_their_transactions(ledger: Ledger) -> None:
    behind: dict[int, dict[int, Record]] = defaultdict(dict)
    for record in ledger["transactions"]:
        if record["payment"] is not None:
            behind[record["payment"]][record["id"]] = record
    for payment in ledger["payments"]:
        splits = payment["applied_to"]
        used = sum(split["amount"] for split in splits if split["type"] in CONSUMING)
        assert payment["balance"] == payment["amount"] - used
        assert set(behind[payment["id"]]) == {split["id"] for split in splits}
        assert not (payment["voided"] and splits)
        for split in splits:
            record = behind[payment["id"]][split["id"]]
            assert split["amount"] == abs(record["amount"]) > 0
            assert record["customer"] == payment["customer"]
            for document in ("invoice", "estimate", "credit_note"):
                assert split.get(document) == record[document]


def test_all_kinds_of_payment_occur(ledger: Ledger) -> None:
    payments = ledger["payments"]
    assert any(payment["voided"] for payment in payments)
    assert any(payment["customer"] is None for payment in payments)
    assert any(0 < payment["balance"] < payment["amount"] for payment in payments)
    assert max(len(payment["applied_to"]) for payment in payments) > 5
    types = {split["type"] for payment in payments for split in payment["applied_to"]}
    assert types == CONSUMING | {"credit_note", "applied_credit", "document_adjustment"}


def test_refunds_belong_to_their_charge(ledger: Ledger) -> None:
    by_id = {record["id"]: record for record in ledger["transactions"]}
    refunds = [record for record in ledger["transactions"] if record["type"] == "refund"]
    assert refunds
    for refund in refunds:
        parent = by_id[refund["parent_transaction"]]
        assert parent["type"] == "charge"
        assert 0 < refund["amount"] <= parent["amount"]
        assert [child["id"] for child in parent["children"]] == [refund["id"]]


def test_failed_transactions_have_a_reason(ledger: Ledger) -> None:
    for record in ledger["transactions"]:
        assert (record["status"] == "failed") == ("failure_reason" in record)


def test_credit_notes(ledger: Ledger, applied: dict[Any, Any]) -> None:
    for note in ledger["credit_notes"]:
        sums = applied["credit_note", note["id"]]
        assert note["amount_credited"] == sums["balance"]
        assert note["amount_applied_to_invoice"] == sum(sums.values()) - sums["balance"]
        used = note["amount_credited"] + note["amount_applied_to_invoice"]
        assert note["balance"] == (0 if note["voided"] else note["total"] - used)
        assert note["paid"] == (note["status"] == "paid")


def test_credit_balance_adjustments_mirror_transactions(ledger: Ledger) -> None:
    moves = {
        record["id"]: record
        for record in ledger["transactions"]
        if record["type"] == "adjustment" and record["method"] == "balance"
    }
    adjustments = {record["id"]: record for record in ledger["credit_balance_adjustments"]}
    assert set(moves) == set(adjustments)
    for key, adjustment in adjustments.items():
        assert adjustment["amount"] == -moves[key]["amount"] != 0
        assert adjustment["updated_at"] == moves[key]["updated_at"]
    assert {adjustment["amount"] > 0 for adjustment in adjustments.values()} == {True, False}


def test_credit_balances_follow_from_transactions(ledger: Ledger) -> None:
    left: dict[int, Decimal] = defaultdict(Decimal)
    for record in ledger["transactions"]:
        if record["method"] == "balance":
            left[record["customer"]] -= record["amount"]
    for customer in ledger["customers"]:
        assert customer["credit_balance"] == left[customer["id"]] >= 0


def test_estimates_become_invoices(ledger: Ledger) -> None:
    invoices = {invoice["id"]: invoice for invoice in ledger["invoices"]}
    for estimate in ledger["estimates"]:
        assert (estimate["status"] == "invoiced") == (estimate["invoice"] is not None)
        if estimate["invoice"]:
            assert estimate["closed"]
            assert invoices[estimate["invoice"]]["customer"] == estimate["customer"]
    assert {type(estimate["approved"]) for estimate in ledger["estimates"]} == {str, type(None)}


def test_subscriptions_are_billed_their_recurring_total(ledger: Ledger) -> None:
    plans = {plan["internal_id"]: plan for plan in ledger["plans"]}
    billed = defaultdict(list)
    for invoice in ledger["invoices"]:
        billed[invoice["subscription"]].append(invoice)
    months = {"month": 1, "year": 12}
    for subscription in ledger["subscriptions"]:
        plan = plans[subscription["plan_id"]]
        assert plan["id"] == subscription["plan"]
        length = months[plan["interval"]] * plan["interval_count"]
        monthly = Decimal(subscription["recurring_total"]) / length
        currency = plan["currency"]
        assert subscription["mrr"] == rounded(monthly, currency)
        invoices = billed[subscription["id"]]
        assert len(invoices) == subscription["num_invoices"]
        assert {invoice["total"] for invoice in invoices} <= {subscription["recurring_total"]}
        assert (subscription["status"] == "canceled") == (subscription["canceled_at"] is not None)
        ended = subscription["status"] in ("canceled", "finished")
        assert (subscription["period_end"] is None) == (
            ended or subscription["status"] == "not_started"
        )
    assert any(subscription["addons"] for subscription in ledger["subscriptions"])
    assert any(subscription["discounts"] for subscription in ledger["subscriptions"])
    assert any(subscription["taxes"] for subscription in ledger["subscriptions"])


def test_plan_versions(ledger: Ledger) -> None:
    versions: dict[str, list[bool]] = defaultdict(list)
    for plan in ledger["plans"]:
        versions[plan["id"]].append(plan["archived"])
        assert (plan["amount"] is None) == (plan["pricing_mode"] == "custom")
    assert versions["basic"] == [True, False]
    assert versions["beta"] == [True, True]
    assert max(archived.count(False) for archived in versions.values()) == 1
    without = _collect(seed=7, customers=40, now=NOW, tiers=False)["plans"]
    assert all(plan["tiers"] is None for plan in without)


def test_other_versions(ledger: Ledger) -> None:
    for collection in ("items", "coupons", "tax_rates"):
        versions: dict[str, list[bool]] = defaultdict(list)
        for record in ledger[collection]:
            versions[record["id"]].append(record["archived"])
        assert [True, False] in versions.values()
        assert max(archived.count(False) for archived in versions.values()) == 1
        assert any(all(archived) for archived in versions.values())


def test_charges_and_refunds_are_those_of_payments(ledger: Ledger) -> None:
    charges = {charge["id"]: charge for charge in ledger["charges"]}
    for payment in ledger["payments"]:
        if payment["charge"] is not None:
            charge = charges[payment["charge"]["id"]]
            assert payment["charge"].items() <= charge.items()
            assert (charge["payment"], charge["customer"]) == (payment["id"], payment["customer"])
    made = {payment["charge"]["id"] for payment in ledger["payments"] if payment["charge"]}
    assert {charges[key]["status"] for key in charges.keys() - made} == {"failed"}
    refunds = {refund["id"]: refund for refund in ledger["refunds"]}
    listed = [each for charge in charges.values() for each in charge["refunds"]]
    assert {each["id"] for each in listed} == refunds.keys() != set()
    assert all(each.items() <= refunds[each["id"]].items() for each in listed)


def test_last_event_shows_the_final_record(ledger: Ledger) -> None:
    last: dict[tuple[str, int], Record] = {}
    for event in ledger["events"]:
        kind, change = event["type"].split(".")
        shown = event["data"]["object"]
        assert isinstance(shown.get("customer"), dict | None)
        assert "amount_paid" not in shown
        assert ("previous" in event["data"]) or change not in ("updated", "paid")
        if shown.get("object") != "credit_balance_adjustment":
            last[kind, shown["id"]] = event
    for collection in (
        "invoices",
        "estimates",
        "credit_notes",
        "subscriptions",
        "contacts",
        "notes",
    ):
        for record in ledger[collection]:
            shown = last[collection[:-1], record["id"]]["data"]["object"]
            different = {name for name in shown if shown[name] != record[name]}
            assert different <= {"customer", "plan", "updated_at"}, (collection, different)


def test_deleted_records_occur_only_in_events(ledger: Ledger) -> None:
    stays = {"payment", "subscription"}  # voided and canceled: the record is still there
    seen = Counter()
    for event in ledger["events"]:
        kind, change = event["type"].split(".")
        if change != "deleted":
            continue
        shown = event["data"]["object"]
        collection = f"{kind}s"
        if shown.get("object") == "credit_balance_adjustment":
            collection = "credit_balance_adjustments"
        there = any(record["id"] == shown["id"] for record in ledger[collection])
        assert there == (kind in stays)
        seen[kind] += 1
    expected = {"customer", "invoice", "credit_note", "estimate", "contact", "task", "note", *stays}
    assert expected <= set(seen)
    merged = [event for event in ledger["events"] if event["type"] == "customer.merged"]
    gone = {event["data"]["object"]["original_customer"]["id"] for event in merged}
    assert gone
    assert gone.isdisjoint(customer["id"] for customer in ledger["customers"])


def test_customers_differ(ledger: Ledger) -> None:
    customers = ledger["customers"]
    assert any(not customer["active"] for customer in customers)
    assert any(customer["parent_customer"] for customer in customers)
    assert any(not customer["name"].isascii() for customer in customers)
    assert any(customer["metadata"] for customer in customers)
    assert {customer["type"] for customer in customers} == {
        "company",
        "government",
        "non_profit",
        "person",
    }
    for customer in customers:
        assert customer["email"] is None or "@example." in customer["email"]
        source = customer["payment_source"]
        assert (source is not None) == customer["autopay"]
    assert len({customer["number"] for customer in customers}) == len(customers)
