"""A bounded queue of passes in which everyone who asks the same question waits for the same answer."""

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import partial
from threading import RLock
from typing import Any, Generic, TypeVar

from pointsman.encoder.errors import EncoderBusy, EncoderError

V = TypeVar("V")


@dataclass(slots=True)
class _Pass(Generic[V]):
    future: Future[V]
    waiters: int = 0


class SharedPasses:
    """Starts work once for each key, however many callers want it.

    At most `max_pending` passes wait or run at any time. A caller that goes away disturbs nobody; when the
    last one interested goes away before its pass began, the pass is dropped, so that an overload of
    expired requests is not worked off for nobody.
    """

    def __init__(self, *, max_pending: int) -> None:
        if max_pending < 1:
            raise ValueError(f"max_pending must be at least 1: {max_pending}")
        self._max_pending = max_pending
        # Reentrant: cancelling a future under the lock calls back into _forget.
        self._lock = RLock()
        self._passes: dict[bytes, _Pass[Any]] = {}
        self._closed = False

    @property
    def pending(self) -> int:
        """How many passes wait or run."""
        return len(self._passes)

    async def result(self, key: bytes, start: Callable[[], Future[V]]) -> V:
        """Wait for the pass named `key`, queueing it with `start` if it is not under way.

        Raises EncoderBusy when a new pass would be one too many, EncoderError when closed, and whatever
        the pass raises.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        joined = self._join(key, start)
        try:
            joined.future.add_done_callback(partial(_wake, loop, done))
            await done
            return joined.future.result()
        except CancelledError as error:
            raise EncoderError("the encoder was closed") from error
        finally:
            self._leave(joined)

    def close(self) -> None:
        """Start no more passes."""
        with self._lock:
            self._closed = True

    def _join(self, key: bytes, start: Callable[[], Future[V]]) -> _Pass[V]:
        with self._lock:
            found = self._passes.get(key)
            if found is None:
                if self._closed:
                    raise EncoderError("the encoder is closed")
                if len(self._passes) >= self._max_pending:
                    raise EncoderBusy(f"{self._max_pending} encoder passes are already waiting or running")
                found = self._passes[key] = _Pass(start())
                found.future.add_done_callback(partial(self._forget, key))
            found.waiters += 1
            return found

    def _leave(self, joined: _Pass[V]) -> None:
        with self._lock:
            joined.waiters -= 1
            if joined.waiters == 0:
                joined.future.cancel()

    def _forget(self, key: bytes, future: Future[V]) -> None:
        with self._lock:
            found = self._passes.get(key)
            if found is not None and found.future is future:
                del self._passes[key]


def _wake(loop: asyncio.AbstractEventLoop, done: asyncio.Future[None], _: object) -> None:
    try:
        loop.call_soon_threadsafe(_settle, done)
    except RuntimeError:
        # The waiter's loop has ended, and the waiter with it.
        return


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
