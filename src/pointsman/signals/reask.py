"""The user asks the same again: the current turn is near to each of the last earlier user turns."""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from pointsman.config.document import Settings
from pointsman.config.signals import ReaskSignal, Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.base import Floats, TextEncoder

FAMILY: Final = "reask"
MAX_LOOKBACK: Final = 16
"""Most earlier turns compared: each may cost a pass of the encoder."""


class ReaskEvaluator:
    """All rules in use; every turn is embedded once. An encoder that fails fails all of them."""

    family = FAMILY
    immediate = False

    def __init__(self, encoder: TextEncoder, rules: Sequence[ReaskSignal]) -> None:
        self._encoder = encoder
        self._rules = {SignalKey(FAMILY, rule.name): rule for rule in rules}
        self._most = max((rule.lookback_turns for rule in rules), default=0)
        self.keys = frozenset(self._rules)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule; with fewer earlier turns than a rule looks at, it does not match."""
        earlier = [message.text for message in request.earlier if message.role == "user"]
        latest = earlier[::-1][: self._most]
        vectors = await self._vectors(request.text, latest)
        cosines = [float(vectors[request.text] @ vectors[text]) for text in latest]
        return tuple(_signal(key, rule, cosines) for key, rule in self._rules.items())

    async def _vectors(self, current: str, latest: Sequence[str]) -> Mapping[str, Floats]:
        if not latest:
            return {}
        texts = [*{current, *latest}]
        return dict(
            zip(texts, await asyncio.gather(*(self._encoder.embed(text) for text in texts)), strict=True)
        )


def _signal(key: SignalKey, rule: ReaskSignal, cosines: Sequence[float]) -> Signal:
    compared = cosines[: rule.lookback_turns]
    if len(compared) < rule.lookback_turns:
        return Signal(key, matched=False)
    least = min(compared)
    matched = least >= rule.threshold
    detail = f"similarity {least:.2f} to {len(compared)} earlier turn(s)" if matched else ""
    return Signal(key, matched=matched, confidence=min(1.0, max(0.0, least)), detail=detail)


def build(
    signals: Signals, used: AbstractSet[SignalKey], encoder: TextEncoder, settings: Settings, where: str
) -> ReaskEvaluator:
    """The evaluator of the rules in use. Raises ConfigError for rules that look back too far."""
    del settings
    problems = [
        Problem(
            Severity.ERROR,
            f"{where}.signals.reasks[{index}].lookback_turns",
            f"{rule.lookback_turns} is more than {MAX_LOOKBACK}",
            f"compare at most {MAX_LOOKBACK} turns",
        )
        for index, rule in enumerate(signals.reasks)
        if rule.lookback_turns > MAX_LOOKBACK
    ]
    if problems:
        raise ConfigError(problems)
    return ReaskEvaluator(encoder, [rule for rule in signals.reasks if SignalKey(FAMILY, rule.name) in used])
