"""``plugins``: what a decision does around the model call, told apart by ``type``."""

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, field_serializer

from pointsman.config.base import Count, Name, Names, Part, Positive, Unit, Whole
from pointsman.config.credentials import CREDENTIAL_NAME, MASK
from pointsman.config.guards import PiiTypes
from pointsman.config.plugins_context import ContextCompression, ImageGen, Memory, Rag, ToolSelection

RESPONSE_CACHE_NAMES: Final = ("response_cache", "semantic-cache", "semantic_cache", "response-cache")
"""Spellings of the cache plugin; the first is the one we write."""


Window = Annotated[Whole, Field(ge=80, le=16384)]
"""How much of a streamed answer is held back, characters: two sentences at least, four pages at most."""


class Semantic(Part):
    """The similarity tier of the cache."""

    similarity_threshold: Unit | None = Field(
        None, description="Least similarity of a hit; unset uses the store's."
    )
    word_check: Literal["strict", "loose", "off"] = Field(
        "strict",
        description=(
            "How the words of two similar questions are compared: strict wants the same topics, loose the "
            "same numbers, negations, opposites, names and order, off asks the vectors alone."
        ),
    )


class RequestControls(Part):
    """What clients may ask of a plugin by header."""

    enabled: bool = Field(default=False, description="Whether the header is read at all.")
    header: str = Field("", description="Name of the header.")
    allowed: Names = Field((), description="Directives that are honoured; empty means all.")
    max_ttl_seconds: Count | None = Field(None, description="Longest lifetime a client may ask for, seconds.")
    max_target_tokens: Count | None = Field(None, description="Largest target a client may ask for, tokens.")


class Personalized(Part):
    """Caching of requests enriched with a user's own data."""

    mode: Literal["disabled", "exact"] = Field("disabled", description="Whether exact repeats may hit.")


class CacheRevision(Part):
    """Marks that separate cache generations; changing one starts afresh."""

    cache_epoch: str = Field("", description="Generation of the cache.")
    model_revision: str = Field("", description="Generation of the models.")
    prompt_revision: str = Field("", description="Generation of the prompts.")
    policy_revision: str = Field("", description="Generation of the policy.")


class ResponseCache(Part):
    """Answers given again to the same or nearly the same question."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    mode: Literal["semantic", "exact", "exact_then_semantic"] = Field(
        "semantic", description="What counts as a hit."
    )
    scope: Literal["user", "team", "tenant", "global"] = Field("user", description="Who shares answers.")
    anonymous: Literal["shared", "skip"] = Field(
        "shared",
        description=(
            "Requests without the identity that the scope needs: shared has them share answers among "
            "themselves, skip keeps them out of the cache."
        ),
    )
    semantic: Semantic = Field(default_factory=Semantic, description="The similarity tier.")
    similarity_threshold: Unit | None = Field(
        None, description="Short form of semantic.similarity_threshold."
    )
    ttl_seconds: Count | None = Field(
        None, description="Lifetime of an answer, seconds; unset uses the store's."
    )
    request_controls: RequestControls = Field(
        default_factory=RequestControls, description="Client directives."
    )
    personalized: Personalized = Field(default_factory=Personalized, description="Personal requests.")
    revision: CacheRevision = Field(default_factory=CacheRevision, description="Cache generations.")
    allow_request_controls: bool | None = Field(None, description="Older form of request_controls.enabled.")
    control_header: str = Field("", description="Older form of request_controls.header.")


class SystemPrompt(Part):
    """Instructions put before the conversation."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    system_prompt: str = Field("", description="The instructions.")
    mode: Literal["insert", "replace"] = Field(
        "insert", description="insert puts them before the client's own instructions, replace drops those."
    )


class HeaderValue(Part):
    """A header and its value."""

    name: Name = Field(description="Header name.")
    value: str = Field(description="Header value.")

    @field_serializer("value", when_used="json")
    def _value(self, value: str) -> str:
        return MASK if CREDENTIAL_NAME.search(self.name) else value

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """The value only when it is no credential."""
        return (("name", self.name), ("value", self._value(self.value)))


class HeaderMutation(Part):
    """Static changes to the request headers sent upstream."""

    add: tuple[HeaderValue, ...] = Field((), description="Headers added.")
    update: tuple[HeaderValue, ...] = Field((), description="Headers overwritten.")
    delete: Names = Field((), description="Headers removed.")


class FastResponse(Part):
    """A fixed answer without a model call."""

    message: str = Field(min_length=1, description="What the client is told, as an ordinary completion.")


