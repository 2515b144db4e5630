"""The boolean rule tree of a decision and the trace that evaluating it leaves."""

from enum import StrEnum

import msgspec

from pointsman.core.signal import SignalKey


class Operator(StrEnum):
    """How a node combines its conditions."""

    AND = "AND"
    OR = "OR"
    NOT = "NOT"


class Leaf(msgspec.Struct, frozen=True, tag="leaf"):
    """A condition on one signal."""

    key: SignalKey


class Node(msgspec.Struct, frozen=True, tag="node"):
    """A boolean combination. An AND of nothing always matches with confidence 0 (a catch-all)."""

    operator: Operator
    conditions: tuple["Rule", ...] = ()


Rule = Leaf | Node


class LeafTrace(msgspec.Struct, frozen=True, tag="leaf"):
    """A leaf's outcome."""

    key: SignalKey
    matched: bool
    confidence: float
    error: str = ""


class NodeTrace(msgspec.Struct, frozen=True, tag="node"):
    """A node's outcome with its conditions' outcomes, all of them: nothing is short-circuited."""

    operator: Operator
    matched: bool
    confidence: float
    conditions: tuple["RuleTrace", ...] = ()


RuleTrace = LeafTrace | NodeTrace
