"""Bounds on a number, as rules and conditions write them."""

from collections.abc import Mapping
from operator import ge, gt, le, lt
from types import MappingProxyType
from typing import Final

from pointsman.config.conditions import Predicate

_HOLDS: Final = MappingProxyType({"gt": gt, "gte": ge, "lt": lt, "lte": le})

Bounds = Mapping[str, float]
"""``gt``, ``gte``, ``lt`` and ``lte``, of which all that are there must hold."""
EXISTS: Final[Bounds] = MappingProxyType({"gt": 0.0})
"""What an unwritten predicate asks for: more than nothing."""


def bounds(predicate: Predicate | None) -> Bounds:
    """The bounds that are written, or existence where none is."""
    written: dict[str, float] = predicate.model_dump(exclude_none=True) if predicate else {}
    return written or EXISTS


def within(value: float, asked: Bounds) -> bool:
    """Whether a number keeps all bounds."""
    return all(_HOLDS[name](value, bound) for name, bound in asked.items())
