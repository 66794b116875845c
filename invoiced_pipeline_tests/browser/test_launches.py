"""Runs that a person launches in Dagster's UI, and their results."""

from typing import TYPE_CHECKING

import pytest

from invoiced_pipeline_tests.browser.site import WRITEBACK, Site

if TYPE_CHECKING:
    from invoiced_pipeline_tests.browser.page import Page

pytestmark = pytest.mark.browser


_BUSINESS = 3
"""Requests with which people changed the account: a customer, an invoice and a payment."""


def test_materializing_one_partition(page: "Page", used_site: Site) -> None:
    before = used_site.runs()
    page.open("/assets/invoiced/customers").click("button", "Materialize…")
    page.shows("Launch runs to materialize").click("button", "Latest")
    page.click("button", "Launch 1 run")
    # The page must stay open until it has launched the run.
    (run,) = page.wait_for(lambda: used_site.runs() - before, "a new run")

    page.open(f"/runs/{run}").shows("Success", "ASSET_MATERIALIZATION", "Finished execution of run")
    page.hides("Failure")
    page.open("/assets/invoiced/customers?view=events").shows(run[:8], "rows_loaded")


def test_a_write_backs_dry_run_shows_the_plan_and_sends_nothing(
    page: "Page", used_site: Site
) -> None:
    page.open(f"/locations/invoiced_pipeline/jobs/writeback_{WRITEBACK}/playground")
    page.shows("dry_run: true").click("button", "Launch Run")
    page.shows("Success", "rows_to_update", "Finished execution of run")
    page.click("a, button, [class*='Link']", "Show schema").shows("Method and path.")

    sent = [method for method, _, _, _ in used_site.account.requests if method != "GET"]
    ((attempts,),) = used_site.door.query("select sum(attempts) from _writeback_ledger")
    assert attempts > 0
    assert len(sent) == attempts + _BUSINESS
