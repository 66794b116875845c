"""`invoiced-pipeline sync` on a terminal: tables at any width, retries, failures and counts."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dagster as dg
import pytest
import urllib3
from rich.console import Console

from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.commands import sync
from invoiced_pipeline.warehouse.dataset import RowTotals
from invoiced_pipeline_tests.commands.screens import WIDTHS, new_screen, shown, table_lines
from invoiced_pipeline_tests.conftest import customer
from invoiced_pipeline_tests.front_door import KEY, front_door, invoiced_account
from invoiced_pipeline_tests.pseudo_terminal import run_on_terminal, starts_of


@pytest.fixture(params=WIDTHS)
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Console:
    """The command's console, of a given width."""
    console = new_screen(request.param)
    monkeypatch.setattr(sync, "console", console)
    return console


METADATA = {
    "rows_loaded": 123_456_789,
    "deleted_rows": 0,
    "requests": 1_234_567,
    "seconds": 1234.56,
    "rows_by_partition": {"2026-11-01": 1},
}


def test_columns_are_left_out_before_numbers_are_cut(screen: Console) -> None:
    tables = {name: METADATA | {"deleted_rows": name == "invoices"} for name in TABLE_NAMES}
    totals = {name: RowTotals(987_654_321, int(name == "invoices")) for name in TABLE_NAMES}
    sync.show_tables(tables, totals)
    text = "\n".join(table_lines(screen))
    for name in TABLE_NAMES:
        assert name in text
    assert text.count("123,456,789") == text.count("987,654,321") == len(TABLE_NAMES)
    assert "deleted in Invoiced (_deleted_at is set): 1 of invoices." in shown(screen)
    if screen.width == 80:
        assert "Left out for lack of room: partitions, requests" in shown(screen)
    if screen.width >= 100:
        assert text.count("1,234,567") == len(TABLE_NAMES)


def test_unknown_totals_are_left_out() -> None:
    """A busy warehouse costs a column and is no error."""
    console = new_screen(80)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync, "console", console)
        sync.show_tables({"plans": METADATA})
    assert "in total" not in shown(console)
    assert "deleted" not in shown(console)


@contextmanager
def outage() -> Iterator[str]:
    """Serves an API that is down and allows immediate retries; yields its address."""
    body = b'{"type": "api_error", "message": "There was an error.\\n\\nCorrelation ID: 1f"}'

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_an_outage_is_one_error_and_retries_appear_above_the_progress(tmp_path: Path) -> None:
    with outage() as url, front_door(tmp_path) as door:
        door.environment |= {"INVOICED_API_URL": url, "INVOICED_API_KEY": KEY}
        door.environment["INVOICED_START_DATE"] = "2025-01-01"
        said = run_on_terminal(door, "invoiced-pipeline", "sync", columns=80, status=1)
        error = "not complete: deletions and 16 tables: the API answers 503 (8 tries each); "
        error += "try again later"
        assert re.search(rf"Run [0-9a-f-]{{36}} failed: {re.escape(error)}\r?\n", said)
        assert "Correlation" not in said
        retries = starts_of(said, r"GET /[a-z_]+: the API answers 503\. Try \d of 8 in ")
        assert len(retries) >= 7 * (len(TABLE_NAMES) + 1)
        assert all(retries)
        assert said.count("✗") >= len(TABLE_NAMES)
        assert "✓" not in said

        with door.instance() as instance:  # the text that the UI shows
            (run,) = instance.get_runs()
            failures = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
            (event,) = [entry.dagster_event for entry in failures]
        assert event is not None
        told_in_ui = event.step_failure_data.user_failure_data
        assert told_in_ui is not None
        assert told_in_ui.description == error


def test_deletions_and_counts_that_differ_are_explained(tmp_path: Path) -> None:
    with invoiced_account() as account, front_door(tmp_path, account) as door:
        door.environment["INVOICED_START_DATE"] = "2020-01-01"
        an_hour_ago = account.clock.now() - 3600
        account.store.put_many("customers", [customer(n, an_hour_ago) for n in range(1, 5)])
        first = door.sync("--select", "customers,plans")
        assert re.search(r"^ customers +4 +4 ", first.out, re.MULTILINE)
        assert re.search(r"customers +4 rows, 1 page\b", first.err)
        plans = re.compile(
            r"plans: \d+ records? of all dates and versions; a sync loads those changed since "
            r"2020-01-01, one row per id"
        )

        headers = urllib3.make_headers(basic_auth=f"{KEY}:")
        gone = urllib3.request("DELETE", f"{account.url}/customers/1", headers=headers)
        assert gone.status == 204
        before = door.run("invoiced-pipeline", "check").out
        assert (
            "customers: 3 records since 2020-01-01; 4 rows in the warehouse. The API does not list "
            "1 of them: the next sync or sweep marks those deleted in Invoiced"
        ) in before
        assert plans.search(before)

        synced = door.sync("--select", "customers,plans").out
        assert re.search(r"^ customers +0 +1 +4 ", synced, re.MULTILINE)
        assert "\n0 loaded, 1 deleted in Invoiced.\n" in synced
        assert "In total includes rows of records deleted in Invoiced" in synced

        after = json.loads(door.run("invoiced-pipeline", "check", "--json").out)
        (found,) = [each for each in after if each["subject"] == "customers"]
        assert (found["records"], found["rows"], found["deleted_rows"]) == (3, 4, 1)
        assert found["detail"].endswith("; 4 rows in the warehouse, 1 deleted in Invoiced")
