"""The report's figures are those of the models and of `_sync_log`."""

import base64
import re
from datetime import date
from pathlib import Path

import pytest

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.models.project import END_MODELS, models_schema
from invoiced_pipeline.report import images
from invoiced_pipeline.report.colours import COLOURS
from invoiced_pipeline.report.page import render
from invoiced_pipeline.report.pictures import model_pictures
from invoiced_pipeline.report.report import NOTHING_YET, read_report
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.system_tables import write_sync_log
from invoiced_pipeline_tests.report.made_up import (
    CURRENCIES,
    DATASET,
    NASTY,
    NOW,
    Page,
    log_runs,
    make_models,
    model_rows,
    number,
)

START = date(2025, 1, 31)

FIGURES = {
    "aging": """select sum(not_due), sum(days_1_30), sum(days_31_60), sum(days_61_90),
        sum(over_90), sum(total_open), sum(overdue) from invoiced__ar_aging
        where currency = %s group by as_of_date order by as_of_date desc""",
    "overdue_customers": """select overdue, open_amount, average_days_late
        from invoiced__customer_overview where currency = %s order by overdue desc limit 10""",
    "dso": """select billed, closing, dso, best_possible_dso, dso_3m, best_possible_dso_3m
        from invoiced__ar_kpis_monthly where currency = %s order by month desc""",
    "collection_effectiveness": """select billed, collected, collection_effectiveness,
        collection_effectiveness_3m
        from invoiced__ar_kpis_monthly where currency = %s order by month desc""",
    "mrr_movements": """select opening_mrr, new_mrr, expansion_mrr, reactivated_mrr,
        contraction_mrr, churned_mrr, mrr, net_revenue_retention
        from invoiced__mrr_movements where currency = %s order by month desc""",
}
"""The figures of an exhibit's table, row by row: its last columns."""


def read(database: Database) -> str:
    return render(read_report(database, DATASET, "Acme & Co.", START, NOW))


