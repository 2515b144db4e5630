"""Where a document's conditions stand, and the signal each of them asks for."""

from collections.abc import Iterator

from pointsman.config.conditions import Condition, Rule
from pointsman.config.routing import Routing
from pointsman.core.signal import SignalKey
from pointsman.decisions.compile import signal_key


def asked(routing: Routing, *, where: str = "routing") -> dict[SignalKey, tuple[str, Condition]]:
    """The key path and the condition behind every signal that a decision or a composer asks for.

    The first, where several ask for the same.
    """
    rules = [
        *((f"decisions[{index}].rules", each.rules) for index, each in enumerate(routing.decisions)),
        *(
            (f"signals.complexity[{index}].composer", each.composer)
            for index, each in enumerate(routing.signals.complexity)
        ),
    ]
    found: dict[SignalKey, tuple[str, Condition]] = {}
    for at, rule in rules:
        if rule is not None:
            for path, condition in _leaves(rule, f"{where}.{at}"):
                found.setdefault(signal_key(condition), (path, condition))
    return found


def _leaves(rule: Rule, path: str) -> Iterator[tuple[str, Condition]]:
    if isinstance(rule, Condition):
        yield path, rule
        return
    for index, child in enumerate(rule.conditions):
        yield from _leaves(child, f"{path}.conditions[{index}]")
