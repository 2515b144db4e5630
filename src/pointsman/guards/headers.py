"""What clients are told of guards, in both header eras' names and our own."""

from collections.abc import Iterable, Mapping

from pointsman.core import headers as names
from pointsman.core.guard import GuardOutcome, Outcome
from pointsman.core.rule import Leaf, Rule
from pointsman.core.signal import SignalSet

_JAILBREAK, _PII = "jailbreak", "pii"


def blocked(outcome: GuardOutcome) -> dict[str, str]:
    """Headers of a refusal."""
    if outcome.guard == _JAILBREAK:
        return _attack(_JAILBREAK, outcome.score)
    return {names.PII_VIOLATION: "true", names.PII_TYPES: ",".join(outcome.kinds)}


def findings(outcomes: Iterable[GuardOutcome]) -> dict[str, str]:
    """The header of a request that went on although something was found."""
    told = [_told(each) for each in outcomes if each.outcome == Outcome.FOUND]
    return {names.GUARDS: ", ".join(told)} if told else {}


def by_decision(rule: Rule, signals: SignalSet) -> Mapping[str, str]:
    """Headers of a canned answer whose decision matched on guard signals."""
    found: dict[str, str] = {}
    for leaf in _leaves(rule):
        signal = signals.get(leaf.key)
        if signal.matched and leaf.key.family == _JAILBREAK:
            found |= _attack(_JAILBREAK, signal.confidence)
        elif signal.matched and leaf.key.family == _PII:
            found[names.PII_VIOLATION] = "true"
    return found


def _attack(kind: str, score: float) -> dict[str, str]:
    return {
        names.JAILBREAK_BLOCKED: "true",
        names.JAILBREAK_TYPE: kind,
        names.JAILBREAK_CONFIDENCE: f"{score:.4f}",
    }


def _told(outcome: GuardOutcome) -> str:
    what = f'types="{" ".join(outcome.kinds)}"' if outcome.kinds else f"score={outcome.score:.4f}"
    return f"{outcome.guard};action={outcome.action};{what}"


def _leaves(rule: Rule) -> Iterable[Leaf]:
    if isinstance(rule, Leaf):
        yield rule
        return
    for child in rule.conditions:
        yield from _leaves(child)
