"""Holds requests in the middle until a test releases them, without polling."""

import asyncio
import threading
from collections.abc import Callable

_PATIENCE = 30.0


class HeldRequests:
    """Requests that wait inside the server, for example while their clients time out.

    faults.next("stall_before_commit", method="POST")
    with pytest.raises(httpx.ReadTimeout):
        http.post("/customers", json={"name": "A"}, timeout=0.1)
    faults.stalls.wait()      # held, although its client gave up
    faults.stalls.release()   # handled when this returns
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: list[Callable[[], object]] = []
        self._unfinished = 0

    async def hold(self) -> None:
        """Waits, within a request, until `release`."""
        opened = asyncio.Event()
        loop = asyncio.get_running_loop()
        with self._changed:
            self._held.append(lambda: loop.call_soon_threadsafe(opened.set))
            self._unfinished += 1
            self._changed.notify_all()
        await opened.wait()

    def finished(self) -> None:
        """Reports that a held request is handled."""
        with self._changed:
            self._unfinished -= 1
            self._changed.notify_all()

    def wait(self, count: int = 1, *, seconds: float = _PATIENCE) -> None:
        """Waits until so many requests are held.

        Raises:
            TimeoutError: That takes longer than `seconds`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._held) >= count, seconds):
                msg = f"{len(self._held)} requests are held after {seconds} s, not {count}"
                raise TimeoutError(msg)

    def release(self, *, seconds: float = _PATIENCE) -> None:
        """Releases all held requests and waits until they are handled.

        Raises:
            TimeoutError: That takes longer than `seconds`.
        """
        with self._changed:
            held, self._held = self._held, []
            for opened in held:
                opened()
            if not self._changed.wait_for(lambda: self._unfinished == 0, seconds):
                msg = f"{self._unfinished} held requests are not done {seconds} s after release"
                raise TimeoutError(msg)
