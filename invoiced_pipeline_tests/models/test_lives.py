"""Whatever happens in an account, its models say what its API says."""

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.change.actors import Actors
from invoiced_pipeline_tests.change.reference_read import Records, all_records
from invoiced_pipeline_tests.conftest import Replica
from invoiced_pipeline_tests.models.compiled import Models
from invoiced_pipeline_tests.models.lives import begin, live

TABLES = (
    "customers", "invoices", "credit_notes", "subscriptions", "plans", "transactions", "payments",
    "credit_balance_adjustments",
)  # fmt: skip
SEEDS = [
    1,
    *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 4)),
    *(pytest.param(seed, marks=[pytest.mark.slow, pytest.mark.random]) for seed in range(4, 13)),
]

Sums = dict[tuple[Any, ...], Decimal]


@pytest.mark.parametrize("seed", SEEDS)
def test_models_say_what_the_api_says(
    emulator: Emulator, replicate: Replica, models: Models, seed: int
) -> None:
    actors = Actors(emulator)
    begin(actors)
    for half in range(2):
        live(actors, 100 * seed + half, deeds=60)
        emulator.clock.advance(3600)
        replicate.ok(*TABLES, deletions="mark")
        replicate.keep_views()
        models.make(today := datetime.fromtimestamp(emulator.clock.now(), UTC).date())
        records = all_records(emulator, TABLES)
        _open_items_equal_balances(models, records)
        _credits_equal_balances(models, emulator, records)
        _aging_equals_open_items(models)
        _documents_that_do_not_count_leave_no_trace(models, records)
        _months_add_up(models, today)


def _open_items_equal_balances(models: Models, records: dict[str, Records]) -> None:
    counted = [each for each in records["invoices"].values() if _counts(each)]
    balances = _sums((each["customer"], each["currency"], each["balance"]) for each in counted)
    sql = "select customer_id, currency, open_amount from invoiced__ar_open_items where is_today"
    assert _sums(models.rows(sql)) == balances
    unexplained = "select * from invoiced__ar_ledger where movement_type = 'unexplained'"
    assert models.rows(unexplained) == []
    billed = _sums((each["currency"], each["total"]) for each in counted)
    assert _sums(models.rows("select currency, billed from invoiced__customer_overview")) == billed
    assert _sums(models.rows("select currency, billed from invoiced__ar_kpis_monthly")) == billed


def _credits_equal_balances(
    models: Models, emulator: Emulator, records: dict[str, Records]
) -> None:
    payments = [each for each in records["payments"].values() if not each["voided"]]
    unapplied = _sums((each["customer"], each["currency"], each["balance"]) for each in payments)
    sql = (
        "select customer_id, currency, -amount from invoiced__ar_ledger "
        "where document_type = 'payment'"
    )
    assert _sums(models.rows(sql)) == unapplied
    notes = _sums(
        (each["customer"], each["currency"], each["balance"])
        for each in records["credit_notes"].values()
        if _counts(each) and each["status"] != "closed"
    )
    sql = "select customer_id, currency, open_credits from invoiced__ar_aging where is_today"
    found, actors = _sums(models.rows(sql)), Actors(emulator)
    for customer in records["customers"]:
        balance = actors.write("GET", f"/customers/{customer}/balance")
        key = (customer, balance["currency"])
        assert found.get(key, 0) == balance["available_credits"] + notes.get(key, 0)
    received = _sums((each["currency"], each["amount"]) for each in payments)
    sql = (
        "select currency, amount from invoiced__cash_receipts "
        "where payment_id is not null and applied_to <> 'refund'"
    )
    assert _sums(models.rows(sql)) == received


def _aging_equals_open_items(models: Models) -> None:
    buckets = "not_due + days_1_30 + days_31_60 + days_61_90 + over_90"
    of_aging, of_items = (
        _sums(models.rows(f"select as_of_date, currency, {amount} from {model}"))
        for amount, model in (
            (buckets, "invoiced__ar_aging"),
            ("open_amount", "invoiced__ar_open_items"),
        )
    )
    assert of_aging == of_items
    assert not models.rows(
        f"select 1 from invoiced__ar_aging where total_open <> {buckets} "
        "or overdue <> total_open - not_due"
    )


def _documents_that_do_not_count_leave_no_trace(
    models: Models, records: dict[str, Records]
) -> None:
    counted = {
        "invoice": {key for key, each in records["invoices"].items() if _counts(each)},
        "credit_note": {key for key, each in records["credit_notes"].items() if _counts(each)},
        "payment": {key for key, each in records["payments"].items() if not each["voided"]},
    }
    sql = (
        "select distinct document_type, document_id from invoiced__ar_ledger "
        "where movement_type <> 'void'"
    )
    for document_type, document_id in models.rows(sql):
        assert document_id in counted.get(document_type, {document_id})
    # What a payment moves is what it is applied to now, in the months of its own date or later.
    applied = {
        (payment, each["id"])
        for payment in counted["payment"]
        for each in records["payments"][payment]["applied_to"]
    }
    sql = (
        "select payment_id, transaction_id, movement_date from invoiced__ar_ledger "
        "where payment_id is not null and transaction_id is not null "
        "and movement_type not in ('refund', 'void')"
    )
    for payment, transaction, movement_date in models.rows(sql):
        assert (payment, transaction) in applied
        paid_on = datetime.fromtimestamp(records["payments"][payment]["date"], UTC).date()
        assert movement_date >= min(
            paid_on, models.rows("select max(as_of_date) from invoiced__ar_aging")[0][0]
        )


def _months_add_up(models: Models, today: date) -> None:
    months = models.rows(
        "select currency, month, opening, closing, as_of_date from invoiced__ar_kpis_monthly "
        "order by currency, month"
    )
    ledger = models.rows(
        "select currency, movement_date, amount from invoiced__ar_ledger "
        "where document_type = 'invoice'"
    )
    former: dict[str, Decimal] = {}
    for currency, _, opening, closing, last in months:
        moved = sum((row[2] for row in ledger if row[0] == currency and row[1] <= last), Decimal(0))
        assert closing == moved
        assert opening == former.get(currency, Decimal(0))
        former[currency] = closing
    assert max(row[4] for row in months) == today
    movements = models.rows(
        "select customer_id, currency, month, opening_mrr, new_mrr, expansion_mrr, "
        "contraction_mrr, churned_mrr, reactivated_mrr, mrr from invoiced__mrr_movements "
        "order by 1, 2, 3"
    )
    latest: dict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
    for customer, currency, _, opening, new, more, fewer, churned, again, mrr in movements:
        assert opening == latest[customer, currency]
        assert mrr == opening + new + more - fewer - churned + again
        latest[customer, currency] = mrr
    active = models.rows(
        "select customer, sum(mrr) from subscriptions where _deleted_at is null "
        "and status in ('active', 'past_due', 'pending_renewal') and mrr <> 0 group by customer"
    )
    assert _sums((customer, mrr) for (customer, _), mrr in latest.items()) == _sums(active)


def _counts(document: dict[str, Any]) -> bool:
    return not document["draft"] and document["status"] != "voided"


def _sums(rows: Any) -> Sums:
    """The last cell of all rows added up by the others; what is 0 is left out."""
    sums: Sums = defaultdict(Decimal)
    for *keys, amount in rows:
        sums[tuple(keys)] += Decimal(amount)
    return {key: amount for key, amount in sums.items() if amount}
