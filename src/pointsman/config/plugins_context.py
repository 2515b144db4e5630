"""Settings of the plugins that change what the model sees: tools, compression, retrieval, memory, images."""

from typing import Literal

from pydantic import Field

from pointsman.config.base import Cosine, Count, Free, Names, Part, Positive, Secret, Texts, Unit, Weight


class ToolWeights(Part):
    """Parts of a tool's score."""

    embed: Weight | None = Field(None, description="Weight of similarity in meaning.")
    lexical: Weight | None = Field(None, description="Weight of common words.")
    tag: Weight | None = Field(None, description="Weight of tags.")
    name: Weight | None = Field(None, description="Weight of the tool's name.")
    category: Weight | None = Field(None, description="Weight of the tool's category.")


class HybridHistory(Part):
    """How earlier tool calls influence the choice."""

    history_horizon: Count | None = Field(None, description="Earlier calls looked at.")
    min_history_steps: Count | None = Field(None, description="Earlier calls needed.")
    history_confidence_threshold: Unit | None = Field(None, description="Confidence needed.")
    weight_semantic: Weight | None = Field(None, description="Weight of meaning.")
    weight_history_transition: Weight | None = Field(None, description="Weight of usual sequences.")
    weight_decision_prior: Weight | None = Field(
        None, description="Weight of what the decision usually uses."
    )
    repetition_penalty_strength: Weight | None = Field(None, description="Penalty on repeating a call.")


class AdvancedFiltering(Part):
    """Finer choice among tools than similarity alone."""

    enabled: bool = Field(default=False, description="Whether it is used.")
    retrieval_strategy: str = Field("", description="How candidates are found.")
    candidate_pool_size: Positive | None = Field(None, description="Candidates scored.")
    min_lexical_overlap: Count | None = Field(None, description="Common words needed.")
    min_combined_score: Unit | None = Field(None, description="Least score.")
    min_lead: Cosine | None = Field(
        None,
        description="Least lead of the nearest tool over phrases that need no tool; unset: no comparison.",
    )
    weights: ToolWeights | None = Field(None, description="Parts of the score.")
    use_category_filter: bool = Field(
        default=False, description="Whether only tools of the request's category count."
    )
    category_confidence_threshold: Unit | None = Field(None, description="Confidence the category needs.")
    allow_tools: Names = Field((), description="Tools that may be chosen; empty allows all.")
    block_tools: Names = Field((), description="Tools never chosen.")
    hybrid_history: HybridHistory | None = Field(None, description="Influence of earlier calls.")


class ToolSelection(Part):
    """Tools added or filtered by meaning."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    mode: Literal["add", "filter"] = Field(
        "add", description="Add tools from the database or drop irrelevant ones."
    )
    tools_db_path: str = Field("", description="File of known tools; empty uses the global one.")
    top_k: Positive | None = Field(None, description="Most tools added.")
    similarity_threshold: Cosine | None = Field(None, description="Least similarity of an added tool.")
    strategy: Literal["default", "hybrid_history"] = Field("default", description="How tools are scored.")
    fallback_to_empty: bool | None = Field(None, description="Whether none found removes the field.")
    relevance_threshold: Unit | None = Field(None, description="Least relevance of a kept tool.")
    preserve_count: Count | None = Field(None, description="Tools always kept.")
    advanced_filtering: AdvancedFiltering | None = Field(None, description="Finer choice.")


class CompressionBudget(Part):
    """When compression starts and what it aims at; ``auto`` or tokens."""

    trigger_tokens: str = Field("auto", coerce_numbers_to_str=True, description="Size that starts it.")
    target_tokens: str = Field("auto", coerce_numbers_to_str=True, description="Size it aims at.")
    reserve_output_tokens: str = Field(
        "auto", coerce_numbers_to_str=True, description="Room left for the answer."
    )


class CompressionTarget(Part):
    """How one part of the conversation is treated."""

    mode: Literal["preserve", "extractive"] = Field(
        "preserve", description="Keep it or extract what matters."
    )
    min_tokens: Count | None = Field(None, description="Size below which it is kept.")
    target_tokens: Count | None = Field(None, description="Size it is cut to.")


class CompressionTargets(Part):
    """Treatment by part of the conversation."""

    current_user: CompressionTarget | None = Field(None, description="The current question.")
    tool_outputs: CompressionTarget | None = Field(None, description="What tools returned.")
    history: CompressionTarget | None = Field(None, description="Earlier turns.")
    rag: CompressionTarget | None = Field(None, description="Retrieved context.")
    memory: CompressionTarget | None = Field(None, description="Injected memories.")


class CompressionScoring(Part):
    """How passages are ranked."""

    method: str = Field("bm25", description="Ranking method.")
    embedding_model_ref: str = Field("", description="Embedding model, where the method needs one.")


class CompressionRecovery(Part):
    """Full text kept for a while, in case the model asks for it."""

    enabled: bool = Field(default=False, description="Whether it is kept.")
    store: str = Field("", description="Where it is kept.")
    ttl_seconds: Count | None = Field(None, description="How long, seconds.")
    max_bytes_per_request: Count | None = Field(None, description="Most bytes per request.")
    max_total_bytes: Count | None = Field(None, description="Most bytes altogether.")
    max_retrievals: Count | None = Field(None, description="Most retrievals per request.")


class CompressionControls(Part):
    """What clients may ask by header."""

    enabled: bool = Field(default=False, description="Whether the header is read.")
    header: str = Field("x-vsr-compression-control", description="Name of the header.")
    allowed: Names = Field((), description="Directives that are honoured.")
    max_target_tokens: Count | None = Field(None, description="Largest target a client may ask for, tokens.")


class ContextCompression(Part):
    """Long tool outputs and histories shortened by extraction."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    mode: str = Field("auto", description="How eagerly it compresses.")
    budget: CompressionBudget = Field(default_factory=CompressionBudget, description="When and how far.")
    targets: CompressionTargets = Field(default_factory=CompressionTargets, description="Treatment by part.")
    scoring: CompressionScoring = Field(
        default_factory=CompressionScoring, description="Ranking of passages."
    )
    recovery: CompressionRecovery = Field(default_factory=CompressionRecovery, description="Full text kept.")
    request_controls: CompressionControls = Field(
        default_factory=CompressionControls, description="Client directives."
    )
    failure_mode: Literal["fail_open", "fail_closed"] = Field("fail_open", description="What a failure does.")


