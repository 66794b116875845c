"""A headless Chromium, controlled by visible texts, links and buttons."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

WIDTH, HEIGHT = 1400, 900
LONGEST_WAIT = 300
"""Seconds until a page that does not show something counts as broken."""

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")

_FIRST_VISIBLE = """
    for (const each of document.querySelectorAll(arguments[0])) {
        const text = each.innerText ?? each.textContent;
        if (each.getClientRects().length && text.includes(arguments[1])) return each;
    }
    return null;
"""
"""One request to the browser, where a look at every element would take hundreds."""


def missing_browser() -> str | None:
    """Returns what must be installed to control a browser; None if nothing is missing."""
    if _browser() is None:
        return "no Chromium on this machine (Debian: apt-get install chromium chromium-driver)"
    if shutil.which("chromedriver") is None:
        return "no chromedriver on this machine (Debian: apt-get install chromium-driver)"
    return None


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


@contextmanager
def chromium(profile: Path) -> Iterator[WebDriver]:
    """Starts a headless browser with a new profile, as wide as a laptop's window."""
    options = webdriver.ChromeOptions()
    options.binary_location = _browser() or ""
    for argument in (
        "--headless=new",
        "--disable-gpu",
        "--disable-dev-shm-usage",  # /dev/shm is small in containers
        "--hide-scrollbars",
        "--lang=en-US",
        f"--window-size={WIDTH},{HEIGHT}",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium's sandbox refuses root, as in CI
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # With a driver's path, Selenium does not look for one in the network.
    driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "UTC"})
        yield driver
    finally:
        driver.quit()


class Page:
    """The open page.

    Args:
        driver: The browser.
        url: The site; paths are relative to it.
    """

    def __init__(self, driver: WebDriver, url: str) -> None:
        self.driver = driver
        self._url = url
        self.high(HEIGHT)

    def high(self, height: int) -> "Page":
        """Makes the page so high; long lists have only the rows that fit into it."""
        size = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        return self

    def open(self, path: str) -> "Page":
        self.driver.get(f"{self._url}{path}")
        return self

    @property
    def text(self) -> str:
        """All that can be read on the page."""
        return self.driver.execute_script("return document.body.innerText")

    def shows(self, *texts: str) -> "Page":
        """Waits until all of `texts` can be read."""

        def missing() -> list[str]:
            read = self.text
            return [text for text in texts if text not in read]

        self._wait(lambda: not missing(), lambda: f"the page does not show {missing()}")
        return self

    def hides(self, *texts: str) -> "Page":
        """Waits until none of `texts` can be read."""

        def shown() -> list[str]:
            read = self.text
            return [text for text in texts if text in read]

        self._wait(lambda: not shown(), lambda: f"the page still shows {shown()}")
        return self

    def find(self, selector: str, text: str = "") -> WebElement:
        """Waits for a visible element of a CSS selector that holds `text`."""
        what = f"no visible {selector!r}" + (f" with {text!r}" if text else "")
        return self._wait(lambda: self._found(selector, text), lambda: what)

    def metadata(self, name: str) -> str:
        """The value beside the name of a metadata entry: the second cell of three."""
        row = f"//tr[.//*[normalize-space(text())='{name}']]"
        cells = self.driver.find_element(By.XPATH, row).find_elements(By.TAG_NAME, "td")
        return cells[1].text.strip()

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """Waits for something that no page shows."""
        return self._wait(condition, lambda: f"{what}: nothing")

    def click(self, selector: str, text: str = "") -> "Page":
        """Clicks the first such element once it is enabled and nothing lies over it."""

        def clicked() -> bool:
            element = self._found(selector, text)
            if element is None or not element.is_enabled():
                return False
            element.click()
            return True

        self._wait(clicked, lambda: f"no {selector!r} with {text!r} that can be clicked")
        return self

    def top(self, selector: str, text: str = "") -> "Page":
        """Scrolls until such an element is at the top."""
        script = "arguments[0].scrollIntoView({block: 'start'})"
        self.driver.execute_script(script, self.find(selector, text))
        return self

    def settle(self) -> "Page":
        """Waits until nothing on the page is loading, and charts have ended their animation."""
        spinners = "[class*='Spinner'], [class*='spinner'], [class*='skeleton']"
        self._wait(lambda: self._found(spinners, "") is None, lambda: "the page is still loading")
        self.hides("Loading")
        last: list[str] = []

        def stands_still() -> bool:
            last.append(self.driver.get_screenshot_as_base64())
            return last[-2:-1] == last[-1:]

        self._wait(stands_still, lambda: "the page does not come to rest")
        return self

    def picture(self, path: Path) -> Path:
        """Keeps a picture of the page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.driver.save_screenshot(str(path))
        return path

    def _found(self, selector: str, text: str) -> WebElement | None:
        return self.driver.execute_script(_FIRST_VISIBLE, selector, text)

    def _wait(self, condition: Callable[[], Any], what: Callable[[], str]) -> Any:
        ignored = (StaleElementReferenceException, ElementClickInterceptedException)
        try:
            return WebDriverWait(self.driver, LONGEST_WAIT, 0.2, ignored).until(
                lambda _: condition()
            )
        except TimeoutException:
            # On a busy machine it may appear between the last look and the deadline.
            if found := condition():
                return found
            at = self.driver.current_url
            message = f"{what()} within {LONGEST_WAIT} s. {at} shows:\n{self.text[:3000]}"
            raise AssertionError(message) from None
