"""``algorithm``: how a decision with several candidates picks one, or asks several."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from pointsman.config.base import Count, Name, Names, Number, Part, Positive, Unit, Weight, Whole

OnError = Literal["skip", "fail", "fallback"]
"""What a failed model call does: leave it out, fail the request, or use the first candidate."""


class RouterDC(Part):
    """Nearness of the request to model descriptions."""

    temperature: Number = Field(0.07, gt=0.0, description="Softmax temperature; lower is more decided.")
    dimension_size: Positive = Field(768, description="Dimensions of the embeddings compared.")
    min_similarity: Unit = Field(0.3, description="Least similarity; below it the first candidate is used.")
    use_query_contrastive: bool = Field(
        default=True, description="Whether queries are normalised against each other."
    )
    use_model_contrastive: bool = Field(
        default=True, description="Whether models are normalised against each other."
    )
    require_descriptions: bool = Field(
        default=False, description="Whether models without description are left out."
    )
    use_capabilities: bool = Field(
        default=True, description="Whether capabilities are part of the description."
    )


class AutoMix(Part):
    """Start cheap, escalate when the expected gain is worth its price."""

    verification_threshold: Unit | None = Field(
        None, description="Confidence from which no escalation happens."
    )
    max_escalations: Count | None = Field(None, description="Most escalations of one request.")
    cost_aware_routing: bool = Field(default=False, description="Whether prices count.")
    cost_quality_tradeoff: Unit | None = Field(None, description="0 looks at quality only, 1 at cost only.")
    discount_factor: Unit | None = Field(None, description="Worth of later gains.")
    use_logprob_verification: bool = Field(
        default=False, description="Whether log probabilities verify answers."
    )


class Hybrid(Part):
    """A weighted blend of experience, description match, AutoMix and cost."""

    experience_weight: Weight = Field(0.3, description="Weight of past outcomes.")
    router_dc_weight: Weight = Field(0.3, description="Weight of description match.")
    automix_weight: Weight = Field(0.2, description="Weight of AutoMix.")
    cost_weight: Weight = Field(0.2, description="Weight of price.")
    quality_gap_threshold: Unit = Field(
        0.1, description="Difference of scores below which the cheaper one wins."
    )
    normalize_scores: bool = Field(default=True, description="Whether scores are brought to one scale first.")


class LatencyAware(Part):
    """The fastest model by its own recent percentiles."""

    tpot_percentile: Whole | None = Field(
        None, ge=1, le=100, description="Percentile of time per output token."
    )
    ttft_percentile: Whole | None = Field(
        None, ge=1, le=100, description="Percentile of time to first token."
    )
    description: str = Field("", description="What the policy is for, for people.")


class FactorWeights(Part):
    """How much each factor counts."""

    quality: Weight = Field(0.25, description="Weight of quality scores.")
    latency: Weight = Field(0.25, description="Weight of latency.")
    cost: Weight = Field(0.25, description="Weight of price.")
    load: Weight = Field(0.25, description="Weight of requests in flight.")


class Slo(Part):
    """Bounds that exclude a candidate."""

    max_tpot_ms: Weight | None = Field(None, description="Longest time per output token, milliseconds.")
    max_ttft_ms: Weight | None = Field(None, description="Longest time to first token, milliseconds.")
    max_cost_per_1m: Weight | None = Field(None, description="Highest price per million tokens.")
    max_inflight: Positive | None = Field(None, description="Most requests in flight.")


class MultiFactor(Part):
    """Quality, latency, cost and load in one score, within service objectives."""

    weights: FactorWeights = Field(default_factory=FactorWeights, description="How much each factor counts.")
    slo: Slo = Field(default_factory=Slo, description="Bounds that exclude a candidate.")
    latency_percentile: Whole = Field(95, ge=1, le=100, description="Percentile that stands for latency.")
    latency_metric: Literal["ttft", "tpot"] = Field("ttft", description="Latency that counts.")
    on_no_candidates: Literal["cheapest", "first", "fail"] = Field(
        "cheapest", description="Choice when no candidate meets the objectives."
    )


class PromptSelection(Part):
    """A helper model that names the candidate."""

    model: Name = Field(description="Model that chooses.")
    instructions: str = Field("", description="What it is told about the candidates.")
    timeout_seconds: Positive = Field(5, description="Longest time it may take, seconds.")


class HybridWeights(Part):
    """Parts of the hybrid confidence."""

    logprob_weight: Weight = Field(0.5, description="Weight of the mean log probability.")
    margin_weight: Weight = Field(0.5, description="Weight of the margin to the second token.")


class Confidence(Part):
    """Models in turn until one is sure of its answer."""

    confidence_method: Literal["avg_logprob", "margin", "hybrid", "self_verify", "automix_entailment"] = (
        Field("avg_logprob", description="How sureness is measured.")
    )
    threshold: Number | None = Field(
        None, description="Sureness that ends the search; unset fits the method."
    )
    hybrid_weights: HybridWeights | None = Field(None, description="Parts of the hybrid measure.")
    on_error: OnError | None = Field(None, description="What a failed call does.")
    escalation_order: Literal["declared", "small_to_large", "size", "cost", "automix"] = Field(
        "declared", description="Order in which models are tried."
    )
    cost_quality_tradeoff: Unit | None = Field(None, description="0 looks at quality only, 1 at cost only.")
    token_filter: str = Field("", description="Which tokens count.")
    verifier_server_url: str = Field("", description="URL of an external verifier.")
    verifier_timeout_seconds: Count = Field(0, description="Longest time the verifier may take, seconds.")


class Ratings(Part):
    """All candidates at once, all answers returned."""

    max_concurrent: Positive | None = Field(None, description="Most calls at the same time.")
    on_error: OnError | None = Field(None, description="What a failed call does.")


class Remom(Part):
    """Rounds of parallel answers, compacted and fused."""

    breadth_schedule: tuple[Positive, ...] = Field((), description="Calls per round, such as [3, 2].")
    model_distribution: Literal["weighted", "equal", "round_robin", "first_only"] = Field(
        "weighted", description="How calls spread over the candidates."
    )
    temperature: Number | None = Field(None, ge=0.0, description="Sampling temperature.")
    include_reasoning: bool = Field(
        default=False, description="Whether reasoning is passed on between rounds."
    )
    compaction_strategy: str = Field("", description="How earlier answers are shortened.")
    compaction_tokens: Count | None = Field(None, description="Tokens kept of each earlier answer.")
    synthesis_template: str = Field("", description="What the fusing model is told.")
    synthesis_model: str = Field("", description="Model that fuses; empty is the first candidate.")
    max_concurrent: Positive | None = Field(None, description="Most calls at the same time.")
    max_completion_tokens: Positive | None = Field(None, description="Most tokens of one answer.")
    round_timeout_seconds: Positive | None = Field(None, description="Longest round, seconds.")
    min_successful_responses: Positive | None = Field(None, description="Answers a round needs.")
    on_error: OnError | None = Field(None, description="What a failed call does.")
    shuffle_seed: Whole | None = Field(None, description="Seed of the order in which answers are shown.")
    include_intermediate_responses: bool = Field(
        default=False, description="Whether clients see earlier rounds."
    )
    max_responses_per_round: Positive | None = Field(None, description="Answers passed on per round.")


class AnalysisOverride(Part):
    """Sampling of one panel member."""

    model: Name = Field(description="Panel member.")
    temperature: Number | None = Field(None, ge=0.0, description="Its sampling temperature.")
    max_completion_tokens: Positive | None = Field(None, description="Most tokens of its answer.")


class Grounding(Part):
    """Faithfulness of panel answers, used to guide the judge."""

    enabled: bool = Field(default=False, description="Whether answers are checked.")
    reference: Literal["hybrid", "context", "panel"] = Field(
        "hybrid", description="What answers are held against."
    )
    policy: Literal["weight", "annotate", "filter"] = Field(
        "weight", description="What becomes of the scores."
    )
    min_score: Unit = Field(0.0, description="Least score kept by filter.")
    min_keep: Positive = Field(1, description="Answers that filter always keeps.")
    nli_contradiction_penalty: Weight = Field(1.0, description="Weight of contradictions.")
    on_error: Literal["skip", "fail"] = Field("skip", description="What a failed check does.")


class Fusion(Part):
    """A panel of models, a judge and a fused answer."""

    model: str = Field("", description="Model that judges and fuses; empty is the first candidate.")
    analysis_models: Names = Field((), description="The panel.")
    analysis_mode: str = Field("", description="How the panel is asked.")
    analysis_overrides: tuple[AnalysisOverride, ...] = Field((), description="Sampling of panel members.")
    max_concurrent: Positive | None = Field(None, description="Most calls at the same time.")
    max_completion_tokens: Positive | None = Field(None, description="Most tokens of one answer.")
    round_timeout_seconds: Positive | None = Field(None, description="Longest round, seconds.")
    min_successful_responses: Positive | None = Field(None, description="Panel answers needed.")
    temperature: Number | None = Field(None, ge=0.0, description="Sampling temperature.")
    include_analysis: bool = Field(default=False, description="Whether clients see the judgement.")
    include_intermediate_responses: bool = Field(
        default=False, description="Whether clients see the panel's answers."
    )
    on_error: OnError | None = Field(None, description="What a failed call does.")
    analysis_template: str = Field("", description="What the panel is told.")
    synthesis_template: str = Field("", description="What the fusing model is told.")
    judge_prompt_version: str = Field("", description="Version of the judge's prompt.")
    grounding: Grounding = Field(default_factory=Grounding, description="Faithfulness check of the panel.")


class Planner(Part):
    """The model that plans a dynamic workflow."""

    model: Name = Field(description="Planning model.")


class Role(Part):
    """A step of a static workflow."""

    name: Name = Field(description="Name of the step.")
    model: str = Field("", description="Model that takes it.")
    prompt: str = Field("", description="What the model is told.")


class Workflows(Part):
    """Several models in steps, fixed or planned."""

    mode: Literal["static", "dynamic"] = Field(
        "static", description="Whether steps are written down or planned."
    )
    template: str = Field("", description="Built-in shape of the workflow.")
    planner: Planner | None = Field(None, description="Planning model, for dynamic.")
    roles: tuple[Role, ...] = Field((), description="Steps, for static.")
    max_steps: Positive | None = Field(None, description="Most steps.")
    max_parallel: Positive | None = Field(None, description="Most steps at the same time.")
    max_completion_tokens: Positive | None = Field(None, description="Most tokens of one answer.")
    round_timeout_seconds: Positive | None = Field(None, description="Longest step, seconds.")
    min_successful_responses: Positive | None = Field(None, description="Answers a step needs.")
    temperature: Number | None = Field(None, ge=0.0, description="Sampling temperature.")
    include_intermediate_responses: bool = Field(default=False, description="Whether clients see the steps.")
    on_error: OnError | None = Field(None, description="What a failed call does.")


class Knn(Part):
    """Votes of similar past requests."""

    k: Positive = Field(5, description="Neighbours that vote.")
    pretrained_path: str = Field("", description="File of the trained model.")


class Kmeans(Part):
    """The best model of the request's cluster."""

    num_clusters: Positive = Field(8, description="Clusters.")
    efficiency_weight: Unit = Field(0.3, description="How much speed counts against quality.")
    pretrained_path: str = Field("", description="File of the trained model.")


