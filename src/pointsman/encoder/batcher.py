"""Worker threads that take what waits: short texts together, everything else one at a time.

There is no timer: a text never waits for company. When a worker frees up, it takes the short texts that have
gathered meanwhile, so batches grow with the load and an idle machine answers at once.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from pointsman.encoder.errors import EncoderError

I = TypeVar("I")  # noqa: E741  # the items
V = TypeVar("V")
T = TypeVar("T")

TEXTS = 16
WEIGHT = 1536
"""How much one worker takes at once; in characters of English about what one pass of 384 pieces holds."""


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[I, V]):
    item: I
    weight: int
    future: Future[V]


class Batcher(Generic[I, V]):
    """A first-in, first-out queue in front of `threads` workers.

    `run` answers several items at once. Futures may be cancelled while they wait.
    """

    def __init__(self, *, threads: int, run: Callable[[Sequence[I]], Sequence[V]]) -> None:
        if threads < 1:
            raise ValueError(f"threads must be at least 1: {threads}")
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="encoder")
        self._run = run
        self._lock = Lock()
        self._waiting: deque[_Waiting[I, V]] = deque()

    def alone(self, work: Callable[[], T]) -> Future[T]:
        """Queue work that nothing may share a worker's turn with."""
        try:
            return self._pool.submit(work)
        except RuntimeError as error:
            raise EncoderError("the encoder is closed") from error

    def together(self, item: I, *, weight: int) -> Future[V]:
        """Queue an item that may be run with others; `weight` counts towards what one turn takes."""
        waiting = _Waiting(item, weight, Future[V]())
        with self._lock:
            self._waiting.append(waiting)
        # One turn for each item keeps the order among all work; turns that find nothing left do nothing.
        self.alone(self._turn)
        return waiting.future

    def close(self) -> None:
        """Drop what waits, wait for what runs, end the threads; more calls do nothing."""
        with self._lock:
            dropped = [*self._waiting]
            self._waiting.clear()
        for waiting in dropped:
            waiting.future.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _turn(self) -> None:
        taken = [waiting for waiting in self._take() if waiting.future.set_running_or_notify_cancel()]
        if not taken:
            return
        try:
            values = self._run([waiting.item for waiting in taken])
        except Exception as error:  # noqa: BLE001  # whatever it is belongs to those who wait
            self._failed(taken, error)
            return
        for waiting, value in zip(taken, values, strict=True):
            waiting.future.set_result(value)

    def _failed(self, taken: list[_Waiting[I, V]], error: Exception) -> None:
        """Give the error to the one who caused it, which only one try each can tell."""
        if len(taken) == 1:
            taken[0].future.set_exception(error)
            return
        for waiting in taken:
            try:
                waiting.future.set_result(self._run([waiting.item])[0])
            except Exception as cause:  # noqa: BLE001  # as above
                waiting.future.set_exception(cause)

    def _take(self) -> list[_Waiting[I, V]]:
        with self._lock:
            taken: list[_Waiting[I, V]] = []
            weight = 0
            while self._waiting and len(taken) < TEXTS:
                weight += self._waiting[0].weight
                if taken and weight > WEIGHT:
                    break
                taken.append(self._waiting.popleft())
            return taken
