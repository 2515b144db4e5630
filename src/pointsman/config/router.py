"""``global.router``: how routing behaves as a whole."""

from typing import Final, Literal

from pydantic import Field

from pointsman.config.algorithms import AutoMix, Hybrid, Kmeans, Knn, Mlp, RouterDC, Svm
from pointsman.config.base import Count, Part, Positive, Secret, Weight
from pointsman.core.decision import Strategy

AUTO_MODEL_NAMES: Final = ("vllm-sr/auto", "auto")
"""Virtual names that always work unless ``auto_model_names`` replaces them."""


class StreamedBody(Part):
    """Request bodies taken in pieces."""

    enabled: bool = Field(default=False, description="Whether bodies are streamed to the router.")
    max_bytes: Count | None = Field(None, description="Largest body, bytes; unset uses gateway.limits.")
    timeout_sec: Count | None = Field(None, description="Longest time a body may take, seconds.")


class SkipProcessing(Part):
    """A header with which trusted clients bypass routing."""

    enabled: bool = Field(
        default=False, description="Whether x-vsr-skip-processing is honoured; off, since clients lie."
    )


class Momentum(Part):
    """Inertia of model selection."""

    enabled: bool = Field(default=False, description="Whether earlier choices count.")
    attack: Weight | None = Field(None, description="Speed of rising.")
    release: Weight | None = Field(None, description="Speed of falling.")
    threshold: Weight | None = Field(None, description="Difference that switches.")


class MlSelection(Part):
    """Learned selection."""

    models_path: str = Field("", description="Folder of trained models.")
    model_type: str = Field("", description="Embedding model of the features.")
    embedding_dim: Positive | None = Field(None, description="Dimensions of the features.")
    knn: Knn | None = Field(None, description="Settings of knn.")
    kmeans: Kmeans | None = Field(None, description="Settings of kmeans.")
    svm: Svm | None = Field(None, description="Settings of svm.")
    mlp: Mlp | None = Field(None, description="Settings of mlp.")


class ModelSelection(Part):
    """Defaults of the selection algorithms."""

    enabled: bool = Field(default=True, description="Whether algorithms are available to decisions.")
    method: str = Field(
        "knn", description="Global default; decisions without an algorithm are static regardless."
    )
    router_dc: RouterDC | None = Field(None, description="Defaults of router_dc.")
    automix: AutoMix | None = Field(None, description="Defaults of automix.")
    hybrid: Hybrid | None = Field(None, description="Defaults of hybrid.")
    momentum: Momentum | None = Field(None, description="Inertia.")
    ml: MlSelection | None = Field(None, description="Learned selection.")


class LearningAdaptation(Part):
    """Candidates re-weighted by outcomes."""

    enabled: bool = Field(default=False, description="Whether outcomes count.")
    candidate_set: Literal["decision", "tier", "global"] = Field(
        "decision", description="Which candidates compete."
    )
    strategy: Literal["routing_sampling"] = Field("routing_sampling", description="How outcomes count.")


class IdentityHeaders(Part):
    """Headers that name a conversation."""

    session: str = Field("x-session-id", description="Header with the session's id.")
    conversation: str = Field("x-conversation-id", description="Header with the conversation's id.")


class LearningIdentity(Part):
    """How conversations are told apart."""

    headers: IdentityHeaders = Field(default_factory=IdentityHeaders, description="Headers that name them.")


class LearningTuning(Part):
    """How readily a conversation switches models."""

    idle_timeout_seconds: Count | None = Field(None, description="Silence that ends a conversation, seconds.")
    min_turns_before_switch: Count | None = Field(None, description="Turns before a switch.")
    switch_margin: Weight | None = Field(None, description="Gain a switch must promise.")
    stability_weight: Weight | None = Field(None, description="Weight of staying.")


class LearningProtection(Part):
    """Conversations kept from switching models without gain."""

    enabled: bool = Field(default=False, description="Whether conversations are protected.")
    scope: Literal["conversation", "session"] = Field("conversation", description="What is protected.")
    identity: LearningIdentity = Field(
        default_factory=LearningIdentity, description="How they are told apart."
    )
    tuning: LearningTuning = Field(default_factory=LearningTuning, description="How readily they switch.")


class LearningRedis(Part):
    """Redis that holds learning state."""

    address: str = Field("", description="host:port.")
    password: Secret | None = Field(None, description="Password.")
    database: Count = Field(0, description="Database number.")
    key_prefix: str = Field("", description="Prefix of the keys.")


class LearningState(Part):
    """Where learning state is shared between replicas."""

    backend: Literal["redis"] = Field("redis", description="Kind of store.")
    ttl_seconds: Count | None = Field(None, description="Lifetime of state, seconds.")
    timeout_ms: Positive | None = Field(None, description="Longest access, milliseconds.")
    redis: LearningRedis = Field(default_factory=LearningRedis, description="The store.")


class Learning(Part):
    """Learning from outcomes while running."""

    enabled: bool = Field(default=False, description="Whether the router learns.")
    adaptation: LearningAdaptation = Field(
        default_factory=LearningAdaptation, description="Candidates re-weighted."
    )
    protection: LearningProtection = Field(
        default_factory=LearningProtection, description="Conversations kept."
    )
    state_store: LearningState | None = Field(None, description="Shared state; unset keeps it per process.")


class Router(Part):
    """How routing behaves as a whole."""

    config_source: Literal["file", "kubernetes"] = Field("file", description="Where the document comes from.")
    strategy: Strategy = Field(
        Strategy.PRIORITY,
        description="What ranks first among matched decisions; priority is the author's word.",
    )
    auto_model_name: str = Field("MoM", description="A further virtual model name that turns routing on.")
    auto_model_names: tuple[str, ...] | None = Field(
        None, description="All virtual names, replacing the built-in ones; an empty list turns routing off."
    )
    include_config_models_in_list: bool = Field(
        default=False, description="Whether /v1/models lists the models behind the virtual names too."
    )
    clear_route_cache: bool = Field(
        default=True, description="Whether the data plane routes anew after a decision."
    )
    streamed_body: StreamedBody = Field(default_factory=StreamedBody, description="Bodies in pieces.")
    skip_processing: SkipProcessing = Field(default_factory=SkipProcessing, description="Bypass by header.")
    model_selection: ModelSelection = Field(default_factory=ModelSelection, description="Selection defaults.")
    learning: Learning = Field(default_factory=Learning, description="Learning from outcomes.")

    @property
    def virtual_names(self) -> tuple[str, ...]:
        """Every model name that turns routing on, without duplicates."""
        if self.auto_model_names is not None:
            return tuple(dict.fromkeys(self.auto_model_names))
        return tuple(dict.fromkeys(name for name in (*AUTO_MODEL_NAMES, self.auto_model_name) if name))
