"""Where a document's conditions stand, and the signal each of them asks for."""

from collections.abc import Iterable, Iterator

from pointsman.config.conditions import Condition, Rule
from pointsman.config.decisions import Decision
from pointsman.core.signal import SignalKey
from pointsman.decisions.compile import signal_key


def asked(decisions: Iterable[Decision], *, where: str = "routing") -> dict[SignalKey, tuple[str, Condition]]:
    """The key path and the condition behind every signal that some decision asks for; the first, if many."""
    found: dict[SignalKey, tuple[str, Condition]] = {}
    for index, decision in enumerate(decisions):
        if decision.rules is not None:
            for path, condition in _leaves(decision.rules, f"{where}.decisions[{index}].rules"):
                found.setdefault(signal_key(condition), (path, condition))
    return found


def _leaves(rule: Rule, path: str) -> Iterator[tuple[str, Condition]]:
    if isinstance(rule, Condition):
        yield path, rule
        return
    for index, child in enumerate(rule.conditions):
        yield from _leaves(child, f"{path}.conditions[{index}]")