@pytest.fixture
def full(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A warehouse with models in four currencies, for tests of tables: nothing is drawn."""
    monkeypatch.setattr(images, "svg", lambda _: "")
    make_models(database, model_rows())
    log_runs(database)
    return database


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of such a warehouse, for tests that only look at it."""
    database = DuckDbDatabase(tmp_path_factory.mktemp("report") / "warehouse.duckdb")
    make_models(database, model_rows())
    log_runs(database)
    return read(database)


def test_tables_have_the_figures_of_the_models(full: Database) -> None:
    page = Page(read(full))
    with full.session(models_schema(DATASET), read_only=True) as session:
        for currency in CURRENCIES:
            for name, sql in FIGURES.items():
                found = [[*row] for row in session.rows(sql, [currency])]
                rows = page.tables[f"receivables_{currency}-{name}"].rows
                shown = [[number(cell) for cell in row[-len(found[0]) :]] for row in rows]
                assert shown == found, (currency, name)
            cash = page.tables[f"receivables_{currency}-cash_by_method"]
            collected = session.rows(
                "select sum(case when applied_to <> 'refund' then amount end), "
                "-sum(case when applied_to = 'refund' then amount end) "
                "from invoiced__cash_receipts where currency = %s and status = 'succeeded' "
                "group by receipt_date order by receipt_date desc",
                [currency],
            )
            assert [
                *zip(cash.numbers("Received"), cash.numbers("Refunded"), strict=True)
            ] == collected
            by_method = [sum(number(cell) or 0 for cell in row[1:-2]) for row in cash.rows]
            assert by_method == cash.numbers("Received")
            due = page.tables[f"receivables_{currency}-expected_cash"]
            ((open_amount, invoices),) = session.rows(
                "select sum(open_amount), count(*) from invoiced__ar_open_items "
                "where is_today and currency = %s and not closed",
                [currency],
            )
            assert sum(due.numbers("Amount")) == open_amount
            assert sum(due.numbers("Invoices")) == invoices
        today = page.tables["receivables-aging_today"]
        owed = session.rows(
            "select upper(currency), sum(total_open), sum(overdue), sum(unapplied_cash), "
            "sum(open_credits) from invoiced__ar_aging where is_today group by currency"
        )
        headings = ("Open", "Overdue", "Unapplied cash", "Open credits")
        columns = (today.column("Currency"), *map(today.numbers, headings))
        assert sorted(zip(*columns, strict=True)) == sorted(owed)


def test_cash_is_expected_in_the_week_of_the_due_date(html: str) -> None:
    due = Page(html).tables["receivables_jpy-expected_cash"]
    invoices = dict(zip(due.column("Due"), due.column("Invoices"), strict=True))
    # NOW is a Wednesday; what is due today is not overdue.
    wanted = {"Overdue": "1", "Week of 16 Mar 2026": "1", "Week of 23 Mar 2026": "1"}
    wanted |= {"Week of 30 Mar 2026": "0", "From 11 May 2026 on": "1", "No due date": "1"}
    assert wanted.items() <= invoices.items()
    assert "JPY 1,250 of closed invoices" in html


def test_titles_tell_the_finding(html: str) -> None:
    titles = Page(html).titles
    wanted = {
        "receivables-aging_today": "Overdue share of receivables: 50% in USD, 50% in EUR, 50% in "
        "JPY and 50% in KWD",
        "receivables_jpy-aging": "JPY 15,144 is overdue, JPY 3,780 more than at the end of last "
        "month; JPY 1,566 for more than 90 days",
        "receivables_jpy-overdue_customers": f"{NASTY} owes the most: JPY 1,250 overdue; these 10 "
        "of 12 customers owe 83% of it",
        "receivables_jpy-dso": "Customers pay after 44.5 days (DSO of the last three months)",
        "receivables_jpy-collection_effectiveness": "80.5% of what was due in the last three "
        "months came in",
        "receivables_jpy-cash_by_method": "JPY 5,014 was received in Feb 2026, 50% of it by wire "
        "transfer",
        "receivables_jpy-mrr_movements": "MRR is JPY 139 on 18 Mar 2026, JPY 12 more than at the "
        "end of the month before",
        "receivables_jpy-expected_cash": "JPY 442 on 2 invoices is due by 19 Apr 2026; JPY 515 is "
        "overdue already",
        "pipeline-freshness": "2 tables are complete up to 15 Mar 2026 10:31 UTC",
        "pipeline-runs_by_day": "3 runs in 30 days loaded 2,818 rows; 1 failed",
        "pipeline-rows_by_table": "17 rows new or changed in 30 days, most in invoices (17)",
        "pipeline-rejects_and_deletions": "7 deletions found and 2 records rejected in 30 days",
        "pipeline-skipped_starts": "2 scheduled starts were skipped in 30 days",
        "pipeline-latest_runs": "1 of the last 3 runs failed",
    }
    assert {name: titles[name] for name in wanted} == wanted


def test_extractions_are_those_of_the_log(full: Database) -> None:
    tables = Page(read(full)).tables
    days = tables["pipeline-runs_by_day"]
    headings = ("Day", "Runs", "Failed", "First load", "Rows loaded")
    assert [*zip(*map(days.column, headings), strict=True)] == [
        ("18 Mar 2026", "1", "0", "0", "1"),
        ("17 Mar 2026", "1", "1", "0", "17"),
        ("15 Mar 2026", "1", "0", "2,800", "2,800"),
    ]
    runs = tables["pipeline-latest_runs"]
    assert runs.column("Run") == ["third", "second", "first"]
    assert runs.column("Time")[0] == "1 min 15 s"
    assert runs.column("Outcome") == ["succeeded", "1 table failed", "succeeded"]
    assert runs.column("Error")[1] == f"the API answered 500: {NASTY}"
    by_table = tables["pipeline-rows_by_table"]
    assert by_table.rows == [
        ["customers", "15 Mar 2026", "300", "0", "0", "0"],
        ["invoices", "15 Mar 2026", "2,500", "17", "1", "1"],
    ]
    gone = tables["pipeline-rejects_and_deletions"]
    assert gone.rows == [["customers", "0", "2"], ["invoices", "7", "0"]]
    fresh = tables["pipeline-freshness"]
    assert fresh.column("Table") == ["customers", "invoices"]
    assert fresh.column("Behind") == ["3 days", "25 h 58 min"]
    skips = tables["pipeline-skipped_starts"]
    assert skips.rows[0] == ["18 Mar 2026 08:30", "run 42 is writing"]


def test_names_are_texts_and_nothing_is_fetched(html: str) -> None:
    page = Page(html)
    assert NASTY in page.tables["receivables_usd-overdue_customers"].column("Customer")
    assert "Acme &amp; Co." in html
    assert not page.elements & {"script", "link", "img", "iframe", "object", "base"}
    assert all(link.startswith("#") for link in page.links)
    assert re.findall(r"url\(|@import|javascript:", html) == []
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert f'http-equiv="Content-Security-Policy" content="{policy}"' in html
    addresses = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r"https?://[^\"]+", html)) == addresses


