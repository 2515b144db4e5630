"""All signals of a request, concurrently, under one deadline."""

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalSet
from pointsman.signals.base import Evaluator

Clock = Callable[[], float]
"""Seconds from any fixed point, never going back."""
OnFailure = Callable[[Evaluator, Exception], None]
"""Told of every evaluator that raised, for a log; signals carry only the exception's type."""


async def observe(
    evaluators: Sequence[Evaluator],
    request: ChatRequest,
    *,
    timeout_s: float,
    clock: Clock = time.perf_counter,
    on_failure: OnFailure | None = None,
) -> SignalSet:
    """Evaluate every family; one that is late or raises yields failed signals and harms no other.

    Families that never wait run first, one after the other; the rest run together. The wall time of an
    evaluation is shared equally by the signals it yielded, so that costs add up.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s

    async def one(evaluator: Evaluator) -> tuple[Signal, ...]:
        started = clock()
        try:
            async with asyncio.timeout_at(None if evaluator.immediate else deadline) as scope:
                signals = await evaluator.evaluate(request)
        except Exception as error:  # noqa: BLE001  # any defect of one family is a failed signal, not a 500
            late = isinstance(error, TimeoutError) and scope.expired()
            if on_failure and not late:
                on_failure(evaluator, error)
            reason = f"deadline {timeout_s * 1000:g} ms exceeded" if late else type(error).__name__
            signals = _failed(evaluator, reason)
        return _costed(signals, (clock() - started) * 1e6)

    found = [signal for evaluator in evaluators if evaluator.immediate for signal in await one(evaluator)]
    waiting = [one(evaluator) for evaluator in evaluators if not evaluator.immediate]
    # A lone coroutine is awaited as it is: a task for it would cost more than the rest of this function.
    groups = [await waiting[0]] if len(waiting) == 1 else await asyncio.gather(*waiting)
    return SignalSet.of([*found, *(signal for group in groups for signal in group)])


def _failed(evaluator: Evaluator, reason: str) -> tuple[Signal, ...]:
    # Exception texts stay out: a tokenizer's may quote the prompt.
    return tuple(Signal(key, matched=False, error=reason) for key in sorted(evaluator.keys))


def _costed(signals: tuple[Signal, ...], total_us: float) -> tuple[Signal, ...]:
    share = total_us / len(signals) if signals else 0.0
    return tuple(msgspec.structs.replace(signal, cost_us=share) for signal in signals)
