"""Models as the router sees them: a name a client or decision uses, and what it means upstream."""

from collections.abc import Mapping

import msgspec


class ReasoningFamily(msgspec.Struct, frozen=True):
    """How a family of models is told to reason (``type`` names the mechanism, ``parameter`` its field)."""

    name: str
    type: str
    """``chat_template_kwargs``, ``reasoning_effort`` or ``top_level_reasoning_effort``."""
    parameter: str


class Target(msgspec.Struct, frozen=True):
    """A servable name resolved: a provider model, or a LoRA adapter on one."""

    name: str
    """Logical name: what the decision chose and ``x-selected-model`` says."""
    wire_name: str
    """What the body's ``model`` becomes."""
    provider: str
    """The provider model (and so the pool of endpoints) that serves it."""
    family: ReasoningFamily | None = None
    headers: Mapping[str, str] = {}
    """Request headers the provider needs (credentials, extra headers). Never logged."""
    base_path: str = "/v1"
    """Where the provider's API lives; replaces ``/v1`` of the request path."""
    chat_path: str = ""
    """The provider's path for chat completions, where it is not under ``base_path``."""
    speaks_messages: bool = False
    """Whether the provider is spoken to in Anthropic's Messages API instead of OpenAI's."""
    extended: bool = True
    """Whether the provider takes vLLM's fields beside those of OpenAI's API."""
    parent: str | None = None
    """For a LoRA adapter, the model it adapts."""


class Candidate(msgspec.Struct, frozen=True):
    """One of a decision's models, with how it should reason."""

    target: Target
    use_reasoning: bool = False
    effort: str = "medium"
    weight: float = 1.0


class Selection(msgspec.Struct, frozen=True):
    """The candidate that was chosen and by which algorithm (``single``, ``static``, ``default``, ...)."""

    candidate: Candidate
    algorithm: str
    reason: str = ""
    """Why this one, for people."""
    fallback: bool = False
    """Whether the algorithm failed and the first candidate was taken instead."""
