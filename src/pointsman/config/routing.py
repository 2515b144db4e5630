"""``routing``, ``entrypoints`` and ``recipes``: which model a request should go to."""

from typing import Literal

from pydantic import Field

from pointsman.config.base import Name, Names, Number, Part, Tokens
from pointsman.config.decisions import Decision
from pointsman.config.projections import Projections
from pointsman.config.signals import Signals
from pointsman.core.decision import Strategy


class Lora(Part):
    """An adapter that an engine serves on top of a base model."""

    name: Name = Field(description="Name of the adapter, as the engine knows it.")
    description: str = Field("", description="What the adapter is good at, for people and for selection.")


class ModelCard(Part):
    """What is known about a model, whoever serves it."""

    name: Name = Field(description="Name of the model; a provider model of the same name serves it.")
    param_size: str = Field("", description="Parameter count as people write it, such as 8B.")
    context_window_size: Tokens | None = Field(
        None, description="Longest prompt and answer together, tokens."
    )
    description: str = Field("", description="What the model is good at, for people and for selection.")
    capabilities: Names = Field((), description="What the model can do, such as chat, tools or vision.")
    loras: tuple[Lora, ...] = Field(
        (), description="Adapters served on this model; each is a name of its own."
    )
    quality_score: Number | None = Field(
        None, ge=0.0, description="Quality rating for quality-aware selection."
    )
    modality: Literal["", "ar", "diffusion", "omni"] = Field(
        "", description="What the model produces: text (ar), images (diffusion) or both (omni)."
    )
    tags: Names = Field((), description="Free labels for people and tools.")


class Routing(Part):
    """A complete set of rules: signals observe, projections combine, decisions choose."""

    strategy: Strategy | None = Field(
        None, description="What ranks first among matched decisions; unset uses global.router.strategy."
    )
    model_cards: tuple[ModelCard, ...] = Field(
        (), alias="modelCards", description="Models that decisions may use."
    )
    signals: Signals = Field(
        default_factory=Signals, description="What is observed about a request, by family."
    )
    projections: Projections = Field(
        default_factory=Projections, description="Signals combined into partitions, scores and bands."
    )
    decisions: tuple[Decision, ...] = Field(
        (), description="Routes: a rule, the models it may use, its plugins."
    )


class Entrypoint(Part):
    """Virtual model names that lead to a recipe."""

    model_names: Names = Field(min_length=1, description="Names clients may ask for instead of a real model.")
    recipe: Name = Field(description="Name of the recipe that decides; default means the top-level routing.")


class Recipe(Part):
    """A separate routing document under a name, sharing providers and global settings."""

    name: Name = Field(description="Name that entrypoints refer to.")
    description: str = Field("", description="What the recipe is for.")
    routing: Routing = Field(default_factory=Routing, description="The recipe's own signals and decisions.")
