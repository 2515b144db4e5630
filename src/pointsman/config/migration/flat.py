"""The shape of the flat documents: which keys they may have, and what the migration computes with.

Values that only move are checked by the v0.3 schema afterwards; here they may be anything.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from pointsman.config.base import Name, Names, Number, Part, Texts, Unit, Whole


def _scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise ValueError("stands where a single value belongs: write a text, a number, true or false")  # noqa: TRY004 pydantic reports ValueError
    return value


Scalar = Annotated[Any, BeforeValidator(_scalar)]
"""A text, number or truth value, checked later."""
Block = Mapping[str, Any]
"""A mapping that moves as a whole."""
Rules = tuple[Block, ...]
"""Signal rules that move as they are."""


class PiiPolicy(Part):
    """Which personal data a model may see."""

    allow_by_default: bool = False
    pii_types_allowed: Names = ()


class Model(Part):
    """An entry of ``model_config``."""

    reasoning_family: Scalar = None
    preferred_endpoints: Names = ()
    pii_policy: PiiPolicy | None = None
    loras: Rules = ()
    pricing: Block | None = None
    external_model_ids: Block | None = None
    access_key: Scalar = None
    api_format: Scalar = None
    reliability: Block | None = None
    param_size: Scalar = None
    context_window_size: Scalar = None
    description: Scalar = None
    capabilities: Names = ()
    quality_score: Scalar = None
    modality: Scalar = None
    tags: Names = ()
    image_gen_backend: Scalar = None


class Endpoint(Part):
    """An entry of ``vllm_endpoints``."""

    name: Name
    address: Scalar = None
    port: Scalar = None
    weight: Scalar = None
    type: Scalar = None
    api_key: Scalar = None
    provider_profile: str = ""
    protocol: Scalar = None
    model: str = ""
    models: Names = ()


class Profile(Part):
    """An entry of ``provider_profiles``."""

    type: Scalar = None
    base_url: Scalar = None
    auth_header: Scalar = None
    auth_prefix: Scalar = None
    extra_headers: Block | None = None
    api_version: Scalar = None
    chat_path: Scalar = None


class Score(Part):
    """A candidate of a category and its rating."""

    model: Name
    score: Number = 0.0
    lora_name: Scalar = None
    use_reasoning: Scalar = None
    reasoning_description: Scalar = None
    reasoning_effort: Scalar = None


class Category(Part):
    """A category: a domain, and in era A a route with its policies."""

    name: Name
    description: Scalar = None
    mmlu_categories: Names = ()
    model_scores: tuple[Score, ...] = ()
    system_prompt: Scalar = None
    system_prompt_enabled: Scalar = None
    system_prompt_mode: Scalar = None
    semantic_cache_enabled: bool | None = None
    semantic_cache_similarity_threshold: Scalar = None
    jailbreak_enabled: bool | None = None
    jailbreak_threshold: Unit | None = None
    pii_enabled: bool | None = None
    pii_threshold: Unit | None = None


class KeywordRule(Part):
    """A keyword rule; ``category`` is the older name of ``name``."""

    name: str = ""
    category: str = ""
    description: Scalar = None
    operator: Scalar = None
    keywords: Texts = ()
    case_sensitive: Scalar = None
    method: Scalar = None
    fuzzy_match: Scalar = None
    fuzzy_threshold: Scalar = None
    bm25_threshold: Scalar = None
    ngram_threshold: Scalar = None
    ngram_arity: Scalar = None


class JailbreakSettings(Part):
    """Settings of the jailbreak plugin."""

    enabled: bool = False
    threshold: Unit | None = None


class PiiSettings(JailbreakSettings):
    """Settings of the pii plugin."""

    pii_types_allowed: Names = ()


class JailbreakPlugin(Part):
    """``jailbreak``, which became a guard."""

    type: Literal["jailbreak"]
    configuration: JailbreakSettings = Field(default_factory=JailbreakSettings)


class PiiPlugin(Part):
    """``pii``, which became a guard."""

    type: Literal["pii"]
    configuration: PiiSettings = Field(default_factory=PiiSettings)


class OtherPlugin(Part):
    """A plugin that stayed one; the v0.3 schema knows its settings."""

    type: Name
    configuration: Block = Field(default_factory=dict)


def _tag(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    return f"<{kind}>" if kind in {"jailbreak", "pii"} else "<other>"


FlatPlugin = Annotated[
    Annotated[JailbreakPlugin, Tag("<jailbreak>")]
    | Annotated[PiiPlugin, Tag("<pii>")]
    | Annotated[OtherPlugin, Tag("<other>")],
    Discriminator(_tag),
]
"""A plugin of a decision, told apart by ``type``."""


class FlatDecision(Part):
    """A decision of eras B and C."""

    name: Name
    description: Scalar = None
    priority: Whole = 0
    tier: Whole = 0
    rules: Block | None = None
    model_refs: Rules = Field((), alias="modelRefs")
    plugins: tuple[FlatPlugin, ...] = ()
    algorithm: Block | None = None
    output_contract: Scalar = None
    annotations: Block | None = None


class FlatDocument(Part):
    """The flat document as a whole."""

    version: Scalar = None
    listeners: Rules = ()
    guards: Block | None = None
    fleet: Block | None = None
    gateway: Block | None = None
    config_source: Scalar = None
    mom_registry: Block | None = None
    vllm_endpoints: tuple[Endpoint, ...] = ()
    provider_profiles: Mapping[str, Profile] = Field(default_factory=dict)
    models: Mapping[str, Model] = Field(default_factory=dict, alias="model_config")
    image_gen_backends: Block | None = None
    default_model: Scalar = None
    reasoning_families: Block | None = None
    default_reasoning_effort: Scalar = None
    auto_model_name: Scalar = None
    auto_model_names: Names | None = None
    include_config_models_in_list: Scalar = None
    clear_route_cache: Scalar = None
    streamed_body_mode: Scalar = None
    max_streamed_body_bytes: Scalar = None
    streamed_body_timeout_sec: Scalar = None
    skip_processing: Block | None = None
    strategy: Scalar = None
    model_selection: Block | None = None
    categories: tuple[Category, ...] = ()
    decisions: tuple[FlatDecision, ...] = ()
    signals: Mapping[str, Rules] = Field(default_factory=dict)
    keyword_rules: tuple[KeywordRule, ...] = ()
    embedding_rules: Rules = ()
    fact_check_rules: Rules = ()
    user_feedback_rules: Rules = ()
    reask_rules: Rules = ()
    preference_rules: Rules = ()
    language_rules: Rules = ()
    latency_rules: Rules = ()
    context_rules: Rules = ()
    structure_rules: Rules = ()
    complexity_rules: Rules = ()
    modality_rules: Rules = ()
    role_bindings: Rules = ()
    jailbreak: Rules = ()
    pii: Rules = ()
    kb: Rules = ()
    conversation: Rules = ()
    events: Rules = ()
    metadata: Rules = ()
    classifiers: Rules = ()
    projections: Block | None = None
    semantic_cache: Block | None = None
    memory: Block | None = None
    vector_store: Block | None = None
    tools: Block | None = None
    looper: Block | None = None
    api: Block | None = None
    observability: Block | None = None
    authz: Block | None = None
    ratelimit: Block | None = None
    response_api: Block | None = None
    router_replay: Block | None = None
    bert_model: Block | None = None
    embedding_models: Block | None = None
    prompt_guard: Block | None = None
    prompt_compression: Block | None = None
    classifier: Mapping[str, Block] = Field(default_factory=dict)
    hallucination_mitigation: Block | None = None
    feedback_detector: Block | None = None
    modality_detector: Block | None = None
    external_models: Rules = ()
    system_models: Block | None = None
    router: Block | None = None


_ANY_ERA: Final = frozenset({"version", "listeners", "guards", "fleet", "gateway"})
_TELLING: Final = frozenset(info.alias or name for name, info in FlatDocument.model_fields.items()) - _ANY_ERA
_CANONICAL: Final = frozenset({"routing", "global", "providers"})


def is_flat(document: Mapping[str, Any]) -> bool:
    """Whether a document has the shape from before v0.3: known keys of it, and no section of the new one."""
    if document.keys() & _CANONICAL or document.get("version") == "v0.3":
        return False
    return bool(document.keys() & _TELLING)


def era_of(document: Mapping[str, Any]) -> str:
    """Which of the three flat shapes a flat document has, for people."""
    if any("model_scores" in category for category in document.get("categories", ())) and not document.get(
        "decisions"
    ):
        return "era A, late 2025"
    models = {key: document.get(key) for key in ("embedding_models", "classifier", "prompt_guard")}
    if "mmbert" in str(models):
        return "era C, early 2026"
    return "era B, late 2025" if document.get("decisions") else "eras A to C"
