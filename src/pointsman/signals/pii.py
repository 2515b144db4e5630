"""Personal data of kinds that a rule does not allow.

The recognisers and the encoder's token head are agreed as everywhere (`pointsman.pii`). A finding counts
from the rule's threshold on or, unwritten, the module's; where neither is written, from the threshold
calibrated for its kind (`pointsman.pii.THRESHOLDS`), since one number for all seventeen kinds is too lax for
some and too strict for others. A rule that allows nothing matches on any kind. With ``include_history``
each earlier message counts too.

Details name kinds, never what was found. A detector that fails makes a failed signal, on which no decision
rests: neither on the rule nor on its negation.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from pointsman.config.document import Settings
from pointsman.config.signals import PiiSignal, Signals
from pointsman.config.translate import nearest
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.pii import Finding, Label, confident, merge, recognise
from pointsman.signals.base import Entity, TextEncoder
from pointsman.signals.passages import conversation

FAMILY: Final = "pii"
SHORT: Final = 512
"""Characters up to which the recognisers are faster than a change of thread."""


class Rule(msgspec.Struct, frozen=True):
    """What one rule lets pass."""

    key: SignalKey
    allowed: frozenset[str] = frozenset()
    threshold: float | None = None
    """None for each kind's own."""
    history: bool = False


class PiiEvaluator:
    """All rules in use; they share what is found. An encoder that fails fails all of them."""

    family = FAMILY
    immediate = False

    def __init__(self, encoder: TextEncoder, rules: Sequence[Rule]) -> None:
        self._encoder = encoder
        self._rules = tuple(rules)
        self._history = any(rule.history for rule in rules)
        self.keys = frozenset(rule.key for rule in rules)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule. Raises what the encoder raises."""
        current = conversation(request, history=False)
        texts = conversation(request, history=self._history)
        # One after the other: a long history must not fill the encoder's queue.
        found = {text: await self._findings(text) for text in texts}
        return tuple(_signal(rule, found, texts if rule.history else current) for rule in self._rules)

    async def _findings(self, text: str) -> tuple[Finding, ...]:
        entities = (await self._encoder.scan(text)).entities
        if len(text) <= SHORT:
            return _agreed(text, entities)
        return await asyncio.to_thread(_agreed, text, entities)


def _agreed(text: str, entities: Sequence[Entity]) -> tuple[Finding, ...]:
    return merge(text, recognise(text), entities)


def _signal(rule: Rule, found: Mapping[str, Sequence[Finding]], texts: Sequence[str]) -> Signal:
    denied = [finding for text in texts for finding in found[text] if finding.label not in rule.allowed]
    counted = confident(denied, threshold=rule.threshold)
    return Signal(
        rule.key,
        matched=bool(counted),
        confidence=max((finding.score for finding in counted or denied), default=0.0),
        detail=", ".join(sorted({str(finding.label) for finding in counted})),
    )


def build(
    signals: Signals, used: AbstractSet[SignalKey], encoder: TextEncoder, settings: Settings, where: str
) -> PiiEvaluator:
    """The evaluator of the rules in use. Raises ConfigError for kinds of personal data that do not exist."""
    path = f"{where}.signals.pii"
    rules = {index: rule for index, rule in enumerate(signals.pii) if SignalKey(FAMILY, rule.name) in used}
    problems = [problem for index, rule in rules.items() for problem in _unknown(f"{path}[{index}]", rule)]
    if problems:
        raise ConfigError(problems)
    module = settings.global_.model_catalog.modules.classifier.pii
    usual = module.threshold if "threshold" in module.model_fields_set else None
    return PiiEvaluator(
        encoder,
        [
            Rule(
                SignalKey(FAMILY, rule.name),
                frozenset(map(str.upper, rule.pii_types_allowed)),
                usual if rule.threshold is None else rule.threshold,
                rule.include_history,
            )
            for rule in rules.values()
        ],
    )


def _unknown(at: str, rule: PiiSignal) -> Iterator[Problem]:
    labels = [str(label) for label in Label]
    for position, name in enumerate(rule.pii_types_allowed):
        if name.upper() not in labels:
            near = nearest(name.upper(), labels)
            yield Problem(
                Severity.ERROR,
                f"{at}.pii_types_allowed[{position}]",
                f"{name!r} is no kind of personal data that is looked for",
                f"did you mean {near}?" if near else f"use one of {', '.join(labels)}",
            )
