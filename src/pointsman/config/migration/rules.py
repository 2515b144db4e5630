"""Rule trees as plain data."""

from collections.abc import Iterable
from typing import Any

Tree = dict[str, Any]
"""A rule as the document writes it; ``None`` beside it means always."""


def leaf(kind: str, name: str) -> Tree:
    """A condition on one signal."""
    return {"type": kind, "name": name}


def all_of(rules: Iterable[Tree]) -> Tree:
    """A rule that holds when each of ``rules`` does."""
    return _combined("AND", rules)


def any_of(rules: Iterable[Tree]) -> Tree:
    """A rule that holds when one of ``rules`` does; they must not be empty."""
    return _combined("OR", rules)


def none_of(rules: Iterable[Tree]) -> Tree:
    """A rule that holds when none of ``rules`` does."""
    return {"operator": "NOT", "conditions": [any_of(rules)]}


def _combined(operator: str, rules: Iterable[Tree]) -> Tree:
    flat: list[Tree] = []
    for rule in rules:
        nested = rule.get("operator") == operator and isinstance(rule.get("conditions"), list)
        flat.extend(rule["conditions"] if nested else [rule])
    unique = [rule for index, rule in enumerate(flat) if rule not in flat[:index]]
    return unique[0] if len(unique) == 1 else {"operator": operator, "conditions": unique}


def renamed(rule: Any) -> Any:
    """A flat rule in today's spelling: ``rule_name`` is ``name``, operators are upper case."""
    if not isinstance(rule, dict):
        return rule
    out: Tree = {}
    for key, value in rule.items():
        if key == "rule_name" and "name" not in rule:
            out["name"] = value
        elif key == "operator" and isinstance(value, str):
            out[key] = value.upper()
        elif key == "conditions" and isinstance(value, list):
            out[key] = [renamed(item) for item in value]
        else:
            out[key] = value
    return out
