"""Pages that must be requested one after the other, fetched ahead by a thread."""

import threading
from collections import deque
from collections.abc import Iterator

from invoiced_pipeline.invoiced.reading.pages import Page

MAX_PAGES_AHEAD = 40
"""Most pages of one table in memory; it limits the speed only rarely."""


class ReadAhead:
    """Runs an iterator of pages in its own thread, from now on; iterate it once.

    It does not use the threads that requests share, because it waits until its pages are taken and
    would block the others meanwhile.
    """

    def __init__(self, pages: Iterator[Page]) -> None:
        self._source = pages
        self._pages: deque[Page] = deque()
        self._ended = False
        self._abandoned = False
        self._error: Exception | None = None
        self._changed = threading.Condition()
        threading.Thread(target=self._fetch, name="invoiced-ahead", daemon=True).start()

    def __iter__(self) -> Iterator[Page | None]:
        """Yields pages; None while the next page has not arrived."""
        try:
            while not self.has_ended():
                yield self._take()
        finally:
            with self._changed:
                self._abandoned = True
                self._changed.notify_all()
        if self._error is not None:
            raise self._error

    def has_ended(self) -> bool:
        """Returns whether all pages are taken."""
        with self._changed:
            return self._ended and not self._pages

    def _take(self) -> Page | None:
        with self._changed:
            page = self._pages.popleft() if self._pages else None
            self._changed.notify_all()
            return page

    def _fetch(self) -> None:
        try:
            for page in self._source:
                with self._changed:
                    self._pages.append(page)
                    self._changed.notify_all()
                    self._changed.wait_for(self._may_go_on)
                    if self._abandoned:
                        return
        except Exception as error:  # noqa: BLE001 - raised again where the pages are taken
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _may_go_on(self) -> bool:
        return self._abandoned or len(self._pages) < MAX_PAGES_AHEAD
