"""The report in a real browser: it fetches nothing, fits a phone, and follows light and dark."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from invoiced_pipeline.report.page import render
from invoiced_pipeline.report.report import read_report
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
)

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

pytestmark = pytest.mark.browser

_TABLES = """
    return Object.fromEntries([...document.querySelectorAll('figure')].map(figure => [
        figure.id, [...figure.querySelectorAll('tr')].map(
            row => [...row.cells].map(cell => cell.textContent))]))
"""


@pytest.fixture(scope="module", params=["four currencies", "an empty account"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report's file."""
    folder = tmp_path_factory.mktemp("report")
    database = DuckDbDatabase(folder / "warehouse.duckdb")
    if request.param == "four currencies":
        make_models(database, model_rows())
        log_runs(database)
    else:
        make_models(database, {})
        write_sync_log(database, DATASET, [])
    path = folder / "report.html"
    report = read_report(database, DATASET, "Acme", NOW.date(), NOW)
    path.write_text(render(report), encoding="utf-8")
    return path


@pytest.fixture
def opened(driver: "WebDriver", page: Path) -> "Iterator[WebDriver]":
    """The browser with the report, whose requests it has noted."""
    driver.get("about:blank")
    driver.execute_cdp_cmd("Network.enable", {})
    driver.get_log("browser")
    driver.get_log("performance")
    driver.get(page.as_uri())
    yield driver
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_no_request_leaves_the_file(opened: "WebDriver", page: Path) -> None:
    messages = [json.loads(each["message"])["message"] for each in opened.get_log("performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [page.as_uri()]
    assert opened.get_log("browser") == []
    assert opened.execute_script("return document.scripts.length") == 0


def test_the_browser_reads_the_same_tables(opened: "WebDriver", page: Path) -> None:
    found: dict[str, Any] = opened.execute_script(_TABLES)
    wanted = Page(page.read_text(encoding="utf-8"))
    assert set(found) == set(wanted.titles)
    for name, table in wanted.tables.items():
        assert found[name] == [table.headings, *table.rows]
    if len(found) > 6:
        assert NASTY in {row[0] for row in found["receivables_usd-overdue_customers"]}
        pictures = opened.execute_script("return document.querySelectorAll('svg').length")
        assert pictures == 1 + 7 * len(CURRENCIES) + 3


def test_it_follows_light_and_dark(opened: "WebDriver") -> None:
    found = {}
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        found[scheme] = {
            selector: _brightness(opened, selector, style)
            for selector, style in (
                ("body", "backgroundColor"), ("figure", "backgroundColor"), ("h1", "color"),
                ("svg text", "fill"),
            )
            if opened.find_elements("css selector", selector)
        }  # fmt: skip
    light, dark = found["light"], found["dark"]
    assert min(light["body"], light["figure"]) > 230
    assert max(dark["body"], dark["figure"]) < 50
    assert light["h1"] < 60
    assert dark["h1"] > 200
    assert light.get("svg text", 0) < 130 < dark.get("svg text", 255)


def _brightness(driver: "WebDriver", selector: str, style: str) -> float:
    """The mean of red, green and blue."""
    script = """
        const style = getComputedStyle(document.querySelector(arguments[0]));
        return style[arguments[1]].match(/\\d+/g).map(Number)
    """
    return sum(driver.execute_script(script, selector, style)[:3]) / 3


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_it_fits_the_screen(opened: "WebDriver", width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert opened.execute_script("return document.documentElement.scrollWidth") <= width
    edges = "[...document.querySelectorAll('svg')].map(each => each.getBoundingClientRect().right)"
    assert all(right <= width for right in opened.execute_script(f"return {edges}"))
