import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from pointsman.sim import Clock, SimSettings
from pointsman.sim.engine import Engine, Job
from pointsman.sim.slots import QueueFullError, Slots


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, unix=lambda: 1.0, sleep=self.sleep)


def _times(job: Job, indices: Sequence[int], **settings: Any) -> tuple[list[float], list[float]]:
    """The moments at which a job's tokens are made on a fresh engine, one list a repetition."""
    time = FakeTime()
    engine = Engine(SimSettings(model="tiny", **settings), time.clock())

    async def once() -> list[float]:
        start = time.now
        made = []
        with engine.admit(job) as run:
            await run.start()
            for index in indices:
                await run.reach(index)
                made.append(round(time.now - start, 6))
            run.finish("stop")
        return made

    async def twice() -> tuple[list[float], list[float]]:
        return await once(), await once()

    return asyncio.run(twice())


def test_tokens_are_due_at_the_set_pace() -> None:
    """The first token comes after ttft, each other one 1/rate later."""
    first, _ = _times(Job("tiny", ["a"], 3), range(3), ttft_ms=100, rate=10)
    assert first == [0.1, 0.2, 0.3]


def test_a_rate_of_zero_takes_no_time() -> None:
    """A rate of 0 and ttft 0 answer at once."""
    first, _ = _times(Job("tiny", ["a"], 3), range(3), ttft_ms=0, rate=0)
    assert first == [0.0, 0.0, 0.0]


def test_waiting_for_the_last_token_takes_as_long_as_for_each() -> None:
    """An answer that is not streamed is ready when a streamed one would have ended."""
    first, _ = _times(Job("tiny", ["a"], 3), [2], ttft_ms=100, rate=10)
    assert first == [0.3]


def test_a_cached_prefix_starts_earlier() -> None:
    """With a prefill rate the uncached part of the prompt sets the time to the first token."""
    prompt = [str(number) for number in range(100)]
    first, second = _times(Job("tiny", prompt, 1), [0], ttft_ms=0, prefill_rate=100)
    assert first == [1.0]
    assert second == [0.04]


def test_slots_are_bounded_and_first_come_first_served() -> None:
    """Two run, two wait, the fifth is turned away; a leaver makes room for the longest waiter."""

    async def scenario() -> Any:
        slots = Slots(2, 2)
        tickets = [slots.take() for _ in range(4)]
        assert (slots.running, slots.waiting) == (2, 2)
        with pytest.raises(QueueFullError):
            slots.take()
        third = asyncio.create_task(tickets[2].turn())
        fourth = asyncio.create_task(tickets[3].turn())
        tickets[0].give_back()
        await third
        assert not fourth.done()
        tickets[3].give_back()
        fourth.cancel()
        assert (slots.running, slots.waiting) == (2, 0)
        tickets[1].give_back()
        tickets[2].give_back()
        assert (slots.running, slots.waiting) == (0, 0)

    asyncio.run(scenario())


def test_a_cancelled_waiter_does_not_lose_the_slot() -> None:
    """Cancelling whoever waits, even after the slot was granted, leaves every slot free in the end."""

    async def scenario() -> Any:
        slots = Slots(1, 5)
        holder, waiter = slots.take(), slots.take()
        task = asyncio.create_task(waiter.turn())
        await asyncio.sleep(0)
        task.cancel()
        holder.give_back()
        await asyncio.gather(task, return_exceptions=True)
        waiter.give_back()
        assert (slots.running, slots.waiting) == (0, 0)

    asyncio.run(scenario())
