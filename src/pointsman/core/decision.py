"""Decisions: named rules with candidates, and the record of choosing among them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from pointsman.core.model import Candidate
from pointsman.core.rule import Rule, RuleTrace


class Strategy(StrEnum):
    """What ranks first among matched decisions of a set without tiers."""

    PRIORITY = "priority"
    CONFIDENCE = "confidence"


class Decision(msgspec.Struct, frozen=True):
    """A route a user wrote down: when ``rule`` holds, use one of ``candidates`` and run ``plugins``."""

    name: str
    rule: Rule
    candidates: tuple[Candidate, ...] = ()
    priority: int = 0
    tier: int = 0
    description: str = ""
    algorithm: str = ""
    plugins: tuple[Any, ...] = ()
    """Built plugin objects, in the order they run; opaque here."""
    selector: Any = None
    """The built algorithm that chooses among ``candidates``; opaque here. ``None`` takes the first."""


class DecisionTrace(msgspec.Struct, frozen=True):
    """How one decision evaluated."""

    name: str
    matched: bool
    confidence: float
    priority: int
    tier: int
    rule: RuleTrace


class Match(msgspec.Struct, frozen=True):
    """The decision that won (``None``: no rule held) and how every decision evaluated."""

    decision: Decision | None
    confidence: float = 0.0
    traces: Sequence[DecisionTrace] = ()
    """In the order of the document; they may be computed only when they are read."""
