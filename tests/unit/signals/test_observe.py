import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.signals.base import Evaluator
from pointsman.signals.observe import observe

REQUEST = ChatRequest(Dialect.OPENAI_CHAT, "MoM", (Message("user", "a secret"),), b"")


@dataclass(frozen=True)
class Family:
    """An evaluator of two signals that does something first."""

    family: str
    act: Callable[[], Awaitable[object]]
    immediate: bool = False

    @property
    def keys(self) -> frozenset[SignalKey]:
        """Both signals."""
        return frozenset(SignalKey(self.family, name) for name in "ab")

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """Act, then match both."""
        assert request is REQUEST
        await self.act()
        return tuple(Signal(key, matched=True, confidence=1.0) for key in self.keys)


async def nothing() -> None:
    """Finish at once."""


async def forever() -> None:
    """Wait for something that never happens."""
    await asyncio.Event().wait()


async def broken() -> None:
    """Fail as an encoder might, quoting what it read."""
    raise LookupError("cannot read 'a secret'")


async def slow_inside() -> None:
    """A deadline of the evaluator's own, not ours."""
    raise TimeoutError("upstream took too long")


def run(*families: Evaluator, timeout_s: float = 5.0) -> SignalSet:
    """Observe the request with some families."""
    return asyncio.run(observe(families, REQUEST, timeout_s=timeout_s))


def errors(signals: SignalSet, family: str) -> set[str]:
    """The errors of a family's signals."""
    return {signal.error for signal in signals if signal.key.family == family}


def test_a_late_family_fails_and_the_others_survive() -> None:
    """The deadline turns late signals into failed ones and leaves the rest alone."""
    signals = run(Family("late", forever), Family("quick", nothing), timeout_s=0.02)
    assert errors(signals, "late") == {"deadline 20 ms exceeded"}
    assert errors(signals, "quick") == {""}
    assert len(signals) == 4


def test_a_lone_late_family_fails_too() -> None:
    """The deadline holds when only one family has to wait."""
    assert errors(run(Family("late", forever), timeout_s=0.02), "late") == {"deadline 20 ms exceeded"}


def test_an_error_is_named_by_type_alone() -> None:
    """What an exception says may quote the prompt, so signals carry its type only."""
    signals = run(Family("bad", broken), Family("timed", slow_inside), Family("quick", nothing))
    assert errors(signals, "bad") == {"LookupError"}
    assert errors(signals, "timed") == {"TimeoutError"}
    assert errors(signals, "quick") == {""}
    assert not any(signal.matched for signal in signals if signal.error)


def test_failures_are_told_but_lateness_is_not_a_failure() -> None:
    """A defect reaches the callback with its exception; a deadline does not."""
    told: list[tuple[str, str]] = []

    def note(evaluator: Evaluator, error: Exception) -> None:
        told.append((evaluator.family, str(error)))

    families = [Family("bad", broken), Family("late", forever)]
    asyncio.run(observe(families, REQUEST, timeout_s=0.02, on_failure=note))
    assert told == [("bad", "cannot read 'a secret'")]


def test_families_wait_together() -> None:
    """Two families that wait for each other both finish: they run concurrently."""

    async def main() -> SignalSet:
        barrier = asyncio.Barrier(2)
        return await observe(
            [Family("one", barrier.wait), Family("two", barrier.wait)], REQUEST, timeout_s=5.0
        )

    assert all(signal.matched for signal in asyncio.run(main()))


def test_what_never_waits_runs_first() -> None:
    """Immediate families are done before any other begins, whatever their order."""
    order: list[str] = []

    def noting(name: str) -> Callable[[], Awaitable[object]]:
        async def note() -> None:
            order.append(name)

        return note

    run(
        Family("waits", noting("waits")),
        Family("at once", noting("at once"), immediate=True),
        Family("waits too", noting("waits too")),
    )
    assert order[0] == "at once"


def test_costs_add_up() -> None:
    """The time of an evaluation is shared by its signals, in microseconds of the given clock."""
    times = iter([10.0, 10.5])
    signals = asyncio.run(
        observe([Family("one", nothing)], REQUEST, timeout_s=5.0, clock=lambda: next(times))
    )
    assert [signal.cost_us for signal in signals] == [250_000.0, 250_000.0]


def test_a_client_that_leaves_stops_the_work() -> None:
    """Cancelling the request cancels what its families wait for instead of turning it into errors."""

    async def main() -> None:
        families = [Family("one", forever), Family("two", forever)]
        task = asyncio.ensure_future(observe(families, REQUEST, timeout_s=5.0))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())


def test_no_families_no_signals() -> None:
    """A document without signals observes nothing."""
    assert len(run()) == 0
