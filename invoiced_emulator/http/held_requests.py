"""Requests held in the middle until a test lets them go on; nothing polls and nothing sleeps."""

import asyncio
import threading
from collections.abc import Callable

_PATIENCE = 30.0


class HeldRequests:
    """Requests that wait inside the server while their clients give up.

    faults.next("stall_before_commit", method="POST")
    with pytest.raises(httpx.ReadTimeout):
        http.post("/customers", json={"name": "A"}, timeout=0.1)
    faults.stalls.wait()      # it is being held, whatever its client thinks
    faults.stalls.release()   # it has been carried out when this returns
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: list[Callable[[], object]] = []
        self._unfinished = 0

    async def hold(self) -> None:
        """Wait, within a request, until `release`."""
        opened = asyncio.Event()
        loop = asyncio.get_running_loop()
        with self._changed:
            self._held.append(lambda: loop.call_soon_threadsafe(opened.set))
            self._unfinished += 1
            self._changed.notify_all()
        await opened.wait()

    def finished(self) -> None:
        """A held request has been carried out, as far as the account is concerned."""
        with self._changed:
            self._unfinished -= 1
            self._changed.notify_all()

    def wait(self, count: int = 1, *, seconds: float = _PATIENCE) -> None:
        """Return when so many requests are held.

        Raises:
            TimeoutError: they are not within `seconds`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._held) >= count, seconds):
                msg = f"{len(self._held)} requests are held after {seconds} s, not {count}"
                raise TimeoutError(msg)

    def release(self, *, seconds: float = _PATIENCE) -> None:
        """Let all held requests go on and return when they have been carried out.

        Raises:
            TimeoutError: they are not within `seconds`.
        """
        with self._changed:
            held, self._held = self._held, []
            for opened in held:
                opened()
            if not self._changed.wait_for(lambda: self._unfinished == 0, seconds):
                msg = f"{self._unfinished} held requests are not done {seconds} s after release"
                raise TimeoutError(msg)
