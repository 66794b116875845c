"""What a run records: `_sync_log`, asset checks and rejects; and the repairs that they suggest."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline_tests.conftest import sql_client_of
from invoiced_pipeline_tests.defs.conftest import KEYS, Service, months_ago

Outcomes = dict[tuple[str, str], tuple[bool, str, str]]
LOG = (
    "run_id connection table_name mode window_start window_end started_at finished_at status rows "
    "new_rows deleted_rows rejected_rows pages requests retries wait_seconds load_seconds error "
    "coverage_before coverage_after"
)


def put(account: Emulator, collection: str, record_id: Any, at: datetime, **fields: Any) -> None:
    stamp = int(at.timestamp())
    record = {"id": record_id, "object": collection[:-1], "created_at": stamp, "updated_at": stamp}
    account.store.put(collection, record | fields)


@pytest.fixture
def billed(account: Emulator) -> Emulator:
    """Adds a customer and an invoice of 100 with 40 paid, both of last month."""
    at = months_ago(1)
    put(account, "customers", 1, at, name="Ann")
    put(account, "invoices", 1, at, customer=1, status="sent", draft=False, total=100, balance=60)
    split = {"id": 9, "type": "invoice", "amount": 40, "invoice": 1}
    paid = {"amount": 50, "balance": 10, "voided": False, "applied_to": [split]}
    put(account, "payments", 1, at, customer=1, **paid)
    return account


def write(service: Service, sql: str) -> None:
    """Changes the warehouse by hand."""
    with service.database.session("invoiced") as session:
        session.run(sql)


def checks(service: Service) -> Outcomes:
    """Passed, severity and text of the newest run's checks, by table and check."""
    (run,) = service.instance.get_runs(limit=1)
    found: Outcomes = {}
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    for entry in service.instance.all_logs(run.run_id, of_type=kind):
        assert entry.dagster_event is not None
        outcome = entry.dagster_event.asset_check_evaluation_data
        key = (outcome.asset_key.path[-1], outcome.check_name)
        found[key] = (outcome.passed, outcome.severity.value, outcome.description or "")
    return found


def failing(service: Service) -> Outcomes:
    return {key: outcome for key, outcome in checks(service).items() if not outcome[0]}


@pytest.mark.usefixtures("billed")
def test_the_log_has_a_row_per_table_and_run(service: Service) -> None:
    first = service.sync()
    second = service.sync("invoices", mode="full")
    assert (first.error, second.error) == (None, None)
    names = "select string_agg(column_name, ' ' order by ordinal_position) "
    table = "from information_schema.columns where table_name = '_sync_log'"
    assert service.query(names + table) == [(LOG,)]
    logged = service.query(
        "select run_id, table_name, mode, status, rows, new_rows, rejected_rows, error "
        "from _sync_log order by finished_at"
    )
    assert {row[1] for row in logged[:-1]} == set(TABLE_NAMES)
    assert (first.run_id, "invoices", "sync", "succeeded", 1, 1, 0, None) in logged
    assert logged[-1] == (second.run_id, "invoices", "full", "succeeded", 1, 0, 0, None)
    ((before, after, start, end),) = service.query(
        "select coverage_before, coverage_after, window_start, window_end from _sync_log "
        f"where run_id = '{second.run_id}'"
    )
    assert before.startswith("[")
    assert after >= before
    assert start < end <= datetime.now(UTC)

    assert service.query("select count(*) from _sync_status where status = 'succeeded'") == [
        (len(TABLE_NAMES),)
    ]
    status = service.query("select run_id, mode from _sync_status where table_name = 'invoices'")
    assert status == [(second.run_id, "full")]
    fresh = service.query(
        "select count(*) from _sync_freshness where complete_until is not null "
        "and age_seconds between 0 and 600 and last_success_at = last_run_at"
    )
    assert fresh == [(len(TABLE_NAMES),)]
    usage = service.query(
        "select sum(first_load_rows), sum(increment_rows), sum(reread_rows), sum(runs) "
        "from _sync_usage where table_name = 'invoices'"
    )
    assert usage == [(1, 0, 1, 2)]


