"""Syncs that find nothing new record one event, and every reader knows what it says."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.status import connection_status
from invoiced_pipeline_tests.conftest import customer
from invoiced_pipeline_tests.defs.conftest import KEYS, Service, months_ago

LATE = int(months_ago(1).timestamp()) + 60
ASSET_EVENTS = {
    dg.DagsterEventType.ASSET_MATERIALIZATION,
    dg.DagsterEventType.ASSET_OBSERVATION,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
}


def recorded(service: Service, run_id: str) -> Counter[tuple[str, str]]:
    """A run's events of assets: their kind, and the asset."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in service.instance.all_logs(run_id, of_type=ASSET_EVENTS):
        event = entry.get_dagster_event()
        data: Any = event.event_specific_data
        key = event.asset_key or getattr(data, "asset_key", None) or data.asset_check_key.asset_key
        found[event.event_type_value, key.path[-1]] += 1
    return found


def test_tables_without_news_are_well(service: Service, account: Emulator) -> None:
    account.store.put("customers", customer(1, LATE))
    account.store.put("contacts", {"id": 5, "customer": 1, "created_at": LATE, "updated_at": LATE})
    service.environment["INVOICED_OPTIONAL_TABLES"] = "contacts,events"
    assert service.sync().error is None
    idle = service.sync()
    assert idle.error is None
    assert recorded(service, idle.run_id) == {("ASSET_OBSERVATION", "invoiced_account"): 1}
    assert idle.tables["customers"]["dagster/row_count"] == 1
    assert set(idle.tables) >= {"customers", "contacts", "events", "plans"}

    # A later run of other tables does not hide what this one said.
    later = service.sync("plans")
    assert later.error is None
    settings = service.settings()
    status = connection_status(service.instance, settings, settings.first, datetime.now(UTC))
    assert {each.state for each in status.tables} == {"ok"}
    runs = {each.table: each.run_id for each in status.tables}
    assert (runs["customers"], runs["plans"]) == (idle.run_id, later.run_id)
    covered = {each.table: each.covered_until for each in status.tables}
    assert covered["customers"] is not None
    assert covered["customers"].timestamp() == idle.tables["customers"]["covered_until"]


def test_what_others_changed_meanwhile_is_recorded(service: Service, account: Emulator) -> None:
    account.store.put("customers", customer(1, LATE))
    assert service.sync("customers").error is None
    # A sweep brings a record that changed without a new time: only the whole list shows it.
    account.store.put("customers", customer(2, LATE - 86_400))
    assert service.sweep("customers").error is None
    found = service.sync("customers")
    assert found.error is None
    key = ("ASSET_MATERIALIZATION", "customers")
    assert recorded(service, found.run_id)[key] == 2  # the newest partition, and the record's
    again = service.sync("customers")
    assert recorded(service, again.run_id)[key] == 0
    records = service.instance.fetch_materializations(service.key("customers"), limit=10).records
    rows = {
        record.partition_key: record.asset_materialization.metadata[
            "dagster/partition_row_count"
        ].value
        for record in reversed(records)
        if record.asset_materialization
    }
    assert rows == {KEYS[0]: 0, KEYS[1]: 1, KEYS[2]: 1, KEYS[3]: 0}
