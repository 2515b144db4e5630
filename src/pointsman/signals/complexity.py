"""Difficulty of the request: ``rule:hard``, ``rule:medium`` or ``rule:easy``, of which one matches.

A rule with examples compares: the margin is the score among its hard prototypes minus the score among its
easy ones; above the threshold the request is hard, below minus the threshold easy, else medium. A rule
without examples takes the level that the encoder's own head finds most probable, whatever its threshold.

Confidence is a probability-like share of each level: with examples, logistic in the distance of the margin
from the threshold (a half at the threshold itself), without them the head's calibrated probability.
"""

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from pointsman.config.document import Settings
from pointsman.config.signals import ComplexitySignal, Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.base import Floats, TextEncoder
from pointsman.signals.examples import embedded
from pointsman.signals.prototypes import Bank, Scoring, prototypes

FAMILY: Final = "complexity"
HARD, MEDIUM, EASY = "hard", "medium", "easy"
LEVELS: Final = (HARD, MEDIUM, EASY)
SPREAD: Final = 0.05
"""Distance from the threshold, as a cosine, at which a level's share has gone from a half to 0.73."""


class Level(msgspec.Struct, frozen=True):
    """How difficult a rule finds a text."""

    name: str
    shares: Mapping[str, float]
    """Of each level; they sum to one."""


def by_margin(margin: float, threshold: float) -> Level:
    """The level of a margin between hard and easy, from -2 to 2."""
    hard = 1 / (1 + math.exp((threshold - margin) / SPREAD))
    easy = 1 / (1 + math.exp((threshold + margin) / SPREAD))
    # With a threshold near 0 the two overlap by a little: medium then has no share.
    medium = max(0.0, 1 - hard - easy)
    total = hard + easy + medium
    name = HARD if margin > threshold else EASY if margin < -threshold else MEDIUM
    return Level(name, {HARD: hard / total, MEDIUM: medium / total, EASY: easy / total})


class ComplexityEvaluator:
    """All rules in use; one embedding for those with examples, one pass for the others."""

    family = FAMILY
    immediate = False

    def __init__(
        self,
        encoder: TextEncoder,
        rules: Sequence[ComplexitySignal],
        vectors: Mapping[str, Floats],
        *,
        keys: AbstractSet[SignalKey],
        scoring: Scoring,
    ) -> None:
        self._encoder = encoder
        self._rules = tuple(rules)
        self._scoring = scoring
        self._bank = Bank.of({name: prototypes(each, scoring) for name, each in vectors.items()})
        self.keys = frozenset(keys)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each key. Raises what the encoder raises."""
        scores: Mapping[str, float] = {}
        head: Level | None = None
        if self._bank.spans:
            scores = self._bank.scores(await self._encoder.embed(request.text), self._scoring)
        if any(not _compares(rule) for rule in self._rules):
            shares = (await self._encoder.encode(request.text)).complexity
            head = Level(max(LEVELS, key=lambda level: shares.get(level, 0.0)), shares)
        found: dict[SignalKey, Signal] = {}
        for rule in self._rules:
            level = head
            if _compares(rule):
                margin = scores[_set(rule, HARD)] - scores[_set(rule, EASY)]
                level = by_margin(margin, rule.threshold)
            if level is not None:
                found |= _signals(rule.name, level)
        return tuple(found[key] for key in self.keys)


def _signals(name: str, level: Level) -> dict[SignalKey, Signal]:
    signals = {}
    for each in LEVELS:
        key, matched = SignalKey(FAMILY, f"{name}:{each}"), each == level.name
        share = level.shares.get(each, 0.0)
        signals[key] = Signal(
            key, matched=matched, confidence=share, detail=f"{each} {share:.2f}" if matched else ""
        )
    return signals


def _compares(rule: ComplexitySignal) -> bool:
    return bool(rule.hard.candidates or rule.easy.candidates)


def _set(rule: ComplexitySignal, level: str) -> str:
    return f"{rule.name}:{level}"


def build(
    signals: Signals, used: AbstractSet[SignalKey], encoder: TextEncoder, settings: Settings, where: str
) -> ComplexityEvaluator:
    """The evaluator of the rules in use.

    Raises ConfigError for rules with examples of one difficulty only, and for more than can be embedded.
    """
    path = f"{where}.signals.complexity"
    keys = {key for key in used if key.family == FAMILY}
    rules = [
        (index, rule)
        for index, rule in enumerate(signals.complexity)
        if any(SignalKey(FAMILY, f"{rule.name}:{level}") in keys for level in LEVELS)
    ]
    problems = [
        Problem(
            Severity.ERROR,
            f"{path}[{index}].{level}.candidates",
            f"has no examples, while {other} has",
            f"add examples of {level} requests, or remove both and let the encoder decide",
        )
        for index, rule in rules
        for level, other, own in ((HARD, EASY, rule.hard), (EASY, HARD, rule.easy))
        if _compares(rule) and not own.candidates
    ]
    if problems:
        raise ConfigError(problems)
    texts = {
        _set(rule, level): own.candidates
        for _, rule in rules
        for level, own in ((HARD, rule.hard), (EASY, rule.easy))
        if _compares(rule)
    }
    catalog = settings.global_.model_catalog
    shared = catalog.embeddings.semantic.embedding_config.prototype_scoring
    return ComplexityEvaluator(
        encoder,
        [rule for _, rule in rules],
        embedded(encoder, texts, where=path),
        keys=keys,
        scoring=Scoring.of(catalog.modules.complexity.prototype_scoring, shared),
    )
