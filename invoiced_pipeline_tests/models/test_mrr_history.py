"""With a history of subscriptions, changes of their price move MRR in the month of the change."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.conftest import Replica, customer
from invoiced_pipeline_tests.models.compiled import Models, Results
from invoiced_pipeline_tests.models.conftest import HISTORY


def second(month: int, day: int) -> int:
    return int(datetime(2026, month, day, 9, tzinfo=UTC).timestamp())


def subscription(updated_at: int, **fields: Any) -> dict[str, Any]:
    started = second(1, 15)
    record = {"id": 1, "object": "subscription", "customer": 1, "plan": "pro", "status": "active"}
    times = {"start_date": started, "created_at": started, "updated_at": updated_at}
    return record | times | fields


@pytest.mark.duckdb("dbt compiles the SQL for one kind; defs/models/test_build.py has the other")
def test_changes_of_price_move_mrr(emulator: Emulator, replicate: Replica, built: Results) -> None:
    replicate.tables = HISTORY
    emulator.store.put("customers", customer(1, second(1, 1)))
    plan = {"id": "pro", "object": "plan", "currency": "usd", "archived": False}
    emulator.store.put("plans", plan | {"updated_at": second(1, 1)})
    versions = [
        subscription(second(1, 15), mrr=100),
        subscription(second(2, 10), mrr=150),
        subscription(second(3, 10), mrr=120),
        subscription(second(4, 5), mrr=120, status="paused"),
        subscription(second(4, 6), mrr=120, status="paused"),
        subscription(second(6, 1), mrr=90),
    ]
    for record in versions:
        emulator.clock.set(record["updated_at"] + 60)
        emulator.store.put("subscriptions", record)
        replicate.ok("subscriptions")
    replicate.ok()
    replicate.keep_views()
    models = Models(built.statements(), replicate.database, replicate.dataset)
    models.make(date(2026, 6, 10))
    moved = models.rows(
        "select month, opening_mrr, new_mrr, expansion_mrr, contraction_mrr, churned_mrr, "
        "reactivated_mrr, mrr from invoiced__mrr_movements order by month"
    )
    assert [(month.month, *map(int, amounts)) for month, *amounts in moved] == [
        (1, 0, 100, 0, 0, 0, 0, 100),
        (2, 100, 0, 50, 0, 0, 0, 150),
        (3, 150, 0, 0, 30, 0, 0, 120),
        (4, 120, 0, 0, 0, 120, 0, 0),
        (6, 0, 0, 0, 0, 0, 90, 90),
    ]
