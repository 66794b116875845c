"""Makes the documentation's pictures of Dagster's UI and of the report: `make screenshots`."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from invoiced_pipeline_tests.browser.page import Page, chromium, missing_browser
from invoiced_pipeline_tests.browser.site import WRITEBACK, site
from invoiced_pipeline_tests.front_door import front_door, invoiced_account

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

_MOST_BYTES = 200_000
_INVOICES = "/assets/invoiced/invoices"


def overview(page: Page) -> None:
    page.open("/overview").click("button", "1hr").shows("invoiced_sync")


def jobs(page: Page) -> None:
    page.open("/jobs").shows("invoiced_sync", f"writeback_{WRITEBACK}", " ago")


def catalog(page: Page) -> None:
    page.open("/assets").shows("invoiced / customers").hides("- partitions")


def lineage(page: Page) -> None:
    page.open("/asset-groups").shows("invoiced_account", "invoices__items", "payments__applied_to")


def asset(page: Page) -> None:
    page.open(_INVOICES).shows("Latest materialization", "Passing", "decimal(38,10)")


def plots(page: Page) -> None:
    page.open(_INVOICES).click("button", "Plots").top("button", "Metadata").find("canvas")


def partitions(page: Page) -> None:
    page.open(f"{_INVOICES}?view=partitions").click("[class*='Row'], a, button", "-01")
    page.shows("Latest materialization", "Metadata")


PICTURES: tuple[Callable[[Page], None], ...] = (
    overview,
    jobs,
    catalog,
    lineage,
    asset,
    plots,
    partitions,
)


def report(driver: "WebDriver", folder: Path) -> Page:
    """Shows the report of an account as large as the demo's."""
    with invoiced_account(customers=300) as account, front_door(folder, account) as door:
        door.environment |= {"INVOICED_START_DATE": "2024-01-01", "DAGSTER_HOME": str(folder)}
        (folder / "invoiced.toml").write_text("[models]\nenabled = true\n")
        door.sync()
        door.run("invoiced-pipeline", "report", "--output", "report.html")
    return Page(driver, (folder / "report.html").as_uri()).open("")


def main(folder: Path) -> None:
    """Writes one PNG per page into `folder`."""
    if missing := missing_browser():
        sys.exit(missing)
    with (
        tempfile.TemporaryDirectory() as home,
        site(Path(home) / "site") as used,
        chromium(Path(home) / "profile") as driver,
    ):
        page = Page(driver, used.url)
        for show in PICTURES:
            show(page)
            keep(page.settle(), folder / f"{show.__name__}.png")
        keep(report(driver, Path(home) / "report"), folder / "report.png")


def keep(page: Page, path: Path) -> None:
    """Writes a picture, which must not be too large."""
    size = page.picture(path).stat().st_size
    print(f"{path}: {size / 1000:.0f} kB")  # noqa: T201 - a command
    if size > _MOST_BYTES:
        sys.exit(f"{path} has more than {_MOST_BYTES / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