def test_failed_tables_and_failed_loads_are_logged(
    service: Service, billed: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The very first run has the wrong key: it is logged, and the dataset belongs to no account.
    billed.keys.clear()
    assert service.sync("invoices", "customers").error is not None
    logged = "select table_name, status, rows, error from _sync_log order by finished_at, 1"
    rows = service.query(logged)
    assert [row[:3] for row in rows] == [("customers", "failed", 0), ("invoices", "failed", 0)]
    assert "answered 401" in rows[0][3]
    billed.keys[billed.api_key] = "active"

    def fail(*_: Any, **__: Any) -> None:
        message = "IO Error: No space left on device"
        raise OSError(message)

    with monkeypatch.context() as patch:
        patch.setattr(sql_client_of(service.database), "execute_many", fail)
        assert "No space left" in (service.sync("invoices").error or "")
    *_, (name, status, count, error) = service.query(logged)
    assert (name, status, count) == ("invoices", "failed", 0)
    assert "No space left" in error
    assert service.sync("invoices").error is None
    assert service.query(logged)[-1] == ("invoices", "succeeded", 1, None)


def test_all_checks_pass_on_a_correct_replica(service: Service, billed: Emulator) -> None:
    assert service.sync(mode="full").error is None
    found = checks(service)
    assert {key: outcome for key, outcome in found.items() if not outcome[0]} == {}
    assert {check for table, check in found if table == "invoices"} == {
        "primary_key",
        "foreign_keys",
        "row_count",
        "balance",
        "newest_window",
    }
    assert {check for table, check in found if table == "plans"} == {"primary_key", "newest_window"}
    # A sync without changes makes no further request.
    billed.forget()
    assert service.sync("invoices").error is None
    assert [path for _, path, *_ in billed.requests if path != "/events"] == ["/invoices"]


@pytest.mark.usefixtures("billed")
def test_a_wrong_replica_is_an_error_and_a_doubtful_one_a_warning(service: Service) -> None:
    assert service.sync().error is None
    write(
        service,
        "insert into invoices select * from invoices; update payments set balance = 11",
    )
    assert not service.check("invoices", "payments").success
    found = failing(service)
    doubled = "2 rows, 0 without id, 1 doubled"
    assert found["invoices", "primary_key"] == (False, "ERROR", doubled)
    off = "1 of 1 record does not add up; first: id 1"
    assert found["payments", "balance"] == (False, "WARN", off)
    assert {outcome[1] for key, outcome in found.items() if key[1] != "primary_key"} == {"WARN"}
    # What failed stays failed, though no sync finds anything new, until it is mended.
    wrong = service.sync("invoices", "payments")
    assert wrong.error == f"loaded, but look: invoices: check primary_key failed: {doubled}"
    found = failing(service)
    assert found["invoices", "primary_key"] == (False, "ERROR", doubled)
    assert found["payments", "balance"][0] is False
    write(service, "update payments set balance = 10")
    service.sync("invoices", "payments")
    assert set(failing(service)) == {("invoices", "primary_key"), ("invoices", "row_count")}
    assert service.sync("invoices", "payments", mode="full").error is None
    assert failing(service) == {}


def test_orphans_differ_from_children_of_parents_before_the_start(
    service: Service, account: Emulator
) -> None:
    put(account, "customers", 10, months_ago(2), name="first of the replica")
    put(account, "customers", 12, months_ago(1), name="last")
    for number, parent in enumerate((3, 10, 11, 12, 99), start=1):
        put(account, "invoices", number, months_ago(1), customer=parent, status="draft", draft=True)
    assert service.sync("customers", "invoices").error is None
    assert failing(service) == {
        ("invoices", "foreign_keys"): (
            False,
            "WARN",
            "parents are missing: 1 of customer in customers",
        )
    }


@pytest.mark.parametrize("how", ["partition", pytest.param("full", marks=pytest.mark.slow)])
def test_a_damaged_row_is_found_and_repaired(service: Service, billed: Emulator, how: str) -> None:
    put(billed, "invoices", 2, months_ago(1) + timedelta(days=1), total=5, balance=5, draft=True)
    assert service.sync("invoices").error is None
    write(service, "delete from invoices where id = 2; update invoices set total = 1 where id = 1")
    if how == "partition":
        assert service.materialize(KEYS[2], tables=["invoices"]).success
    else:
        assert service.sync("invoices", mode="full").error is None
    assert service.query("select id, total from invoices order by id") == [(1, 100), (2, 5)]
    assert checks(service)["invoices", "row_count"][0]


def test_a_replica_with_fewer_rows_than_the_api_is_an_error(
    service: Service, billed: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count shows a record that was lost while loading."""
    from invoiced_pipeline.invoiced.reading import single_record

    assert service.sync("invoices").error is None
    page = single_record.InvoicedClient.list_page

    def one_more(self: Any, path: str, params: Any, tally: Any = None) -> Any:
        answer = page(self, path, params, tally)
        if ("per_page", "1") in params:
            object.__setattr__(answer, "total", answer.total + difference)
        return answer

    monkeypatch.setattr(single_record.InvoicedClient, "list_page", one_more)
    difference = 1
    wrong = service.sync("invoices", mode="full")
    assert wrong.error is not None
    assert "row_count failed: the API counts 2 records, the replica 1" in wrong.error
    difference = -1
    assert service.sync("invoices", mode="full").error is None
    assert failing(service)["invoices", "row_count"][1] == "WARN"


@pytest.mark.slow
def test_a_table_with_only_an_old_partition_is_not_fresh(
    service: Service, billed: Emulator
) -> None:
    assert service.materialize(KEYS[1], tables=["customers"]).success
    assert set(failing(service)) == {("customers", "newest_window")}


def test_checks_without_a_load_cover_all_that_is_loaded(service: Service, billed: Emulator) -> None:
    put(billed, "invoices", 2, months_ago(1), total="none")  # a reject is not missing
    put(billed, "invoices", 3, months_ago(2), draft=True)
    (service.folder / "invoiced.toml").write_text("[[connection]]\nreject_share = 0.6\n")
    assert service.sync().error is None
    assert service.check("invoices").success
    assert {check for _, check in checks(service)} == {
        "primary_key",
        "foreign_keys",
        "row_count",
        "balance",
        "newest_window",
    }
    text = "the API counts 3 records, the replica 2"
    assert checks(service)["invoices", "row_count"] == (True, "WARN", text)
    assert service.query("select count(*) from _sync_log") == [(len(TABLE_NAMES),)]

    write(service, "delete from invoices where id = 3")
    assert "row_count failed: the API counts 3 records, the replica 1" in (
        service.check("invoices").error
    )
    assert service.query("select id from invoices") == [(1,)]


def test_checks_without_a_load_ignore_records_that_may_not_be_visible_yet(
    service: Service, billed: Emulator
) -> None:
    toml = "[[connection]]\noverlap_minutes = 60\n"
    (service.folder / "invoiced.toml").write_text(toml)
    assert service.sync("customers").error is None
    # It changed before the sync, and its transaction was committed after it.
    put(billed, "customers", 2, datetime.now(UTC) - timedelta(minutes=30))
    assert service.check("customers").success
    assert checks(service)["customers", "row_count"][2] == "the API counts 1 record, the replica 1"


def test_checks_without_a_load_name_what_they_cannot_check(
    service: Service, billed: Emulator
) -> None:
    nothing = service.check("invoices", "customers")
    assert "customers, invoices: nothing is loaded yet, materialize first" in nothing.error
    assert service.sync("customers").error is None
    assert "invoices: nothing is loaded yet" in service.check("invoices", "customers").error
    assert {table for table, _ in checks(service)} == {"customers"}
    billed.keys.clear()
    assert service.check("customers").success  # the API's counts do not apply
    assert "row_count" not in {check for _, check in checks(service)}


def test_too_many_rejects_fail_the_run_but_mark_the_table(
    service: Service, billed: Emulator
) -> None:
    put(billed, "invoices", 2, months_ago(1), total="none")
    failed = service.sync("invoices")
    assert failed.error is not None
    assert failed.error.startswith("loaded, but look: invoices: 1 of 2 records fits no column;")
    assert failed.tables["invoices"]["rows_rejected"] == 1
    assert service.marked("invoices") == KEYS
    ((run_id, reason),) = service.query("select run_id, reason from _rejected")
    assert run_id == failed.run_id
    assert reason == 'total: "none" is no decimal'
    (logged,) = service.query("select status, rows, rejected_rows, error from _sync_log")
    assert logged[:3] == ("failed", 1, 1)
    assert "fits no column" in logged[3]
    # A setting sets the limit.
    (service.folder / "invoiced.toml").write_text("[[connection]]\nreject_share = 0.6\n")
    assert service.sync("invoices", mode="full").error is None


def test_a_table_that_is_not_synced_is_late_then_stale(service: Service) -> None:
    (service.folder / "invoiced.toml").write_text("[[connection]]\nwarn_after_hours = 1.5\n")
    policy = service.definitions().resolve_asset_graph().get(service.key("plans")).freshness_policy
    assert policy is not None
    assert (policy.warn_window.to_timedelta(), policy.fail_window.to_timedelta()) == (  # type: ignore[attr-defined]
        timedelta(hours=1.5),
        timedelta(hours=48),
    )
