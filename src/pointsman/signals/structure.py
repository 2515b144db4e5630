"""The form of the text: how many questions, ordered steps, how dense its constraints are, how long it is.

A feature is a number: how often its source occurs (``count``), whether it does (``exists``, 1 or 0),
occurrences for each unit of text (``density``), or how many of its sequences occur (``sequence``: the markers
of one come in order, each after the end of the one before). A unit is a word, or a character of a script
without spaces; punctuation is none. The rule's predicate bounds the number; without one, more than nothing
matches.

Of a text longer than ``MAX_CHARACTERS`` occurrences are counted at its two ends; its bytes are counted all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec
import re2

from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.phrases import ends_at, in_order
from pointsman.signals.predicate import EXISTS, Bounds, bounds, within
from pointsman.signals.words import MAX_CHARACTERS, ends, words

FAMILY: Final = "structure"
Feature = Literal["exists", "count", "density", "sequence"]
Source = Literal["regex", "keyword_set", "sequence", "text_bytes"]

_FITTING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "exists": ("regex", "keyword_set", "sequence"),
        "count": ("regex", "keyword_set", "sequence", "text_bytes"),
        "density": ("regex", "keyword_set"),
        "sequence": ("sequence",),
    }
)
"""Feature -> the sources it can be measured on."""


class StructureRule(msgspec.Struct, frozen=True):
    """A measurement of the text and the values that match."""

    name: str
    feature: Feature
    source: Source
    pattern: str = ""
    keywords: tuple[str, ...] = ()
    sequences: tuple[tuple[str, ...], ...] = ()
    case_sensitive: bool = False
    bounds: Bounds = EXISTS
    path: str = ""
    """Where the document declares the rule, for problems."""

    @property
    def key(self) -> SignalKey:
        """The signal that conditions refer to."""
        return SignalKey(FAMILY, self.name)


class StructureEvaluator:
    """All structure rules in use. Raises ConfigError for features that their source does not have."""

    family = FAMILY
    immediate = True

    def __init__(self, rules: Sequence[StructureRule]) -> None:
        problems = [problem for rule in rules for problem in _problems(rule)]
        if problems:
            raise ConfigError(problems)
        self._rules = tuple((rule, _counter(rule)) for rule in rules)
        self.keys = frozenset(rule.key for rule in rules)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule, with a confidence of 1 where it matches."""
        return tuple(_signal(rule, _value(rule, count, request.text)) for rule, count in self._rules)


def build(signals: Signals, used: AbstractSet[SignalKey], where: str) -> StructureEvaluator:
    """The evaluator of the rules in use; ``where`` is the key path of their routing."""
    rules = (
        StructureRule(
            name=rule.name,
            feature=rule.feature.type,
            source=rule.feature.source.type,
            pattern=rule.feature.source.pattern,
            keywords=rule.feature.source.keywords,
            sequences=rule.feature.source.sequences,
            case_sensitive=rule.feature.source.case_sensitive,
            bounds=bounds(rule.predicate),
            path=f"{where}.signals.structure[{index}]",
        )
        for index, rule in enumerate(signals.structure)
    )
    return StructureEvaluator([rule for rule in rules if rule.key in used])


def _value(rule: StructureRule, count: Callable[[str], int], text: str) -> float:
    if rule.source == "text_bytes":
        return count(text)
    read = ends(text, MAX_CHARACTERS)
    found = count(read)
    if rule.feature == "exists":
        return min(found, 1)
    if rule.feature == "density":
        return found / (len(words(read)) or 1)
    return found


def _counter(rule: StructureRule) -> Callable[[str], int]:
    """How often the rule's source occurs in a text."""
    if rule.source == "text_bytes":
        return lambda text: len(text.encode("utf-8", "replace"))
    if rule.source == "regex":
        regex = re2.compile(rule.pattern, _options(case_sensitive=rule.case_sensitive))
        return lambda text: len(regex.findall(text.encode("utf-8", "replace")))

    def fold(text: str) -> str:
        return text if rule.case_sensitive else text.casefold()

    if rule.source == "keyword_set":
        keywords = tuple(dict.fromkeys(map(fold, rule.keywords)))
        return lambda text: _occurrences(fold(text), keywords)
    sequences = tuple(tuple(map(fold, sequence)) for sequence in rule.sequences)
    return lambda text: _sequences(fold(text), sequences)


def _occurrences(text: str, keywords: Sequence[str]) -> int:
    return sum(1 for keyword in keywords for _ in ends_at(text, keyword))


def _sequences(text: str, sequences: Sequence[Sequence[str]]) -> int:
    return sum(in_order(text, sequence) for sequence in sequences)


def _signal(rule: StructureRule, value: float) -> Signal:
    matched = within(value, rule.bounds)
    detail = f"{rule.feature} {value:g}" if matched else ""
    return Signal(rule.key, matched, confidence=float(matched), detail=detail)


def _options(*, case_sensitive: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = case_sensitive
    return options


def _problems(rule: StructureRule) -> Iterator[Problem]:
    where = f"{rule.path}.feature"
    if rule.source not in _FITTING[rule.feature]:
        message = f"{rule.feature} cannot be measured on {rule.source}"
        remedy = f"use one of {', '.join(_FITTING[rule.feature])}, or another feature"
        yield Problem(Severity.ERROR, f"{where}.source.type", message, remedy)
    key, value = {
        "regex": ("pattern", rule.pattern),
        "keyword_set": ("keywords", rule.keywords),
        "sequence": ("sequences", rule.sequences and all(rule.sequences)),
        "text_bytes": ("type", rule.source),
    }[rule.source]
    if not value:
        message = f"{rule.source} without {key} finds nothing"
        yield Problem(Severity.ERROR, f"{where}.source.{key}", message, f"write {key}")
