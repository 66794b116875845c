"""Pages of Dagster's UI after two syncs and a push by command."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline_tests.browser.site import WRITEBACK, Site

if TYPE_CHECKING:
    from invoiced_pipeline_tests.browser.page import Page

pytestmark = pytest.mark.browser

JOBS = "/locations/invoiced_pipeline/jobs"
INVOICES = "/assets/invoiced/invoices"

_WHOLE_LIST = 6000
"""Pixels in which all assets find room."""


def test_overview_lists_the_runs_of_commands(page: "Page") -> None:
    page.open("/overview").shows("invoiced_pipeline", "invoiced_sync", f"writeback_{WRITEBACK}")
    page.hides("No runs or scheduled ticks")


def test_jobs_show_when_they_last_ran(page: "Page") -> None:
    page.open("/jobs").shows("invoiced_pipeline", "invoiced_sync", "invoiced_sweep")
    # The sync and the write-back have run, the sweep has not.
    page.wait_for(lambda: page.text.count(" ago") == 2, "two jobs that ran some time ago")


def test_a_job_lists_its_runs(page: "Page", used_site: Site) -> None:
    page.open(f"{JOBS}/invoiced_sync/runs").shows("invoiced_sync", "Success")
    page.hides("No runs", "not materialized any assets")
    with used_site.door.instance() as instance:
        runs = [run.run_id[:8] for run in instance.get_runs() if run.job_name == "invoiced_sync"]
    assert len(runs) == 2
    page.shows(*runs)
    page.open(f"{JOBS}/writeback_{WRITEBACK}/runs").shows("Success")


def test_catalog_lists_every_table(page: "Page") -> None:
    page.high(_WHOLE_LIST).open("/assets").shows(
        *(f"invoiced / {name}" for name in TABLE_NAMES), "Code location"
    )
    page.hides("Failed", "Overdue")


def test_lineage_goes_from_account_to_tables_to_write_backs(page: "Page") -> None:
    page.high(_WHOLE_LIST).open("/asset-groups").shows(
        "invoiced_account",
        *TABLE_NAMES,
        "invoices__items",
        "payments__applied_to",
        f"writeback_{WRITEBACK}",
        "invoiced_account_writes",
    )


def test_an_assets_lineage_names_its_neighbours(page: "Page") -> None:
    page.open(f"{INVOICES}?view=lineage").shows("invoices", "100% filled")
    page.shows("invoiced_account", "invoices__items", f"writeback_{WRITEBACK}")


def test_an_assets_overview_shows_its_state(page: "Page") -> None:
    page.open(INVOICES).shows(
        "Latest materialization",
        "Freshness policy",
        "Passing",
        "Invoices: what customers owe",
        "decimal(38,10)",
        "What is still owed",
        "invoiced_sync",
        "Every hour",
        "invoiced.customers.id",
    )


def test_partitions_show_their_own_rows(page: "Page", used_site: Site) -> None:
    found = used_site.door.query(
        "select date_trunc('month', updated_at at time zone 'UTC') as month, count(*) "
        "from invoices group by month order by month"
    )
    counts = {f"{month:%Y-%m-%d}": count for month, count in found}
    assert len(set(counts.values())) > 1
    for key in list(counts)[-3:]:
        page.open(f"{INVOICES}?view=partitions&partition={key}")
        page.shows(key, "Latest materialization", "dagster/partition_row_count")
        assert page.metadata("dagster/partition_row_count") == str(counts[key])


def test_plots_have_rows_by_month(page: "Page") -> None:
    page.open(INVOICES).click("button", "Plots")
    page.shows("dagster/partition_row_count", "seconds", "When graphing values by partition")
    page.find("canvas")


def test_checks_passed(page: "Page") -> None:
    page.open(f"{INVOICES}?view=checks")
    page.shows("Checks (", "balance", "foreign_keys", "newest_window", "primary_key", "row_count")
    page.shows("Evaluation result", "Passed", "records add up").hides("Failed", "Execution failed")


def test_the_runs_page_shows_results(page: "Page") -> None:
    today = datetime.now(UTC)
    page.open("/runs").shows("invoiced_sync", f"writeback_{WRITEBACK}", "Success", f"{today:%b}")
    page.hides("Started", "Failure")
