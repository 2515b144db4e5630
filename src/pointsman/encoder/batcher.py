"""Worker threads that take what waits: short texts together, everything else one at a time.

There is no timer: a text never waits for company. When a worker frees up, it takes the short texts that have
gathered meanwhile, so batches grow with the load and an idle machine answers at once.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, TypeVar

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


@dataclass(frozen=True, slots=True)
class _Alone(Generic[T]):
    work: Callable[[], T]
    future: Future[T]

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            value = self.work()
        except BaseException as error:  # noqa: BLE001  # whatever it is belongs to who waits
            self.future.set_exception(error)
        else:
            self.future.set_result(value)


class Batcher(Generic[I, V]):
    """A first-in, first-out queue in front of `threads` workers.

    `run` answers several items at once. Futures may be cancelled while they wait.
    """

    def __init__(self, *, threads: int, run: Callable[[Sequence[I]], Sequence[V]]) -> None:
        if threads < 1:
            raise ValueError(f"threads must be at least 1: {threads}")
        self._run = run
        self._lock = Lock()
        self._workers = [ThreadPoolExecutor(1, f"encoder-{number}") for number in range(threads)]
        # The one that worked last is asked first: the weights are still in its core's cache.
        self._idle = [*self._workers]
        # None is a turn for items that wait together.
        self._turns: deque[_Alone[Any] | None] = deque()
        self._waiting: deque[_Waiting[I, V]] = deque()
        self._closed = False

    def alone(self, work: Callable[[], T]) -> Future[T]:
        """Queue work that nothing may share a worker's turn with."""
        turn = _Alone(work, Future[T]())
        self._queue(turn, [])
        return turn.future

    def together(self, item: I, *, weight: int) -> Future[V]:
        """Queue an item that may be run with others; `weight` counts towards what one turn takes."""
        waiting = _Waiting(item, weight, Future[V]())
        # One turn for each item keeps the order among all work; turns that find nothing left do nothing.
        self._queue(None, [waiting])
        return waiting.future

    def close(self) -> None:
        """Drop what waits, wait for what runs, end the threads; more calls do nothing."""
        with self._lock:
            self._closed = True
            dropped = [
                *(turn.future for turn in self._turns if turn),
                *(each.future for each in self._waiting),
            ]
            self._turns.clear()
            self._waiting.clear()
        for future in dropped:
            future.cancel()
        for worker in self._workers:
            worker.shutdown(wait=True)

    def _queue(self, turn: _Alone[Any] | None, items: list[_Waiting[I, V]]) -> None:
        with self._lock:
            if self._closed:
                raise EncoderError("the encoder is closed")
            if self._idle:
                worker = self._idle[-1]
                try:
                    worker.submit(self._work, worker)
                except RuntimeError as error:
                    raise EncoderError(f"the encoder has no thread: {error}") from error
                self._idle.pop()
            self._turns.append(turn)
            self._waiting.extend(items)

    def _work(self, worker: ThreadPoolExecutor) -> None:
        """Take turns until there are none."""
        while True:
            with self._lock:
                if not self._turns:
                    self._idle.append(worker)
                    return
                turn = self._turns.popleft()
            if turn is None:
                self._turn()
            else:
                turn.run()

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
