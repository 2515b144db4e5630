"""How long the conversation is, in tokens of no model in particular.

The engine's tokenizer is not ours, so this is an estimate: four bytes a token, and one token for each
character of Chinese, Japanese or Korean. Counted is the text of all messages; images and definitions of tools
are not.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec
import numpy as np

from pointsman.config.signals import Signals
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey

FAMILY: Final = "context"
BYTES_PER_TOKEN: Final = 4

_DENSE: Final = (
    (0x2E80, 0x9FFF, 3),
    (0xAC00, 0xD7FF, 3),
    (0xF900, 0xFAFF, 3),
    (0xFF00, 0xFFEF, 3),
    (0x20000, 0x3FFFF, 4),
)
"""First and last code point of blocks of Han, kana, Hangul and their punctuation, and bytes for each."""


class ContextRule(msgspec.Struct, frozen=True):
    """A range of lengths, both ends included."""

    name: str
    least: int = 0
    most: int | None = None

    @property
    def key(self) -> SignalKey:
        """The signal that conditions refer to."""
        return SignalKey(FAMILY, self.name)


class ContextEvaluator:
    """All context rules in use."""

    family = FAMILY
    immediate = True

    def __init__(self, rules: Sequence[ContextRule]) -> None:
        self._rules = tuple(rules)
        self.keys = frozenset(rule.key for rule in rules)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule, with a confidence of 1 where it matches."""
        tokens = estimate(message.text for message in request.messages)
        return tuple(_signal(rule, tokens) for rule in self._rules)


def estimate(texts: Iterable[str]) -> int:
    """Tokens of some texts, about."""
    dense = others = 0
    for text in texts:
        data = text.encode("utf-8", "replace")
        others += len(data)
        if len(data) > len(text):
            points = np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)
            for low, high, size in _DENSE:
                count = int(np.count_nonzero((points >= low) & (points <= high)))
                dense += count
                others -= count * size
    return dense + -(-others // BYTES_PER_TOKEN)


def build(signals: Signals, used: AbstractSet[SignalKey], where: str) -> ContextEvaluator:  # noqa: ARG001  # one shape for all families
    """The evaluator of the rules in use."""
    rules = (ContextRule(rule.name, rule.min_tokens, rule.max_tokens) for rule in signals.context)
    return ContextEvaluator([rule for rule in rules if rule.key in used])


def _signal(rule: ContextRule, tokens: int) -> Signal:
    matched = rule.least <= tokens and (rule.most is None or tokens <= rule.most)
    detail = f"about {tokens} tokens" if matched else ""
    return Signal(rule.key, matched, confidence=float(matched), detail=detail)
