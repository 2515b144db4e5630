"""Candidates whose context window is smaller than what a decision's ``context`` signals let through."""

import math
from collections.abc import Iterator, Mapping

from pointsman.config.decisions import Decision
from pointsman.config.routing import Routing
from pointsman.config.signals import ContextSignal
from pointsman.core.problem import Problem, Severity
from pointsman.core.rule import Leaf
from pointsman.decisions.compile import compile_rule
from pointsman.decisions.truth import conjuncts


def small_windows(routing: Routing, cards: Routing) -> Iterator[Problem]:
    """Warnings about candidates too small for prompts that a decision asks for by their length.

    Only what every match of a decision needs is taken into account. ``cards`` is the routing whose model
    cards hold where ``routing`` has none of a model.
    """
    windows = {
        card.name: card.context_window_size
        for card in (*cards.model_cards, *routing.model_cards)
        if card.context_window_size is not None
    }
    lengths = {rule.name: rule for rule in routing.signals.context}
    for index, decision in enumerate(routing.decisions):
        yield from _small(decision, f"routing.decisions[{index}]", lengths, windows)


def _small(
    decision: Decision, path: str, lengths: Mapping[str, ContextSignal], windows: Mapping[str, int]
) -> Iterator[Problem]:
    parts = conjuncts(compile_rule(decision.rules))
    needed = [
        lengths[part.key.name] for part in parts if isinstance(part, Leaf) and part.key.family == "context"
    ]
    if not needed:
        return
    least = max(rule.min_tokens for rule in needed)
    most = min(math.inf if rule.max_tokens is None else rule.max_tokens for rule in needed)
    names = " and ".join(repr(rule.name) for rule in needed)
    for position, ref in enumerate(decision.model_refs):
        window = windows.get(ref.model)
        if window is None or most <= window:
            continue
        said = f"{most:,} tokens" if most < math.inf else "any length"
        message = f"{ref.model!r} holds {window:,} tokens, while {names} lets prompts of {said} through"
        remedy = "lower max_tokens, or use a model with a larger context window"
        if least >= window:
            message = (
                f"{ref.model!r} holds {window:,} tokens, too few for any prompt that {names} lets through"
            )
            remedy = "use a model with a larger context window"
        yield Problem(Severity.WARNING, f"{path}.modelRefs[{position}].model", message, remedy)