class RequestParams(Part):
    """Limits on what clients may ask of the model."""

    blocked_params: Names = Field((), description="Body fields removed.")
    max_tokens_limit: Positive | None = Field(
        None, description="Most tokens of an answer; larger wishes are cut."
    )
    max_n: Positive | None = Field(None, description="Most answers per request.")
    strip_unknown: bool = Field(
        default=False, description="Whether fields the API does not know are removed."
    )


class Tools(Part):
    """Which tools reach the model."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    mode: Literal["none", "passthrough", "filtered"] = Field(
        "passthrough", description="None, all or filtered."
    )
    semantic_selection: bool = Field(default=False, description="Whether tools are also chosen by meaning.")
    allow_tools: Names = Field((), description="Tools that may pass; empty allows all.")
    block_tools: Names = Field((), description="Tools that never pass.")
    strategy: str = Field("", description="Strategy of the selection by meaning.")
    strip_tool_history: bool = Field(
        default=False, description="Whether mode none also removes earlier calls and their results."
    )


class Hallucination(Part):
    """A check of answers against what they were given."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    use_nli: bool = Field(default=False, description="Whether an entailment model explains findings.")
    hallucination_action: Literal["header", "body", "none"] = Field(
        "header", description="Where findings go."
    )
    unverified_factual_action: Literal["header", "body", "none"] = Field(
        "header", description="Where a factual answer without sources is noted."
    )
    include_hallucination_details: bool = Field(default=False, description="Whether findings are quoted.")


class ResponseJailbreak(Part):
    """A check of answers for unsafe content."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    threshold: Unit | None = Field(None, description="Least score of a finding; unset uses the guard's.")
    action: Literal["header", "block", "none"] = Field("header", description="What a finding does.")
    window_characters: Window = Field(
        400, description="Most text of a stream held back until it was checked, characters."
    )


class ResponsePii(Part):
    """A check of answers for personal data that the request did not have."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    action: Literal["mask", "block", "header"] = Field(
        "mask", description="What a finding does: replace it by its kind, end the answer, or tell of it."
    )
    types: PiiTypes = Field((), description="Kinds that count; empty means all but types_allowed.")
    types_allowed: PiiTypes = Field((), description="Kinds that may pass.")
    threshold: Unit | None = Field(None, description="Least score of a finding; unset uses each kind's own.")
    window_characters: Window = Field(
        400, description="Most text of a stream held back until it was checked, characters."
    )


class PiiMask(Part):
    """Personal data replaced by placeholders on the way to the model, and put back in its answer."""

    enabled: bool = Field(default=True, description="False exempts the decision from guards.pii.")
    types: PiiTypes = Field((), description="Kinds that are replaced; empty means all but types_allowed.")
    types_allowed: PiiTypes = Field((), description="Kinds that may pass.")
    threshold: Unit | None = Field(None, description="Least score of a finding; unset uses each kind's own.")


