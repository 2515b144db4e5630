"""``routing.decisions``: named routes, each a rule, candidates and plugins."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from pointsman.config.algorithms import Algorithm
from pointsman.config.base import Count, Effort, Free, Name, Names, Part, Weight, Whole
from pointsman.config.conditions import Rule
from pointsman.config.plugins import Plugin


class ModelRef(Part):
    """A candidate of a decision."""

    model: Name = Field(description="Name of a model card or provider model.")
    lora_name: str = Field("", description="Adapter of that model to use; empty uses the model itself.")
    weight: Weight = Field(1.0, description="Share of the decision's conversations, for weighted.")
    use_reasoning: bool = Field(
        default=False, description="Whether the model should reason; off because it costs time."
    )
    reasoning_description: str = Field("", description="Why it should or should not reason, for people.")
    reasoning_effort: Effort | None = Field(
        None, description="How hard it should think; unset uses the default."
    )


class Adaptation(Part):
    """How online learning treats this decision."""

    mode: Literal["apply", "observe", "bypass"] | None = Field(
        None, description="Whether learning takes part."
    )


class Protection(Part):
    """How readily a conversation may switch models here."""

    stability_weight: Weight | None = Field(None, description="Weight of staying.")
    switch_margin: Weight | None = Field(None, description="Gain a switch must promise.")


class Adaptations(Part):
    """The decision's part in router learning."""

    mode: Literal["apply", "observe", "bypass"] | None = Field(None, description="Mode of all learning here.")
    adaptation: Adaptation | None = Field(None, description="Mode of adaptation.")
    protection: Protection | None = Field(None, description="Tuning of protection.")


class IterationOutput(Part):
    """What an iteration yields."""

    type: Name = Field(description="Kind of output, such as model.")
    value: Name = Field(description="Variable that is put out.")


class CandidateIteration(Part):
    """Candidates written as a loop by authoring tools."""

    variable: Name = Field(description="Name of the loop variable.")
    source: Name = Field(description="What is iterated, such as models.")
    models: tuple[ModelRef, ...] = Field((), description="Candidates iterated.")
    outputs: tuple[IterationOutput, ...] = Field((), description="What each round yields.")


class Retention(Part):
    """What should be remembered of a request."""

    drop: bool = Field(default=False, description="Whether the answer must not be cached.")
    ttl_turns: Count | None = Field(None, description="Cache lifetime, in turns of a minute each.")
    keep_current_model: bool = Field(
        default=False, description="Whether the conversation should stay on its model."
    )
    prefer_prefix_retention: bool = Field(
        default=False, description="Whether engines should keep the prefix."
    )


class Emit(Part):
    """Something a matched decision tells other components."""

    kind: Literal["retention"] = Field("retention", description="What is told.")
    retention: Retention = Field(default_factory=Retention, description="What should be remembered.")


class OutputReference(Part):
    """How an answer refers to earlier answers."""

    source: str = Field("", description="What is referred to.")
    id_format: str = Field("", description="How references are written.")


class OutputExtract(Part):
    """How a reference is found in an answer."""

    mode: str = Field("", description="How strictly it is searched.")
    sources: Names = Field((), description="Parts of the answer searched.")


class OutputStep(Part):
    """A step after extraction."""

    type: Name = Field(description="Kind of step.")


class OutputContractSpec(Part):
    """A checkable form of the output contract."""

    type: Name = Field(description="Kind of contract.")
    reference: OutputReference | None = Field(None, description="How answers refer to each other.")
    extract: OutputExtract | None = Field(None, description="How references are found.")
    postprocess: tuple[OutputStep, ...] = Field((), description="What happens with them.")


def _no_empty_rule(value: Any) -> Any:
    """``{}`` and a node without operator or conditions both mean: always."""
    if isinstance(value, dict) and not any(value.values()) and set(value) <= {"operator", "conditions"}:
        return None
    return value


class Decision(Part):
    """A route: when its rule holds, use one of its models and run its plugins."""

    name: Name = Field(description="Name of the route, shown in headers, metrics and traces.")
    description: str = Field("", description="What the route is for.")
    priority: Whole = Field(
        0, ge=-(2**31), le=2**31 - 1, description="Rank among matched decisions; higher wins."
    )
    tier: Annotated[Whole, Field(ge=0, le=2**31 - 1)] = Field(
        0, description="Group ranked before priority, lower first; 0 everywhere means no tiers."
    )
    rules: Annotated[Rule | None, BeforeValidator(_no_empty_rule)] = Field(
        None, description="When the route applies; unset means always, with confidence 0."
    )
    model_refs: tuple[ModelRef, ...] = Field((), alias="modelRefs", description="Candidates, best first.")
    algorithm: Algorithm | None = Field(
        None,
        description="How a candidate is chosen; unset is weighted where weights differ from 1, else static.",
    )
    plugins: tuple[Plugin, ...] = Field((), description="What is done around the model call.")
    output_contract: str = Field("", description="Form that answers composed by several models must keep.")
    output_contract_spec: OutputContractSpec | None = Field(
        None, description="Checkable form of the contract."
    )
    adaptations: Adaptations | None = Field(None, description="Part in router learning.")
    candidate_iterations: tuple[CandidateIteration, ...] = Field(
        (), alias="candidateIterations", description="Candidates written as loops."
    )
    emits: tuple[Emit, ...] = Field((), description="What a match tells other components.")
    annotations: Free = Field(
        default_factory=dict, max_length=32, description="Free notes for tools; at most 32 keys."
    )
