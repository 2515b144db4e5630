import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.signal import Signal
from pointsman.signals.domain import DomainEvaluator, DomainRule

REQUEST = ChatRequest(Dialect.OPENAI_CHAT, "MoM", (Message("user", "text"),), b"")
RULES = (
    DomainRule("math"),
    DomainRule("stem", ("math", "physics")),
    DomainRule("computer_science"),
    DomainRule("other"),
)


@dataclass(frozen=True)
class Encoding:
    """What an encoder found."""

    domains: Mapping[str, float]


@dataclass(frozen=True)
class Encoder:
    """An encoder that finds what it is told to."""

    domains: Mapping[str, float]

    async def encode(self, text: str) -> Encoding:
        """The same for every text."""
        assert text == "text"
        return Encoding(self.domains)


def observed(**domains: float) -> dict[str, Signal]:
    """The signals of all rules, by name, for some probabilities by label."""
    encoder = Encoder({name.replace("_", " "): probability for name, probability in domains.items()})
    signals = asyncio.run(DomainEvaluator(encoder, RULES, threshold=0.5).evaluate(REQUEST))
    return {signal.key.name: signal for signal in signals}


def matched(**domains: float) -> set[str]:
    """The names of the rules that match."""
    return {name for name, signal in observed(**domains).items() if signal.matched}


def test_rules_that_name_the_top_label_match() -> None:
    """A rule matches by its own name or by one of its labels, and no other does."""
    assert matched(math=0.8, physics=0.1, other=0.1) == {"math", "stem"}


def test_the_threshold_itself_is_enough() -> None:
    """A top label with exactly the threshold's probability counts."""
    assert matched(math=0.5, physics=0.3, other=0.2) == {"math", "stem"}


def test_below_the_threshold_only_other_matches() -> None:
    """An unsure classification falls back to the general domain instead of to none."""
    assert matched(math=0.4, physics=0.35, other=0.25) == {"other"}


def test_a_fallback_is_no_more_confident_than_its_evidence() -> None:
    """The fallback carries the probability of other, and its detail says why it was taken."""
    signal = observed(math=0.4, physics=0.35, other=0.25)["other"]
    assert signal.confidence == 0.25
    assert signal.detail == "math 0.40 < 0.5"


def test_every_rule_reports_its_own_probability() -> None:
    """Confidence is the probability of the rule's labels together, matched or not."""
    signals = observed(math=0.6, physics=0.3, other=0.1)
    assert signals["stem"].confidence == pytest.approx(0.9)
    assert (signals["other"].matched, signals["other"].confidence) == (False, 0.1)


def test_labels_are_compared_as_people_write_them() -> None:
    """An underscore in a rule's name stands for the space in the label."""
    assert matched(computer_science=0.9, other=0.1) == {"computer_science"}