def test_pictures_follow_the_readers_colours(html: str) -> None:
    pictures = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(pictures) == 1 + 7 * len(CURRENCIES) + 3
    assert {colour for each in pictures for colour in re.findall(r"#[0-9a-f]{6}", each)} == set()
    used = {name for each in pictures for name in re.findall(r"var\(--([\w-]+)\)", each)}
    assert used <= {colour.name for colour in COLOURS}
    assert len({colour.light for colour in COLOURS}) == len(COLOURS)


def test_documents_from_before_the_start_date_are_said_to_be_missing(html: str) -> None:
    assert re.search(r"not changed since before\s+31 Jan 2025, the start date, are missing", html)


def test_one_currency_and_a_customer_without_a_name(warehouse: Path) -> None:
    database = DuckDbDatabase(warehouse)
    rows = model_rows(["usd"])
    rows["invoiced__customer_overview"] = [
        row | {"customer_name": None} for row in rows["invoiced__customer_overview"][:2]
    ]
    rows["invoiced__mrr_movements"] = rows["invoiced__cash_receipts"] = []
    make_models(database, rows)
    log_runs(database)
    page = Page(read(database))
    assert page.tables["receivables-aging_today"].column("Currency") == ["USD"]
    customers = page.tables["receivables_usd-overdue_customers"]
    assert customers.column("Customer") == ["customer 1", "customer 2"]
    assert "receivables_usd-mrr_movements" not in page.tables
    assert "receivables_usd-cash_by_method" not in page.tables


def test_an_empty_account(warehouse: Path) -> None:
    database = DuckDbDatabase(warehouse)
    make_models(database, {})
    write_sync_log(database, DATASET, [])
    html = read(database)
    assert NOTHING_YET in html
    assert Page(html).titles == {
        "pipeline-freshness": "No table was loaded yet",
        "pipeline-runs_by_day": "No runs in the last 30 days",
        "pipeline-rows_by_table": "Nothing new in the last 30 days since the first loads",
        "pipeline-rejects_and_deletions": "No deletions and no rejects in 30 days",
        "pipeline-skipped_starts": "No start was skipped in 30 days",
        "pipeline-latest_runs": "No runs yet",
    }


def test_without_models_it_says_how_to_turn_them_on(warehouse: Path) -> None:
    database = DuckDbDatabase(warehouse)
    log_runs(database)
    html = read(database)
    assert "Set enabled = true under [models]" in html
    assert "run the job invoiced_models" in html
    assert "the start date" not in html
    assert all(name.startswith("pipeline-") for name in Page(html).titles)


def test_a_dataset_without_runs_is_refused(warehouse: Path) -> None:
    database = DuckDbDatabase(warehouse)
    make_models(database, {})
    with pytest.raises(WarehouseError, match="holds no runs of invoiced yet"):
        read(database)


def test_models_have_small_pictures(warehouse: Path) -> None:
    database = DuckDbDatabase(warehouse)
    make_models(database, model_rows(["usd"]))
    pictures = model_pictures(database, DATASET, NOW.date())
    assert set(pictures) == set(END_MODELS) - {"invoiced__ar_ledger"}
    for text in pictures.values():
        images = re.findall(r"!\[\w+\]\(data:image/png;base64,([^)]+)\)", text)
        assert all(base64.b64decode(image).startswith(b"\x89PNG") for image in images)
        assert all(len(image) < 60_000 for image in images)


def test_empty_models_have_no_pictures(warehouse: Path) -> None:
    database = DuckDbDatabase(warehouse)
    make_models(database, {})
    assert model_pictures(database, DATASET, NOW.date()) == {}
