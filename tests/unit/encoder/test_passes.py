import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from pointsman.encoder.batcher import Batcher
from pointsman.encoder.errors import EncoderBusy, EncoderError
from pointsman.encoder.passes import SharedPasses

T = TypeVar("T")


class Queue:
    """Shared passes over one worker."""

    def __init__(self, *, max_pending: int) -> None:
        self.batcher = Batcher[None, None](threads=1, run=list)
        self.passes = SharedPasses(max_pending=max_pending)

    @property
    def pending(self) -> int:
        return self.passes.pending

    async def result(self, key: bytes, work: Callable[[], T]) -> T:
        return await self.passes.result(key, lambda: self.batcher.alone(work))

    def close(self) -> None:
        self.passes.close()
        self.batcher.close()


class Gate:
    """Work that waits until it is let through, and counts how often it ran."""

    def __init__(self) -> None:
        self.runs = 0
        self.begun = threading.Event()
        self.opened = threading.Event()

    def __call__(self) -> str:
        self.runs += 1
        self.begun.set()
        assert self.opened.wait(60)
        return "done"


async def begun(gate: Gate) -> None:
    """Wait until the work runs, without holding the loop."""
    while not gate.begun.is_set():  # noqa: ASYNC110  # a thread sets it
        await asyncio.sleep(0.001)


def test_a_cancelled_waiter_does_not_take_the_answer_from_the_others() -> None:
    """Of three who wait for one pass, one may go; the others get the answer of the single run."""

    async def scenario() -> None:
        passes, gate = Queue(max_pending=1), Gate()
        tasks = [asyncio.create_task(passes.result(b"key", gate)) for _ in range(3)]
        await begun(gate)
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        gate.opened.set()
        assert await asyncio.gather(*tasks[1:]) == ["done", "done"]
        assert tasks[0].cancelled()
        assert gate.runs == 1
        passes.close()

    asyncio.run(scenario())


def test_a_pass_nobody_waits_for_any_more_is_dropped_before_it_begins() -> None:
    """When its only waiter goes while it queues, a pass never runs and its place is free again."""

    async def scenario() -> None:
        passes, first, second = Queue(max_pending=2), Gate(), Gate()
        running = asyncio.create_task(passes.result(b"first", first))
        await begun(first)
        queued = asyncio.create_task(passes.result(b"second", second))
        await asyncio.sleep(0)
        assert passes.pending == 2
        queued.cancel()
        await asyncio.wait([queued])
        assert passes.pending == 1
        first.opened.set()
        assert await running == "done"
        passes.close()
        assert second.runs == 0

    asyncio.run(scenario())


def test_a_queued_pass_lives_as_long_as_one_waiter_does() -> None:
    """A queued pass with two waiters survives the loss of one."""

    async def scenario() -> None:
        passes, first, second = Queue(max_pending=2), Gate(), Gate()
        running = asyncio.create_task(passes.result(b"first", first))
        await begun(first)
        pair = [asyncio.create_task(passes.result(b"second", second)) for _ in range(2)]
        await asyncio.sleep(0)
        pair[0].cancel()
        await asyncio.wait(pair[:1])
        first.opened.set()
        second.opened.set()
        assert (await running, await pair[1]) == ("done", "done")
        passes.close()

    asyncio.run(scenario())


def test_the_bound_counts_passes_and_not_their_waiters() -> None:
    """At the limit a new key is refused, a known one is joined, and a finished pass makes room."""

    async def scenario() -> None:
        passes, gate = Queue(max_pending=1), Gate()
        waiting = [asyncio.create_task(passes.result(b"key", gate)) for _ in range(5)]
        await begun(gate)
        with pytest.raises(EncoderBusy, match="1 encoder passes"):
            await passes.result(b"other", gate)
        gate.opened.set()
        assert await asyncio.gather(*waiting) == ["done"] * 5
        assert passes.pending == 0
        assert await passes.result(b"other", gate) == "done"
        passes.close()

    asyncio.run(scenario())


def test_an_error_reaches_every_waiter_and_is_not_kept() -> None:
    """A failing pass fails for all who shared it; the next one starts afresh."""

    def fail() -> str:
        raise OSError("broken")

    async def scenario() -> None:
        passes = Queue(max_pending=1)
        outcomes = await asyncio.gather(
            *(passes.result(b"k", fail) for _ in range(2)), return_exceptions=True
        )
        assert [str(outcome) for outcome in outcomes] == ["broken", "broken"]
        assert await passes.result(b"k", lambda: "fine") == "fine"
        passes.close()

    asyncio.run(scenario())


def test_closing_wakes_those_still_in_the_queue() -> None:
    """A pass that had not begun when the queue closed is an error for its waiter, not a wait for ever."""

    async def scenario() -> None:
        passes, first = Queue(max_pending=2), Gate()
        running = asyncio.create_task(passes.result(b"first", first))
        await begun(first)
        queued = asyncio.create_task(passes.result(b"second", first))
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(passes.close))
        with pytest.raises(EncoderError, match="closed"):
            await queued
        first.opened.set()
        assert await running == "done"
        await closing

    asyncio.run(scenario())


def test_a_pass_may_outlive_the_loop_that_asked_for_it() -> None:
    """When the event loop ends first, the pass finishes in silence and another loop can go on."""
    passes, gate = Queue(max_pending=2), Gate()

    async def impatient() -> None:
        task = asyncio.create_task(passes.result(b"key", gate))
        await begun(gate)
        task.cancel()

    asyncio.run(impatient())
    gate.opened.set()
    assert asyncio.run(passes.result(b"next", lambda: "later")) == "later"
    passes.close()
