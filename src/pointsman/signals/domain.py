"""The subject of the text, read off one encoder pass.

The top label decides: with a probability of at least the threshold, the rules that name it match. Below
it no specialised domain does and the rules that name ``other`` match instead, so that a decision on
``other`` is the general fallback its author meant. (The semantic router's own two interfaces disagree
here: its routing matches no domain at all, its classification endpoint answers ``other``.)

Confidence is always the calibrated probability that the text is of one of the rule's labels, whether or
not the rule matched. A fallback to ``other`` therefore carries the small probability of ``other`` rather
than the uncertainty about the rest: it loses to any real evidence where confidence ranks decisions.
"""

from collections.abc import Mapping, Sequence

import msgspec

from pointsman.core.domain_labels import domain_label
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.base import TextEncoder

FAMILY = "domain"
OTHER = "other"
"""The label for texts of no special subject."""


class DomainRule(msgspec.Struct, frozen=True):
    """A named set of labels; without labels its name is the label."""

    name: str
    labels: tuple[str, ...] = ()

    @property
    def key(self) -> SignalKey:
        """The signal that conditions refer to."""
        return SignalKey(FAMILY, self.name)


class DomainEvaluator:
    """All domain rules in use, answered by one encoder pass. An encoder that fails fails all of them."""

    family = FAMILY
    immediate = False

    def __init__(self, encoder: TextEncoder, rules: Sequence[DomainRule], *, threshold: float = 0.5) -> None:
        self._encoder = encoder
        self._threshold = threshold
        self._rules = tuple(
            (rule.key, frozenset(map(domain_label, rule.labels or (rule.name,)))) for rule in rules
        )
        self.keys = frozenset(key for key, _ in self._rules)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule. Raises what the encoder raises."""
        encoding = await self._encoder.encode(request.text)
        domains = {domain_label(name): probability for name, probability in encoding.domains.items()}
        top = max(domains, key=domains.__getitem__)
        sure = domains[top] >= self._threshold
        winner = top if sure else OTHER
        detail = f"{top} {domains[top]:.2f}" + ("" if sure else f" < {self._threshold:g}")
        return tuple(
            self._signal(key, labels, domains, detail if winner in labels else "")
            for key, labels in self._rules
        )

    @staticmethod
    def _signal(key: SignalKey, labels: frozenset[str], domains: Mapping[str, float], detail: str) -> Signal:
        probability = min(1.0, sum(domains.get(label, 0.0) for label in labels))
        return Signal(key, matched=bool(detail), confidence=probability, detail=detail)