class RouterReplay(Part):
    """A record of how each request was routed."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    max_records: Positive = Field(10000, description="Records kept; older ones are dropped.")
    capture_request_body: bool = Field(default=False, description="Whether prompts are recorded.")
    capture_response_body: bool = Field(default=False, description="Whether answers are recorded.")
    max_body_bytes: Count = Field(4096, description="Bytes kept of a body.")
    max_tool_trace_bytes: Count = Field(0, description="Bytes kept of a tool trace; 0 keeps all.")
    max_tool_trace_steps: Count = Field(0, description="Tool steps kept; 0 keeps all.")


def _canonical_type(value: Any) -> Any:
    return RESPONSE_CACHE_NAMES[0] if value in RESPONSE_CACHE_NAMES else value


class ResponseCachePlugin(Part):
    """``response_cache``."""

    type: Annotated[
        Literal["response_cache"],
        BeforeValidator(_canonical_type),
        WithJsonSchema({"type": "string", "enum": list(RESPONSE_CACHE_NAMES)}),
    ] = Field(description="Kind of plugin.")
    configuration: ResponseCache = Field(default_factory=ResponseCache, description="Its settings.")


class SystemPromptPlugin(Part):
    """``system_prompt``."""

    type: Literal["system_prompt"] = Field(description="Kind of plugin.")
    configuration: SystemPrompt = Field(default_factory=SystemPrompt, description="Its settings.")


class HeaderMutationPlugin(Part):
    """``header_mutation``."""

    type: Literal["header_mutation"] = Field(description="Kind of plugin.")
    configuration: HeaderMutation = Field(default_factory=HeaderMutation, description="Its settings.")


class FastResponsePlugin(Part):
    """``fast_response``."""

    type: Literal["fast_response"] = Field(description="Kind of plugin.")
    configuration: FastResponse = Field(description="Its settings.")


class RequestParamsPlugin(Part):
    """``request_params``."""

    type: Literal["request_params"] = Field(description="Kind of plugin.")
    configuration: RequestParams = Field(default_factory=RequestParams, description="Its settings.")


class ToolsPlugin(Part):
    """``tools``."""

    type: Literal["tools"] = Field(description="Kind of plugin.")
    configuration: Tools = Field(default_factory=Tools, description="Its settings.")


class ToolSelectionPlugin(Part):
    """``tool_selection``."""

    type: Literal["tool_selection"] = Field(description="Kind of plugin.")
    configuration: ToolSelection = Field(default_factory=ToolSelection, description="Its settings.")


class ContextCompressionPlugin(Part):
    """``context_compression``."""

    type: Literal["context_compression"] = Field(description="Kind of plugin.")
    configuration: ContextCompression = Field(default_factory=ContextCompression, description="Its settings.")


class HallucinationPlugin(Part):
    """``hallucination``."""

    type: Literal["hallucination"] = Field(description="Kind of plugin.")
    configuration: Hallucination = Field(default_factory=Hallucination, description="Its settings.")


class ResponseJailbreakPlugin(Part):
    """``response_jailbreak``."""

    type: Literal["response_jailbreak"] = Field(description="Kind of plugin.")
    configuration: ResponseJailbreak = Field(default_factory=ResponseJailbreak, description="Its settings.")


class ResponsePiiPlugin(Part):
    """``response_pii``."""

    type: Literal["response_pii"] = Field(description="Kind of plugin.")
    configuration: ResponsePii = Field(default_factory=ResponsePii, description="Its settings.")


class PiiMaskPlugin(Part):
    """``pii_mask``."""

    type: Literal["pii_mask"] = Field(description="Kind of plugin.")
    configuration: PiiMask = Field(default_factory=PiiMask, description="Its settings.")


class RouterReplayPlugin(Part):
    """``router_replay``."""

    type: Literal["router_replay"] = Field(description="Kind of plugin.")
    configuration: RouterReplay = Field(default_factory=RouterReplay, description="Its settings.")


class MemoryPlugin(Part):
    """``memory``."""

    type: Literal["memory"] = Field(description="Kind of plugin.")
    configuration: Memory = Field(default_factory=Memory, description="Its settings.")


class RagPlugin(Part):
    """``rag``."""

    type: Literal["rag"] = Field(description="Kind of plugin.")
    configuration: Rag = Field(description="Its settings.")


class ImageGenPlugin(Part):
    """``image_gen``."""

    type: Literal["image_gen"] = Field(description="Kind of plugin.")
    configuration: ImageGen = Field(default_factory=ImageGen, description="Its settings.")


def _tag(value: Any) -> str | None:
    """The union's tag of a plugin: its canonical type in angle brackets, so that key paths can drop it."""
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return f"<{_canonical_type(kind)}>" if isinstance(kind, str) else None


Plugin = Annotated[
    Annotated[ResponseCachePlugin, Tag("<response_cache>")]
    | Annotated[SystemPromptPlugin, Tag("<system_prompt>")]
    | Annotated[HeaderMutationPlugin, Tag("<header_mutation>")]
    | Annotated[FastResponsePlugin, Tag("<fast_response>")]
    | Annotated[RequestParamsPlugin, Tag("<request_params>")]
    | Annotated[ToolsPlugin, Tag("<tools>")]
    | Annotated[ToolSelectionPlugin, Tag("<tool_selection>")]
    | Annotated[ContextCompressionPlugin, Tag("<context_compression>")]
    | Annotated[HallucinationPlugin, Tag("<hallucination>")]
    | Annotated[ResponseJailbreakPlugin, Tag("<response_jailbreak>")]
    | Annotated[ResponsePiiPlugin, Tag("<response_pii>")]
    | Annotated[PiiMaskPlugin, Tag("<pii_mask>")]
    | Annotated[RouterReplayPlugin, Tag("<router_replay>")]
    | Annotated[MemoryPlugin, Tag("<memory>")]
    | Annotated[RagPlugin, Tag("<rag>")]
    | Annotated[ImageGenPlugin, Tag("<image_gen>")],
    Discriminator(_tag),
]
"""Any plugin; ``configuration`` has the fields of its ``type``."""
