"""Values in the request's ``metadata`` object: what the client says about itself, so a hint and no proof."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey

FAMILY: Final = "metadata"


class MetadataRule(msgspec.Struct, frozen=True):
    """What the value of a key must be; all that is set must hold."""

    name: str
    key_name: str
    equals: str | None = None
    one_of: tuple[str, ...] | None = None
    exists: bool | None = None
    path: str = ""
    """Where the document declares the rule, for problems."""

    @property
    def key(self) -> SignalKey:
        """The signal that conditions refer to."""
        return SignalKey(FAMILY, self.name)

    @property
    def asks(self) -> bool:
        """Whether anything is asked of the value."""
        return self.equals is not None or self.one_of is not None or self.exists is not None

    def holds(self, metadata: Mapping[str, str]) -> bool:
        """Whether a request's metadata is as the rule asks."""
        value = metadata.get(self.key_name)
        return (
            (self.equals is None or value == self.equals)
            and (self.one_of is None or value in self.one_of)
            and (self.exists is None or (value is not None) is self.exists)
        )


class MetadataEvaluator:
    """All metadata rules in use. Raises ConfigError for a rule that asks for nothing."""

    family = FAMILY
    immediate = True

    def __init__(self, rules: Sequence[MetadataRule]) -> None:
        problems = [_empty(rule) for rule in rules if not rule.asks]
        if problems:
            raise ConfigError(problems)
        self._rules = tuple(rules)
        self.keys = frozenset(rule.key for rule in rules)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule, with a confidence of 1 where it matches."""
        return tuple(_signal(rule, request.metadata) for rule in self._rules)


def build(signals: Signals, used: AbstractSet[SignalKey], where: str) -> MetadataEvaluator:
    """The evaluator of the rules in use; ``where`` is the key path of their routing."""
    rules = (
        MetadataRule(
            name=rule.name,
            key_name=rule.key,
            equals=rule.predicate.equals,
            one_of=rule.predicate.in_,
            exists=rule.predicate.exists,
            path=f"{where}.signals.metadata[{index}]",
        )
        for index, rule in enumerate(signals.metadata)
    )
    return MetadataEvaluator([rule for rule in rules if rule.key in used])


def _signal(rule: MetadataRule, metadata: Mapping[str, str]) -> Signal:
    matched = rule.holds(metadata)
    # The value is the client's: only the document's own words are shown.
    detail = f"metadata.{rule.key_name}" if matched else ""
    return Signal(rule.key, matched, confidence=float(matched), detail=detail)


def _empty(rule: MetadataRule) -> Problem:
    message = f"the predicate of {rule.name!r} asks for nothing"
    return Problem(Severity.ERROR, f"{rule.path}.predicate", message, "set equals, in or exists")
