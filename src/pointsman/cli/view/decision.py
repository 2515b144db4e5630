"""A decision's rule with the truth of every leaf, and why the other decisions lost."""

from collections.abc import Iterator

from rich.text import Text
from rich.tree import Tree

from pointsman.cli.view.ink import Ink, colour
from pointsman.core.decision import DecisionTrace
from pointsman.core.rule import LeafTrace, RuleTrace

_MOST_FALSE = 3
"""Conditions of a node that do not hold and are shown; the others are counted."""


def rule_tree(trace: RuleTrace, ink: Ink) -> Tree:
    """The rule as a tree of marks; a node with one condition is shown as that condition unless it is NOT."""
    tree = Tree(_label(trace, ink), guide_style="dim")
    _grow(tree, trace, ink)
    return tree


def why_lost(loser: DecisionTrace, winner: DecisionTrace) -> str:
    """What counts against a matched decision beside the one that won, whichever criterion was decisive."""
    against = []
    if (loser.tier or float("inf")) > (winner.tier or float("inf")):
        against.append(f"tier {loser.tier or 'none'} after {winner.tier}")
    if loser.priority < winner.priority:
        against.append(f"priority {loser.priority} < {winner.priority}")
    if loser.confidence < winner.confidence:
        against.append(f"confidence {loser.confidence:.2f} < {winner.confidence:.2f}")
    return ", ".join(against) or "its name sorts later"


def failed_keys(trace: RuleTrace) -> Iterator[str]:
    """The signals of a rule that could not be computed."""
    if isinstance(trace, LeafTrace):
        if trace.error:
            yield str(trace.key)
    else:
        for condition in trace.conditions:
            yield from failed_keys(condition)


def _grow(tree: Tree, trace: RuleTrace, ink: Ink) -> None:
    if isinstance(trace, LeafTrace):
        return
    quiet = [part for part in trace.conditions if not part.matched]
    hidden = quiet[_MOST_FALSE:] if len(quiet) > _MOST_FALSE + 1 else []
    for condition in trace.conditions:
        # By identity: equal conditions may occur twice.
        if not any(condition is part for part in hidden):
            _grow(tree.add(_label(condition, ink)), condition, ink)
    if hidden:
        tree.add(Text(f"{ink.no} {len(hidden)} more", "dim"))


def _label(trace: RuleTrace, ink: Ink) -> Text:
    error = trace.error if isinstance(trace, LeafTrace) else ""
    name = ink.clip(str(trace.key), 40) if isinstance(trace, LeafTrace) else str(trace.operator)
    if not isinstance(trace, LeafTrace) and not trace.conditions:
        name = "always" if trace.matched else "never: no conditions"
    text = Text(
        f"{ink.mark(matched=trace.matched, error=error)} ", colour(matched=trace.matched, error=error)
    )
    text.append(name, "" if trace.matched else "dim")
    if error:
        text.append(f"  {ink.clip(error, 30)}", "red")
    elif trace.matched:
        text.append(f"  {trace.confidence:.2f}", "dim")
    return text
