"""Sends units at the same time, each claimed in the ledger before, rows of one key in order."""

import logging
from collections import defaultdict, deque
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from invoiced_pipeline.exceptions import ApiError
from invoiced_pipeline.invoiced.http.writer import WriteAnswer
from invoiced_pipeline.writeback.plan.request import Unit
from invoiced_pipeline.writeback.push.ledger_session import Book
from invoiced_pipeline.writeback.push.sender import Claim, LeaseExpiredError, Sender, Sent

logger = logging.getLogger(__name__)

CLAIMED = 240
"""Units claimed, and entries written, in one transaction: as many as a crash leaves to look up."""

_MOST_FAILURES = 20
"""Requests in a row without a clear answer, after which nothing more is sent: the API is down."""


class Dispatcher:
    """Sends units; use it once per round.

    Args:
        sender: Sends one unit.
        book: Whose entries are written before and after.
        at_once: Requests at the same time.

    Attributes:
        stopped: Why sending stopped before all was sent; None where it did not.
        lost: Units whose answer was lost, in the order in which that was known.
        error: The error that no other request would have escaped, such as a wrong API key.
    """

    def __init__(self, sender: Sender, book: Book, at_once: int) -> None:
        self.stopped: str | None = None
        self.error: ApiError | None = None
        self.lost: list[Unit] = []
        self._sender = sender
        self._book = book
        self._at_once = at_once
        self._ready: deque[Unit] = deque()
        self._behind: defaultdict[str, deque[Unit]] = defaultdict(deque)
        self._busy: set[str] = set()
        self._claimed: deque[Claim] = deque()
        self._flying: dict[Future[Sent], Claim] = {}
        self._failures = 0

    def run(self, units: Iterable[Unit]) -> None:
        """Sends units; what became of each is in the book, written.

        Units of a key wait for the one before, and stay unsent where that did not succeed.
        """
        for unit in units:
            self._queue(unit)
        executor = ThreadPoolExecutor(self._at_once, thread_name_prefix="writeback")
        try:
            while self._ready or self._claimed or self._flying:
                self._claim()
                self._submit(executor)
                self._collect()
                if self._book.waiting >= CLAIMED:
                    self._book.flush()
        finally:
            executor.shutdown(cancel_futures=True)
            self._collect_rest()
            self._book.flush()

    @property
    def left(self) -> list[Unit]:
        """Units that were not sent, for one before them did not succeed; in order per key."""
        return [unit for units in self._behind.values() for unit in units]

    def _queue(self, unit: Unit) -> None:
        """Takes a unit; it waits while one of its keys is under way or waited for."""
        keys = [key for key in unit.keys if key in self._busy]
        if keys:
            self._behind[keys[0]].append(unit)
            return
        self._busy.update(unit.keys)
        self._ready.append(unit)

    def _claim(self) -> None:
        if self.stopped:
            self._ready.clear()
            return
        if not self._ready or len(self._claimed) > CLAIMED // 2:
            return
        units = [self._ready.popleft() for _ in range(min(CLAIMED, len(self._ready)))]
        self._claimed.extend(self._book.claim(units))

    def _submit(self, executor: ThreadPoolExecutor) -> None:
        if self.stopped:
            for claim in self._claimed:
                self._note(claim, _unsent(self.stopped))
            self._claimed.clear()
        while self._claimed and len(self._flying) < self._at_once:
            claim = self._claimed.popleft()
            self._flying[executor.submit(self._sender.send, claim)] = claim

    def _collect(self) -> None:
        if not self._flying:
            return
        done, _ = wait(self._flying, return_when=FIRST_COMPLETED)
        for future in done:
            self._take(future, self._flying.pop(future))

    def _collect_rest(self) -> None:
        """Notes what is known when sending ends early; what is not, stays `sent`."""
        for future, claim in self._flying.items():
            if future.cancelled():
                self._note(claim, _unsent("The push was interrupted"))
            elif future.done():
                self._take(future, claim)
        for claim in self._claimed:
            self._note(claim, _unsent("The push was interrupted"))
        self._flying.clear()
        self._claimed.clear()

    def _take(self, future: "Future[Sent]", claim: Claim) -> None:
        try:
            sent = future.result()
        except LeaseExpiredError:
            self._ready.append(claim.unit)  # claimed anew, in its old place of the order of keys
            return
        except ApiError as error:
            self.error, self.stopped = error, str(error)
            sent = _unsent(str(error))
        self._watch(sent.answer)
        self._note(claim, sent)

    def _note(self, claim: Claim, sent: Sent) -> None:
        unit = claim.unit
        self._book.note(unit, sent)
        if sent.answer.result == "ambiguous":
            self.lost.append(unit)
        self._busy.difference_update(unit.keys)
        if sent.answer.result != "succeeded":
            return
        for key in unit.keys:
            if self._behind[key]:
                self._queue(self._behind[key].popleft())

    def _watch(self, answer: WriteAnswer) -> None:
        # A row that was held back for what its record is by now says nothing of the API.
        # A 2xx without its record shows that the API is there: the record is looked up.
        is_there = answer.status is not None and answer.status < 300
        unclear = answer.result in {"ambiguous", "unsent"} and answer.param is None
        unclear = unclear and not is_there
        self._failures = self._failures + 1 if unclear else 0
        if self._failures >= _MOST_FAILURES and not self.stopped:
            self.stopped = (
                f"{self._failures} requests in a row had no clear answer, so nothing more was "
                f"sent. The last one: {answer.message}"
            )
            logger.error(self.stopped)


def _unsent(message: str) -> Sent:
    return Sent(answer=WriteAnswer(result="unsent", message=message))
