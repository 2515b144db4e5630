"""``global.model_catalog``: the small models that observe requests."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from pointsman.config.base import Count, Name, Names, Part, Port, Positive, Secret, Texts, Unit, Weight
from pointsman.config.stores import EmbeddingModel


class PrototypeScoring(Part):
    """How several examples become one score."""

    enabled: bool = Field(default=True, description="Whether examples are clustered.")
    cluster_similarity_threshold: Unit = Field(0.9, description="Similarity above which examples are one.")
    max_prototypes: Positive = Field(8, description="Most clusters.")
    best_weight: Unit = Field(
        0.75, description="Weight of the best cluster against the mean of the best few."
    )
    top_m: Positive = Field(2, description="Clusters in that mean.")
    margin_threshold: Weight = Field(0.0, description="Lead the best rule needs over the second.")


class EmbeddingConfig(Part):
    """How similarity signals decide."""

    backend: str = Field("", description="Engine that runs the model.")
    model_type: EmbeddingModel = Field("mmbert", description="Model used.")
    preload_embeddings: bool = Field(default=True, description="Whether examples are embedded at start.")
    target_dimension: Count = Field(768, description="Dimensions kept.")
    target_layer: Count = Field(22, description="Layer the embedding is taken from.")
    enable_soft_matching: bool = Field(default=True, description="Whether near misses match weakly.")
    top_k: Count = Field(1, description="Rules that may match at once; 0 is all.")
    min_score_threshold: Unit = Field(0.5, description="Least score of a weak match.")
    prototype_scoring: PrototypeScoring = Field(
        default_factory=PrototypeScoring, description="Several examples."
    )


class EmbeddingEndpoint(Part):
    """An embedding service elsewhere."""

    base_url: str = Field("", description="URL of its API.")
    model: str = Field("", description="Model it runs.")
    api_key_env: str = Field("", description="Environment variable that holds its key.")
    timeout_seconds: Positive | None = Field(None, description="Longest call, seconds.")
    max_retries: Count | None = Field(None, description="Retries of a call.")
    dimensions: Positive | None = Field(None, description="Dimensions of its vectors.")


class SemanticEmbeddings(Part):
    """Models that turn text into vectors."""

    qwen3_model_path: str = Field("", description="Folder of the Qwen3 model.")
    gemma_model_path: str = Field("", description="Folder of the Gemma model.")
    mmbert_model_path: str = Field(
        "models/mmbert-embed-32k-2d-matryoshka", description="Folder of the mmBERT model."
    )
    multimodal_model_path: str = Field("", description="Folder of the multimodal model.")
    bert_model_path: str = Field("", description="Folder of the BERT model.")
    use_cpu: bool = Field(default=True, description="Whether they run on the CPU.")
    embedding_config: EmbeddingConfig = Field(default_factory=EmbeddingConfig, description="How they decide.")
    endpoint: EmbeddingEndpoint | None = Field(None, description="A service used instead.")


class Embeddings(Part):
    """Embedding models."""

    semantic: SemanticEmbeddings = Field(default_factory=SemanticEmbeddings, description="Text to vectors.")


class SystemModels(Part):
    """Folders of the classifiers."""

    prompt_guard: str = Field("", description="Jailbreak classifier.")
    domain_classifier: str = Field("", description="Domain classifier.")
    pii_classifier: str = Field("", description="Personal data classifier.")
    fact_check_classifier: str = Field("", description="Fact check classifier.")
    hallucination_detector: str = Field("", description="Hallucination detector.")
    hallucination_explainer: str = Field("", description="Entailment model.")
    feedback_detector: str = Field("", description="Feedback classifier.")


class LlmEndpoint(Part):
    """Where an external model runs."""

    address: str = Field("", description="Host name.")
    port: Port | None = Field(None, description="TCP port.")
    protocol: Literal["http", "https"] = Field("http", description="Protocol.")
    name: str = Field("", description="Label.")
    use_chat_template: bool = Field(default=False, description="Whether it is asked by chat.")
    prompt_template: str = Field("", description="What it is told.")


class ExternalModel(Part):
    """A model elsewhere that observes requests."""

    name: Name = Field(description="Name signals refer to.")
    llm_provider: str = Field("", description="Kind of provider.")
    model_role: str = Field("", description="What it is for, such as guardrail or classification.")
    llm_endpoint: LlmEndpoint = Field(default_factory=LlmEndpoint, description="Where it runs.")
    llm_model_name: str = Field("", description="Model it runs.")
    llm_timeout_seconds: Positive | None = Field(None, description="Longest call, seconds.")
    parser_type: str = Field("", description="How its answer is read.")
    threshold: Unit | None = Field(None, description="Least score that matches.")
    access_key: Secret | None = Field(None, description="Its key.")
    max_tokens: Positive | None = Field(None, description="Most tokens of its answer.")
    temperature: Weight | None = Field(None, description="Its sampling temperature.")


class KbSource(Part):
    """Files of a knowledge base."""

    path: Name = Field(description="Folder.")
    manifest: str = Field("labels.json", description="List of labels in that folder.")


class KbMetric(Part):
    """A number computed from a knowledge base."""

    name: Name = Field(description="Name projections refer to.")
    type: Literal["group_margin"] = Field("group_margin", description="How it is computed.")
    positive_group: str = Field("", description="Group that counts for.")
    negative_group: str = Field("", description="Group that counts against.")


class KnowledgeBase(Part):
    """Labelled example texts."""

    name: Name = Field(description="Name kb signals refer to.")
    source: KbSource = Field(description="Its files.")
    threshold: Unit | None = Field(
        None, description="Least similarity that matches; unset is embedding_config.min_score_threshold."
    )
    label_thresholds: Mapping[str, Unit] = Field(default_factory=dict, description="Threshold by label.")
    groups: Mapping[str, Names] = Field(default_factory=dict, description="Labels by group.")
    metrics: tuple[KbMetric, ...] = Field((), description="Numbers computed from it.")
    prototype_scoring: PrototypeScoring | None = Field(None, description="Several examples.")


class PromptCompression(Part):
    """Long prompts shortened before classification, never before the model."""

    enabled: bool = Field(default=False, description="Whether prompts are shortened.")
    profile: Literal["default", "coding", "medical", "security", "multi_turn"] = Field(
        "default", description="Preset of the weights."
    )
    max_tokens: Positive | None = Field(None, description="Length aimed at, tokens.")
    min_length: Count | None = Field(None, description="Length below which nothing happens, characters.")
    skip_signals: Names = Field((), description="Signals that see the whole prompt.")
    textrank_weight: Weight | None = Field(None, description="Weight of centrality.")
    position_weight: Weight | None = Field(None, description="Weight of position.")
    tfidf_weight: Weight | None = Field(None, description="Weight of rare words.")
    novelty_weight: Weight | None = Field(None, description="Weight of novelty.")
    position_depth: Weight | None = Field(None, description="How far position counts.")
    preserve_first_n: Count | None = Field(None, description="Sentences kept at the start.")
    preserve_last_n: Count | None = Field(None, description="Sentences kept at the end.")


class PromptGuard(Part):
    """The jailbreak classifier."""

    enabled: bool = Field(default=True, description="Whether it may be used.")
    model_ref: str = Field("", description="Key under system.")
    model_id: str = Field("", description="Folder or name of the model.")
    threshold: Unit = Field(0.7, description="Least score that counts as an attempt.")
    use_cpu: bool = Field(default=True, description="Whether it runs on the CPU.")
    variant: str = Field("mmbert32k", description="Architecture.")
    backend: Literal["candle", "mmbert32k", "http_chat", "http_classify"] = Field(
        "candle", description="Engine."
    )
    jailbreak_mapping_path: str = Field("", description="File that names its labels.")
    positive_labels: Names = Field(("jailbreak",), description="Labels that count as an attempt.")
    on_error: Literal["allow", "block"] = Field(
        "allow", description="Outcome when it fails; unwritten, no decision rests on it."
    )
    use_vllm: bool | None = Field(None, description="Older form of backend.")


class ClassifierModule(Part):
    """What the built-in classifiers share."""

    model_ref: str = Field("", description="Key under system.")
    model_id: str = Field("", description="Folder or name of the model.")
    use_cpu: bool = Field(default=True, description="Whether it runs on the CPU.")
    use_mmbert_32k: bool = Field(default=True, description="Whether the 32K architecture is used.")


class DomainModule(ClassifierModule):
    """The domain classifier."""

    threshold: Unit = Field(0.5, description="Least probability of a domain; below it none matches.")
    category_mapping_path: str = Field("", description="File that names its labels.")
    fallback_category: str = Field("", description="Domain reported by the debug API below the threshold.")


class McpModule(Part):
    """A domain classifier behind the Model Context Protocol."""

    enabled: bool = Field(default=False, description="Whether it is used.")
    transport_type: Literal["stdio", "streamable-http"] = Field("stdio", description="How it is reached.")
    command: str = Field("", description="Program to start.")
    args: tuple[str, ...] = Field((), description="Arguments of the program.")
    env: Mapping[str, Secret] = Field(default_factory=dict, description="Environment of the program.")
    url: str = Field("", description="URL of the server.")
    tool_name: str = Field("", description="Tool to call.")
    threshold: Unit | None = Field(None, description="Least score of a domain.")
    timeout_seconds: Positive | None = Field(None, description="Longest call, seconds.")


class PiiModule(ClassifierModule):
    """The personal data classifier."""

    threshold: Unit = Field(0.9, description="Least score of an entity; unwritten, each kind's own is used.")
    pii_mapping_path: str = Field("", description="File that names its labels.")


class PreferenceModule(Part):
    """The preference classifier."""

    use_contrastive: bool = Field(default=True, description="Whether examples decide rather than a model.")
    embedding_model: str = Field("", description="Model that measures similarity.")
    prototype_scoring: PrototypeScoring | None = Field(None, description="Several examples.")


class Classifiers(Part):
    """The built-in classifiers."""

    domain: DomainModule = Field(default_factory=DomainModule, description="Subject of a text.")
    mcp: McpModule = Field(default_factory=McpModule, description="Subject, decided elsewhere.")
    pii: PiiModule = Field(default_factory=PiiModule, description="Personal data.")
    preference: PreferenceModule = Field(default_factory=PreferenceModule, description="Preferences.")


class ComplexityModule(Part):
    """Difficulty by examples."""

    prototype_scoring: PrototypeScoring | None = Field(None, description="Several examples.")


class FactCheckModule(ClassifierModule):
    """The fact check classifier."""

    threshold: Unit = Field(0.6, description="Least probability that facts are claimed.")


class HallucinationDetector(ClassifierModule):
    """Finds what an answer does not have from its sources."""

    backend: str = Field("", description="Engine.")
    endpoint: str = Field("", description="URL of a detector elsewhere.")
    threshold: Unit = Field(0.8, description="Least score of a finding.")
    min_span_length: Count = Field(2, description="Shortest finding, tokens.")
    min_span_confidence: Unit = Field(0.6, description="Least confidence of a finding.")
    context_window_size: Positive = Field(50, description="Tokens of context around a finding.")
    enable_nli_filtering: bool = Field(default=True, description="Whether entailment clears findings.")
    nli_entailment_threshold: Unit = Field(0.75, description="Entailment that clears a finding.")


class Explainer(ClassifierModule):
    """Says whether a source supports a sentence."""

    threshold: Unit = Field(0.9, description="Least score of a verdict.")


class HallucinationMitigation(Part):
    """Checks of answers against their sources."""

    enabled: bool = Field(default=False, description="Whether answers are checked.")
    on_hallucination_detected: str = Field("", description="What a finding does.")
    fact_check: FactCheckModule = Field(
        default_factory=FactCheckModule, description="Which answers are checked."
    )
    detector: HallucinationDetector = Field(
        default_factory=HallucinationDetector, description="The detector."
    )
    explainer: Explainer = Field(default_factory=Explainer, description="The explainer.")


class FeedbackDetector(ClassifierModule):
    """What the user thinks of the previous answer."""

    enabled: bool = Field(default=True, description="Whether it may be used.")
    threshold: Unit = Field(0.7, description="Least score; below it the user is satisfied.")
    use_modernbert: bool = Field(default=False, description="Whether the older architecture is used.")
    feedback_mapping_path: str = Field("", description="File that names its labels.")


class ModalityClassifier(Part):
    """The modality classifier."""

    model_path: str = Field("", description="Folder of the model.")
    use_cpu: bool = Field(default=True, description="Whether it runs on the CPU.")


class ModalityDetector(Part):
    """Whether text, an image or both are wanted."""

    enabled: bool = Field(default=False, description="Whether it is used; unwritten, it is.")
    prompt_prefixes: Texts = Field((), description="Beginnings that ask for an image.")
    method: Literal["classifier", "keyword", "hybrid"] = Field("hybrid", description="How it decides.")
    classifier: ModalityClassifier | None = Field(None, description="The classifier.")
    keywords: Texts = Field((), description="Words that ask for an image.")
    both_keywords: Texts = Field((), description="Words that ask for both.")
    confidence_threshold: Unit | None = Field(None, description="Least probability; unset is 0.5.")
    lower_threshold_ratio: Unit | None = Field(
        None, description="Share of the threshold that words need; unset is 0.7."
    )


class Modules(Part):
    """The built-in observers."""

    prompt_compression: PromptCompression = Field(
        default_factory=PromptCompression, description="Long prompts."
    )
    prompt_guard: PromptGuard = Field(default_factory=PromptGuard, description="Jailbreaks.")
    classifier: Classifiers = Field(
        default_factory=Classifiers, description="Domain, personal data, preference."
    )
    complexity: ComplexityModule = Field(default_factory=ComplexityModule, description="Difficulty.")
    hallucination_mitigation: HallucinationMitigation = Field(
        default_factory=HallucinationMitigation, description="Answers against sources."
    )
    feedback_detector: FeedbackDetector = Field(default_factory=FeedbackDetector, description="Opinions.")
    modality_detector: ModalityDetector = Field(
        default_factory=ModalityDetector, description="Text or image."
    )


class ModelCatalog(Part):
    """Models that observe, as opposed to models that answer."""

    embeddings: Embeddings = Field(default_factory=Embeddings, description="Text to vectors.")
    system: SystemModels = Field(default_factory=SystemModels, description="Folders of the classifiers.")
    external: tuple[ExternalModel, ...] = Field((), description="Models elsewhere.")
    kbs: tuple[KnowledgeBase, ...] = Field((), description="Knowledge bases.")
    modules: Modules = Field(default_factory=Modules, description="The built-in observers.")
