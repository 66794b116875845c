"""One site and one browser for all tests of this folder; a failed test leaves a screenshot."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from invoiced_pipeline_tests.browser.site import Site, site

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

    from invoiced_pipeline_tests.browser.page import Page

_REPORT = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[_REPORT] = report
    return report


@pytest.fixture(scope="session")
def used_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The UI of a folder after two syncs and a write-back; tests may read it and launch runs."""
    with site(tmp_path_factory.mktemp("site")) as used:
        yield used


@pytest.fixture(scope="session")
def driver(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[WebDriver]":
    pytest.importorskip("selenium", reason="selenium is not installed: make test-browser does it")
    from invoiced_pipeline_tests.browser.page import chromium, missing_browser

    if missing := missing_browser():
        pytest.skip(missing)
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(
    driver: "WebDriver", used_site: Site, request: pytest.FixtureRequest, tmp_path: Path
) -> "Iterator[Page]":
    from invoiced_pipeline_tests.browser.page import Page

    page = Page(driver, used_site.url)
    yield page
    report = request.node.stash.get(_REPORT, None)
    if report is not None and report.failed:
        print(f"Picture of the page: {page.picture(tmp_path / 'page.png')}")  # noqa: T201
