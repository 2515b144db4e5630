"""Rule trees: conditions on signals, combined by AND, OR and NOT."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from pointsman.config.base import Name, Number, Part
from pointsman.core.rule import Operator

ConditionType = Literal[
    "keyword",
    "embedding",
    "domain",
    "fact_check",
    "user_feedback",
    "reask",
    "preference",
    "language",
    "context",
    "structure",
    "complexity",
    "modality",
    "authz",
    "jailbreak",
    "pii",
    "kb",
    "conversation",
    "event",
    "metadata",
    "classifier",
    "projection",
]
"""Signal families a condition can ask about, and ``projection`` for the outputs of mappings."""


class Predicate(Part):
    """Numbers that match; every bound that is set must hold."""

    gt: Number | None = Field(None, description="Matches above this value.")
    gte: Number | None = Field(None, description="Matches from this value on.")
    lt: Number | None = Field(None, description="Matches below this value.")
    lte: Number | None = Field(None, description="Matches up to this value.")


class Condition(Part):
    """A leaf of the tree: one signal."""

    type: ConditionType = Field(description="Signal family, or projection.")
    name: Name = Field(description="Name of the signal; rule:hard, rule:medium or rule:easy for complexity.")
    label: str = Field("", description="Label of a classifier signal.")
    predicate: Predicate | None = Field(None, description="Scores of a classifier signal that match.")


class Combination(Part):
    """A node of the tree: conditions combined."""

    operator: Operator = Field(Operator.OR, description="How the conditions combine; NOT takes exactly one.")
    conditions: tuple["Rule", ...] = Field((), description="Leaves or further nodes.")


def _kind(value: Any) -> str:
    """Which of the two a mapping is: ``type`` marks a leaf, anything else is read as a node."""
    if isinstance(value, Condition) or (isinstance(value, dict) and ("type" in value or "name" in value)):
        return "<leaf>"
    return "<node>"


Rule = Annotated[
    Annotated[Condition, Tag("<leaf>")] | Annotated[Combination, Tag("<node>")], Discriminator(_kind)
]
"""A condition or a combination of them."""

Combination.model_rebuild()
