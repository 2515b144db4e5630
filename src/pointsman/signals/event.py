"""Operational events that the text mentions: their types, severities, codes of actions, and urgency.

Each kind that a rule lists is a criterion, met when one of its words occurs as a whole word, in any case; so
is ``temporal``, met by words of urgency in English and Chinese. One criterion suffices; the confidence is a
half and the other half times the share of the rule's criteria that are met.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final

import msgspec

from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.phrases import occurs

FAMILY: Final = "event"
URGENT: Final = (
    *("urgent", "urgently", "immediate", "immediately", "asap", "deadline", "time-sensitive", "now"),
    *("critical window", "critical.window", "critical_window"),
    *("紧急", "緊急", "立即", "立刻", "马上", "馬上", "尽快", "儘快", "截止"),
)
"""Words that ``temporal`` looks for."""


class EventRule(msgspec.Struct, frozen=True):
    """What counts as the event."""

    name: str
    event_types: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    action_codes: tuple[str, ...] = ()
    temporal: bool = False
    path: str = ""
    """Where the document declares the rule, for problems."""

    @property
    def key(self) -> SignalKey:
        """The signal that conditions refer to."""
        return SignalKey(FAMILY, self.name)

    @property
    def criteria(self) -> Mapping[str, tuple[str, ...]]:
        """What the rule looks for, by kind."""
        listed = {
            "event type": self.event_types,
            "severity": self.severities,
            "action code": self.action_codes,
            "urgency": URGENT if self.temporal else (),
        }
        return MappingProxyType({kind: words for kind, words in listed.items() if words})


class EventEvaluator:
    """All event rules in use. Raises ConfigError for a rule without criteria."""

    family = FAMILY
    immediate = True

    def __init__(self, rules: Sequence[EventRule]) -> None:
        problems = [_empty(rule) for rule in rules if not rule.criteria]
        if problems:
            raise ConfigError(problems)
        self._rules = tuple(rules)
        self.keys = frozenset(rule.key for rule in rules)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule; ``detail`` is words of the document, never a part of the text."""
        text = request.text.casefold()
        return tuple(_signal(rule, text) for rule in self._rules)


def build(signals: Signals, used: AbstractSet[SignalKey], where: str) -> EventEvaluator:
    """The evaluator of the rules in use; ``where`` is the key path of their routing."""
    rules = (
        EventRule(
            name=rule.name,
            event_types=rule.event_types,
            severities=rule.severities,
            action_codes=rule.action_codes,
            temporal=rule.temporal,
            path=f"{where}.signals.events[{index}]",
        )
        for index, rule in enumerate(signals.events)
    )
    return EventEvaluator([rule for rule in rules if rule.key in used])


def _signal(rule: EventRule, text: str) -> Signal:
    found = [
        (kind, next((word for word in words if occurs(text, word.casefold())), None))
        for kind, words in rule.criteria.items()
    ]
    met = [f"{kind} {word}" for kind, word in found if word is not None]
    confidence = 0.5 + 0.5 * len(met) / len(found) if met else 0.0
    return Signal(rule.key, bool(met), confidence=confidence, detail=", ".join(met))


def _empty(rule: EventRule) -> Problem:
    remedy = "list event_types, severities or action_codes, or set temporal"
    return Problem(Severity.ERROR, rule.path, f"the event {rule.name!r} has no criteria", remedy)
