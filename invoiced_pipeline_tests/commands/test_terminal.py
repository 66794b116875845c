"""What people read in the terminal: tables at any width, retries, failures and counts."""

import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import dagster as dg
import pytest
import urllib3
from rich.console import Console
from typer.testing import CliRunner

from invoiced_pipeline import terminal
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.cli import app
from invoiced_pipeline.commands.amounts import amount_text
from invoiced_pipeline.commands.tables import Grid
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.failure_list import Failure, failure_lines, under_headings
from invoiced_pipeline.warehouse.dataset import RowTotals
from invoiced_pipeline.warehouse.sample_queries import Answer
from invoiced_pipeline_tests.conftest import customer
from invoiced_pipeline_tests.front_door import KEY, front_door, invoiced_account
from invoiced_pipeline_tests.pseudo_terminal import run_on_terminal, starts_of

PIPED = 100_000
WIDTHS = [40, 60, 80, 100, 140, PIPED]


@pytest.fixture(params=WIDTHS)
def screen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Console:
    """The console of all commands, of a given width; what it shows is in its file."""
    console = Console(width=request.param, file=io.StringIO())
    monkeypatch.setattr(terminal, "console", console)
    return console


def shown(screen: Console) -> str:
    assert isinstance(screen.file, io.StringIO)
    text = screen.file.getvalue()
    assert "…" not in text
    return text


def table_lines(screen: Console) -> list[str]:
    lines = [line for line in shown(screen).splitlines() if line.startswith(" ")]
    assert all(len(line) <= screen.width for line in lines)
    return lines


AGING = Answer(
    "Receivables aging",
    ("currency", "invoices", "not due", "1-30 days", "31-60", "61-90", "over 90"),
    [
        ("usd", 123_456, *[Decimal("5803525123.4500000000")] * 5),
        ("jpy", 2, Decimal("1234567890.0000000000"), None, None, None, Decimal(0)),
        ("kwd", 3, Decimal("1234.5675000000"), None, None, None, Decimal("1234567.125")),
    ],
)


def test_amounts_are_whole_at_any_width(screen: Console) -> None:
    terminal.show_answer(AGING)
    text = "\n".join(table_lines(screen))
    assert text.count("5,803,525,123.45") == 5
    assert re.search(r"1,234,567,890\s", text)  # yen
    assert "1,234.568" in text
    assert "1,234,567.125" in text
    for heading in AGING.columns:
        assert heading in text


def test_names_are_whole_and_may_hold_anything(screen: Console) -> None:
    name = "Lindenhof [bold] Gardens and Company of the Northern Territories"
    rows = [(name, "usd", 7, Decimal("162113.25"))] * 2
    terminal.show_answer(Answer("Largest", ("customer", "currency", "invoices", "open"), rows))
    lines = table_lines(screen)
    assert all(any(word in line for line in lines) for word in name.split())
    assert sum("162,113.25" in line for line in lines) == 2


METADATA = {
    "rows_loaded": 123_456_789,
    "deleted_rows": 0,
    "requests": 1_234_567,
    "seconds": 1234.56,
    "rows_by_partition": {"2026-11-01": 1},
}


def test_sync_leaves_out_columns_before_it_cuts_numbers(screen: Console) -> None:
    tables = {name: METADATA | {"deleted_rows": name == "invoices"} for name in TABLE_NAMES}
    totals = {name: RowTotals(987_654_321, int(name == "invoices")) for name in TABLE_NAMES}
    terminal.show_sync(tables, totals)
    text = "\n".join(table_lines(screen))
    for name in TABLE_NAMES:
        assert name in text
    assert text.count("123,456,789") == text.count("987,654,321") == len(TABLE_NAMES)
    assert "deleted in Invoiced (_deleted_at is set): 1 of invoices." in shown(screen)
    if screen.width == 80:
        assert "Left out for lack of room: partitions, requests" in shown(screen)
    if screen.width >= 100:
        assert text.count("1,234,567") == len(TABLE_NAMES)


def test_sync_shows_what_is_known() -> None:
    """A run that records no totals, or a warehouse that is busy, costs a column and no error."""
    console = Console(width=80, file=io.StringIO())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal, "console", console)
        terminal.show_sync({"plans": METADATA})
    assert "in total" not in shown(console)
    assert "deleted" not in shown(console)


def test_a_table_too_wide_for_its_columns_becomes_blocks() -> None:
    console = Console(width=40, file=io.StringIO())
    grid = Grid("Wide", optional=("c",))
    for heading in "abc":
        grid.add_column(heading, justify="right")
    grid.add_row("1" * 20, "2" * 20, "3" * 20)
    console.print(grid)
    lines = [line.split() for line in shown(console).splitlines()]
    assert ["a", "1" * 20] in lines
    assert ["c", "3" * 20] in lines


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234567.5", "jpy", "1,234,568"),
        ("0.125", "USD", "0.13"),
        ("0.1255", "kwd", "0.126"),
        ("-1234.5", "eur", "-1,234.50"),
        ("1.5", None, "1.50"),
        ("1.5", "unknown", "1.50"),
        (
            "9999999999999999999999999999.0123456789",
            "usd",
            "9,999,999,999,999,999,999,999,999,999.01",
        ),
    ],
)
def test_amounts_have_the_decimals_of_their_currency(
    amount: str, currency: str | None, text: str
) -> None:
    assert amount_text(Decimal(amount), currency) == text


def test_singular_and_plural() -> None:
    assert [counted(n, "row") for n in (0, 1, 2, 1204)] == [
        "0 rows",
        "1 row",
        "2 rows",
        "1,204 rows",
    ]
    assert counted(2, "record fits", "records fit") == "2 records fit"


def test_equal_errors_are_told_once_and_others_one_per_line() -> None:
    cause = "the API answers 503 (8 tries each); try again later"
    same = [Failure(name, f"GET /{name} answered 503", cause) for name in TABLE_NAMES]
    assert failure_lines(same) == [f"9 tables: {cause}"]
    assert failure_lines(same[:1]) == ["customers: GET /customers answered 503"]
    feed = Failure("deletions", "GET /events answered 503", cause, is_table=False)
    assert failure_lines([feed, *same]) == [f"deletions and 9 tables: {cause}"]
    other = Failure("plans", "the answer breaks off")
    assert failure_lines([*same[:2], other]) == [
        f"2 tables (customers, invoices): {cause}",
        "plans: the answer breaks off",
    ]
    assert (
        under_headings([("not complete", ["a: x"]), ("loaded, but look", [])])
        == "not complete: a: x"
    )
    assert under_headings([("not complete", ["a: x", "b: y"]), ("loaded, but look", ["c: z"])]) == (
        "not complete:\n  a: x\n  b: y\nloaded, but look: c: z"
    )


def test_version() -> None:
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.output) == (0, "invoiced-pipeline 0.1.0\n")


@contextmanager
def outage() -> Iterator[str]:
    """An API that is down, and lets every request be tried again at once; gives its address."""
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


def test_an_outage_is_one_error_and_retries_stand_above_the_progress(tmp_path: Path) -> None:
    with outage() as url, front_door(tmp_path) as door:
        door.environment |= {"INVOICED_API_URL": url, "INVOICED_API_KEY": KEY}
        door.environment["INVOICED_START_DATE"] = "2025-01-01"
        said = run_on_terminal(door, "invoiced-pipeline", "sync", columns=80, status=1)
        error = "not complete: deletions and 9 tables: the API answers 503 (8 tries each); "
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
            "1 of them: the next sync or sweep marks what was deleted"
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
