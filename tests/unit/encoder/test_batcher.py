import threading
from collections.abc import Sequence
from concurrent.futures import Future, wait

import pytest

from pointsman.encoder import EncoderError
from pointsman.encoder.batcher import TEXTS, WEIGHT, Batcher


class Worker:
    """Runs batches, and remembers them."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        if 13 in items:
            raise OSError("unlucky")
        return [10 * item for item in items]


class Held:
    """A batcher of one worker that is busy until the test lets it go."""

    def __init__(self) -> None:
        self.worker = Worker()
        self.batcher = Batcher[int, int](threads=1, run=self.worker)
        self.gate = threading.Event()
        begun = threading.Event()
        self.busy = self.batcher.alone(lambda: (begun.set(), self.gate.wait(60)))
        assert begun.wait(60)

    def finish(self, futures: Sequence[Future[int]]) -> None:
        self.gate.set()
        wait(futures, 60)
        self.batcher.close()


def test_an_idle_worker_takes_one_item_at_once() -> None:
    """Nobody waits for company."""
    worker = Worker()
    batcher = Batcher[int, int](threads=1, run=worker)
    assert batcher.together(4, weight=1).result(60) == 40
    assert worker.batches == [[4]]
    batcher.close()


def test_what_gathered_while_the_worker_was_busy_runs_together() -> None:
    """Items that wait are taken in order, up to the most texts of a turn, and get their own answers."""
    held = Held()
    futures = [held.batcher.together(number, weight=1) for number in range(100, 100 + TEXTS + 4)]
    held.finish(futures)
    assert [future.result() for future in futures] == [10 * number for number in range(100, 120)]
    assert held.worker.batches == [list(range(100, 100 + TEXTS)), list(range(100 + TEXTS, 120))]


def test_a_turn_takes_no_more_than_its_weight() -> None:
    """Heavy items are split over turns, and one that is too heavy by itself still runs."""
    held = Held()
    weights = (WEIGHT // 2, WEIGHT // 2, 1, 2 * WEIGHT)
    futures = [held.batcher.together(n, weight=weight) for n, weight in enumerate(weights)]
    held.finish(futures)
    assert held.worker.batches == [[0, 1], [2], [3]]


def test_an_item_nobody_wants_any_more_is_left_out() -> None:
    """A future cancelled while it waits costs nothing."""
    held = Held()
    futures = [held.batcher.together(number, weight=1) for number in (1, 2, 3)]
    assert futures[1].cancel()
    held.finish([futures[0], futures[2]])
    assert held.worker.batches == [[1, 3]]


def test_one_bad_item_fails_alone() -> None:
    """When a batch fails, its items are tried one by one and only the guilty one gets the error."""
    held = Held()
    futures = [held.batcher.together(number, weight=1) for number in (12, 13, 14)]
    held.finish(futures)
    assert (futures[0].result(), futures[2].result()) == (120, 140)
    with pytest.raises(OSError, match="unlucky"):
        futures[1].result()


def test_work_keeps_its_place_among_the_items() -> None:
    """Work that runs alone is neither overtaken by later turns nor starved by them."""
    held = Held()
    first = held.batcher.together(1, weight=1)
    order: list[list[list[int]]] = []
    alone = held.batcher.alone(lambda: order.append([*held.worker.batches]))
    held.finish([first])
    wait([alone], 60)
    assert order == [[[1]]]


def test_the_worker_that_was_busy_last_works_next() -> None:
    """One text after the other stays on one thread, whose caches are warm; what comes at once takes others."""
    batcher = Batcher[int, int](threads=3, run=Worker())
    names = []
    for _ in range(4):
        names.append(batcher.alone(threading.get_ident).result(60))
        settled(batcher, idle=3)
    assert len(set(names)) == 1
    meeting = threading.Barrier(3, timeout=60)
    together = [batcher.alone(lambda: (meeting.wait(), threading.get_ident())[1]) for _ in range(3)]
    assert len({future.result(60) for future in together}) == 3
    batcher.close()


def settled(batcher: Batcher[int, int], *, idle: int) -> None:
    """Wait until so many workers have nothing to do."""
    while True:
        with batcher._lock:
            if len(batcher._idle) == idle:
                return


def test_work_that_fails_gives_its_error_and_leaves_the_worker_well() -> None:
    """The error goes to who asked, and the next work runs on the same thread."""
    batcher = Batcher[int, int](threads=1, run=Worker())
    with pytest.raises(ZeroDivisionError):
        batcher.alone(lambda: 1 // 0).result(60)
    assert batcher.alone(lambda: 7).result(60) == 7
    batcher.close()


def test_without_a_thread_the_work_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no thread can be started the caller is told, and nothing is left waiting for nobody."""
    batcher = Batcher[int, int](threads=1, run=Worker())
    with monkeypatch.context() as broken:
        broken.setattr(threading.Thread, "start", _no_thread)
        with pytest.raises(EncoderError, match="no thread: can't start"):
            batcher.together(1, weight=1)
    assert batcher.together(2, weight=1).result(60) == 20
    batcher.close()


def _no_thread(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_closing_drops_what_waits() -> None:
    """Items and work still waiting are cancelled, and more is an error."""
    held = Held()
    item, work = held.batcher.together(1, weight=1), held.batcher.alone(lambda: None)
    dropped = threading.Semaphore(0)
    for future in (item, work):
        future.add_done_callback(lambda _: dropped.release())
    closer = threading.Thread(target=held.batcher.close)
    closer.start()
    assert all(dropped.acquire(timeout=60) for _ in range(2))
    held.gate.set()
    closer.join(60)
    assert item.cancelled()
    assert work.cancelled()
    with pytest.raises(EncoderError, match="closed"):
        held.batcher.together(2, weight=1)