class Svm(Part):
    """A support vector machine over request embeddings."""

    kernel: Literal["rbf", "linear"] = Field("rbf", description="Kernel function.")
    gamma: Number = Field(1.0, gt=0.0, description="Width of the rbf kernel.")
    pretrained_path: str = Field("", description="File of the trained model.")


class Mlp(Part):
    """A small neural network over request embeddings."""

    device: str = Field("cpu", description="Where it runs.")
    pretrained_path: str = Field("", description="File of the trained model.")


class Algorithm(Part):
    """How one of several candidates is chosen; the block named like the type configures it."""

    type: Literal[
        "static",
        "weighted",
        "router_dc",
        "latency_aware",
        "multi_factor",
        "hybrid",
        "automix",
        "prompt",
        "knn",
        "kmeans",
        "svm",
        "mlp",
        "confidence",
        "ratings",
        "remom",
        "fusion",
        "workflows",
    ] = Field("static", description="Name of the algorithm; see docs/selection.md.")
    on_error: OnError | None = Field(None, description="What a failed selection does.")
    minimum_candidates: Positive | None = Field(None, description="Candidates the algorithm needs.")
    static: Mapping[str, str] = Field(default_factory=dict, description="Has no settings.")
    router_dc: RouterDC | None = Field(None, description="Settings of router_dc.")
    latency_aware: LatencyAware | None = Field(None, description="Settings of latency_aware.")
    multi_factor: MultiFactor | None = Field(None, description="Settings of multi_factor.")
    hybrid: Hybrid | None = Field(None, description="Settings of hybrid.")
    automix: AutoMix | None = Field(None, description="Settings of automix.")
    prompt: PromptSelection | None = Field(None, description="Settings of prompt.")
    knn: Knn | None = Field(None, description="Settings of knn.")
    kmeans: Kmeans | None = Field(None, description="Settings of kmeans.")
    svm: Svm | None = Field(None, description="Settings of svm.")
    mlp: Mlp | None = Field(None, description="Settings of mlp.")
    confidence: Confidence | None = Field(None, description="Settings of confidence.")
    ratings: Ratings | None = Field(None, description="Settings of ratings.")
    remom: Remom | None = Field(None, description="Settings of remom.")
    fusion: Fusion | None = Field(None, description="Settings of fusion.")
    workflows: Workflows | None = Field(None, description="Settings of workflows.")
