"""Sends requests in parallel: each is claimed in the ledger first; rows of one key go in order."""

import logging
from collections import defaultdict, deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from invoiced_pipeline.exceptions import ApiError
from invoiced_pipeline.invoiced.http.writer import WriteResult
from invoiced_pipeline.writeback.plan.request import OutgoingRequest
from invoiced_pipeline.writeback.push.ledger_session import LedgerSession
from invoiced_pipeline.writeback.push.sender import Claim, LeaseExpiredError, Sender, SendResult

logger = logging.getLogger(__name__)

_REQUESTS_PER_CLAIM = 240
"""Requests claimed, and entries written, in one transaction. A crash leaves at most as many
outcomes to look up."""

_MAX_FAILURES = 20
"""Requests in a row without a clear response, after which nothing more is sent: the API is down."""


class Dispatcher:
    """Sends requests; used once per round.

    Claimed requests wait in the executor's queue: they are sent while this thread writes the
    ledger.

    Args:
        sender: Sends one request.
        ledger: Its entries are written before and after each request.
        at_once: Requests in parallel.

    Attributes:
        stopped: Why sending stopped before everything was sent; None where it did not.
        lost: Requests whose response was lost, in the order in which that was known.
        error: An error that every other request would meet, too, such as a wrong API key.
    """

    def __init__(self, sender: Sender, ledger: LedgerSession, at_once: int) -> None:
        self.stopped: str | None = None
        self.error: ApiError | None = None
        self.lost: list[OutgoingRequest] = []
        self._sender = sender
        self._ledger = ledger
        self._at_once = at_once
        self._ready: deque[OutgoingRequest] = deque()
        self._behind: defaultdict[str, deque[OutgoingRequest]] = defaultdict(deque)
        self._busy_keys: set[str] = set()
        self._claims: deque[Claim] = deque()
        self._submitted: dict[Future[SendResult], Claim] = {}
        self._done: SimpleQueue[Future[SendResult]] = SimpleQueue()
        self._failures = 0

    def run(self, requests: Iterable[OutgoingRequest]) -> None:
        """Sends requests, and writes what became of each to the ledger.

        A request waits for the one before it with the same key, and is not sent if that one fails.
        """
        for request in requests:
            self._queue(request)
        executor = ThreadPoolExecutor(self._at_once, thread_name_prefix="writeback")
        try:
            while self._ready or self._submitted:
                self._submit(executor)
                self._collect()
                if self._ledger.waiting >= _REQUESTS_PER_CLAIM:
                    self._ledger.flush()
        finally:
            executor.shutdown(cancel_futures=True)
            self._collect_rest()
            self._ledger.flush()

    @property
    def unsent(self) -> list[OutgoingRequest]:
        """Requests not sent because the one before them did not succeed; in order per key."""
        return [request for requests in self._behind.values() for request in requests]

    def _queue(self, request: OutgoingRequest) -> None:
        """Queues a request; it waits while another one with one of its keys is queued or sent."""
        busy = [key for key in request.keys if key in self._busy_keys]
        if busy:
            self._behind[busy[0]].append(request)
            return
        self._busy_keys.update(request.keys)
        self._ready.append(request)

    def _submit(self, executor: ThreadPoolExecutor) -> None:
        """Claims requests and queues them, before the executor runs out of them."""
        if self.stopped:
            self._ready.clear()
            for future in self._submitted:
                future.cancel()  # those that are not being sent yet
            return
        if not self._ready or len(self._submitted) > _REQUESTS_PER_CLAIM // 2:
            return
        count = min(_REQUESTS_PER_CLAIM, len(self._ready))
        self._claims.extend(self._ledger.claim([self._ready.popleft() for _ in range(count)]))
        while self._claims:
            claim = self._claims.popleft()  # first: what may have been sent is no longer here
            future = executor.submit(self._sender.send, claim)
            self._submitted[future] = claim
            future.add_done_callback(self._done.put)

    def _collect(self) -> None:
        """Waits for a response, and notes all that have arrived."""
        if not self._submitted:
            return
        self._take(self._done.get())
        while not self._done.empty():
            self._take(self._done.get())

    def _collect_rest(self) -> None:
        """Notes what is known when sending ends early; the rest stays `sent` in the ledger."""
        for future in [each for each in self._submitted if each.done()]:
            self._take(future)
        self._submitted.clear()
        for claim in self._claims:
            self._note(claim, _unsent("The push was interrupted"))
        self._claims.clear()

    def _take(self, future: "Future[SendResult]") -> None:
        claim = self._submitted.pop(future)
        if future.cancelled():
            self._note(claim, _unsent(self.stopped or "The push was interrupted"))
            return
        try:
            sent = future.result()
        except LeaseExpiredError:
            self._ready.append(claim.request)  # its keys stay busy, so the order per key holds
            return
        except ApiError as error:
            self.error, self.stopped = error, str(error)
            sent = _unsent(str(error))
        self._count_failures(sent.result)
        self._note(claim, sent)

    def _note(self, claim: Claim, sent: SendResult) -> None:
        request = claim.request
        self._ledger.note(request, sent)
        if sent.result.kind == "ambiguous":
            self.lost.append(request)
        self._busy_keys.difference_update(request.keys)
        if sent.result.kind != "succeeded":
            return
        for key in request.keys:
            if self._behind[key]:
                self._queue(self._behind[key].popleft())

    def _count_failures(self, result: WriteResult) -> None:
        # A row that is not sent because its record changed (`param`) says nothing about the API. A
        # 2xx without its record shows that the API is up: the record is looked up.
        is_up = result.status is not None and result.status < 300
        is_unclear = result.kind in {"ambiguous", "unsent"} and result.param is None and not is_up
        self._failures = self._failures + 1 if is_unclear else 0
        if self._failures >= _MAX_FAILURES and not self.stopped:
            self.stopped = (
                f"{self._failures} requests in a row had no clear response, so nothing more was "
                f"sent. The last one: {result.message}"
            )
            logger.error(self.stopped)


def _unsent(message: str) -> SendResult:
    return SendResult(result=WriteResult(kind="unsent", message=message))