class Rag(Part):
    """Context retrieved and given to the model."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    backend: Literal["milvus", "qdrant", "external_api", "mcp", "openai", "vectorstore", "hybrid"] = Field(
        description="Where context comes from."
    )
    similarity_threshold: Cosine | None = Field(None, description="Least similarity of a passage.")
    top_k: Positive | None = Field(None, description="Most passages.")
    max_context_length: Positive | None = Field(None, description="Most characters injected.")
    injection_mode: Literal["tool_role", "system_prompt"] = Field(
        "tool_role", description="Where context goes."
    )
    on_failure: Literal["skip", "warn", "block"] = Field("skip", description="What a failed retrieval does.")
    cache_results: bool = Field(default=False, description="Whether results are cached.")
    cache_ttl_seconds: Count | None = Field(None, description="Lifetime of cached results, seconds.")
    min_confidence_threshold: Unit | None = Field(None, description="Least confidence in the results.")
    backend_config: Free = Field(
        default_factory=dict, repr=False, description="Settings of the backend; hidden where printed."
    )


class Reflection(Part):
    """Which memories are worth injecting."""

    enabled: bool = Field(default=False, description="Whether memories are filtered.")
    algorithm: str = Field("", description="How they are filtered.")
    max_inject_tokens: Count | None = Field(None, description="Most tokens injected.")
    recency_decay_days: Weight | None = Field(None, description="Days after which a memory counts half.")
    dedup_threshold: Unit | None = Field(None, description="Similarity above which memories are the same.")
    block_patterns: Texts = Field((), description="Memories with these words are never injected.")


class Memory(Part):
    """Facts remembered about a user."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    retrieval_limit: Positive | None = Field(None, description="Most memories injected.")
    similarity_threshold: Unit | None = Field(None, description="Least similarity of a memory.")
    auto_store: bool | None = Field(None, description="Whether facts are remembered from answers.")
    hybrid_search: bool | None = Field(None, description="Whether words count beside meaning.")
    hybrid_mode: str = Field("", description="How both combine.")
    reflection: Reflection | None = Field(None, description="Which memories are injected.")


class ImageBackend(Part):
    """The image model called."""

    base_url: str = Field("", description="URL of the image API.")
    api_key: Secret | None = Field(None, description="Key of the image API.")
    model: str = Field("", description="Image model.")
    quality: str = Field("", description="Quality asked for.")
    style: str = Field("", description="Style asked for.")
    num_inference_steps: Positive | None = Field(None, description="Diffusion steps.")
    cfg_scale: Weight | None = Field(None, description="How closely the prompt is followed.")


class ImageGen(Part):
    """Images made on request."""

    enabled: bool = Field(default=True, description="Whether the plugin runs.")
    backend: Literal["", "openai", "vllm_omni"] = Field("", description="Kind of image API.")
    backend_config: ImageBackend = Field(default_factory=ImageBackend, description="The image model called.")
    modality_detection: Free = Field(default_factory=dict, description="How wishes are recognised.")
    default_width: Positive | None = Field(None, description="Width, pixels.")
    default_height: Positive | None = Field(None, description="Height, pixels.")
    timeout_seconds: Positive | None = Field(None, description="Longest time an image may take, seconds.")
