"""``routing.signals``: what is observed about a request, one list per family."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field

from pointsman.config.base import Cosine, Name, Names, Number, Part, Positive, Texts, Tokens, Unit, Whole
from pointsman.config.conditions import Predicate, Rule

DOMAIN_LABELS: Final = (
    "biology",
    "business",
    "chemistry",
    "computer science",
    "economics",
    "engineering",
    "health",
    "history",
    "law",
    "math",
    "other",
    "philosophy",
    "physics",
    "psychology",
)
"""The subjects a domain classifier tells apart, as ``mmlu_categories`` names them."""


class SignalRule(Part):
    """What every signal has."""

    name: Name = Field(description="Name that conditions refer to.")
    description: str = Field("", description="What the signal means, for people.")


class KeywordSignal(SignalRule):
    """Words and phrases found in the text."""

    operator: Literal["AND", "OR", "NOR"] = Field("OR", description="Whether all, any or none must occur.")
    keywords: Texts = Field(
        min_length=1,
        description="Whole words and phrases; regular expressions when method: regex is written.",
    )
    case_sensitive: bool = Field(default=False, description="Whether upper and lower case differ.")
    method: Literal["regex", "bm25", "ngram", "fuzzy"] = Field(
        "regex", description="How keywords are searched; unwritten, they are taken word for word."
    )
    fuzzy_match: bool = Field(default=False, description="Whether small typing errors still match.")
    fuzzy_threshold: Whole = Field(
        2,
        ge=0,
        le=100,
        description="Most typing errors that match, up to 10; from 11 on, least percentage of likeness.",
    )
    bm25_threshold: Number = Field(0.1, ge=0.0, description="Least BM25 score that matches.")
    ngram_threshold: Unit = Field(0.4, description="Least share of common n-grams that matches.")
    ngram_arity: Whole = Field(3, ge=1, le=10, description="Characters per n-gram.")


class EmbeddingSignal(SignalRule):
    """Nearness in meaning to example texts."""

    threshold: Cosine = Field(description="Least similarity that matches.")
    candidates: Texts = Field((), description="Example texts of what should match.")
    aggregation_method: Literal["max", "mean", "any"] = Field(
        "max", description="Score of the prototypes, mean of the examples, or the nearest of them."
    )
    query_modality: Literal["text", "image", "audio"] = Field(
        "text", description="Part of the request embedded."
    )


class ModelScore(Part):
    """How well a model does in a domain."""

    model: Name = Field(description="Name of a model or LoRA.")
    score: Number = Field(description="Rating; the highest wins.")
    use_reasoning: bool = Field(default=False, description="Whether the model should reason in this domain.")


class DomainSignal(SignalRule):
    """Subject of the text."""

    mmlu_categories: Names = Field(
        (), description="Classifier labels that count as this domain; empty means the label of the same name."
    )
    model_scores: tuple[ModelScore, ...] = Field((), description="Ratings for static selection.")


class FactCheckSignal(SignalRule):
    """Whether the request makes claims worth verifying."""

    name: Literal["needs_fact_check", "no_fact_check_needed"] = Field(
        description="Classifier outcome to match."
    )


class UserFeedbackSignal(SignalRule):
    """What the user thinks of the previous answer."""

    name: Literal["satisfied", "need_clarification", "wrong_answer", "want_different"] = Field(
        description="Classifier outcome to match."
    )


class ReaskSignal(SignalRule):
    """The user asks the same again."""

    threshold: Unit = Field(0.8, description="Least similarity to an earlier turn.")
    lookback_turns: Positive = Field(1, description="Earlier user turns that must all be similar.")


class PreferenceSignal(SignalRule):
    """A described preference, recognised by examples."""

    examples: Texts = Field((), description="Example requests of this preference.")
    threshold: Unit | None = Field(
        None, description="Least similarity that matches; unset uses the module's."
    )


class LanguageSignal(SignalRule):
    """Language of the text; the name is its ISO code."""

    threshold: Unit = Field(0.0, description="Least detector confidence; 0 uses the built-in 0.3.")


class ContextSignal(SignalRule):
    """Length of the conversation."""

    min_tokens: Tokens = Field(0, description="Least estimated tokens.")
    max_tokens: Tokens | None = Field(None, description="Most estimated tokens; unset is unbounded.")


class StructureSource(Part):
    """What a structure feature looks for."""

    type: Literal["regex", "keyword_set", "sequence", "text_bytes"] = Field(description="Kind of search.")
    pattern: str = Field("", description="Regular expression, for regex.")
    keywords: Texts = Field((), description="Words counted, for keyword_set.")
    sequences: tuple[Texts, ...] = Field((), description="Marker words in order, for sequence.")
    case_sensitive: bool = Field(default=False, description="Whether upper and lower case differ.")


class StructureFeature(Part):
    """A measurement of the text's form."""

    type: Literal["exists", "count", "density", "sequence"] = Field(description="What is measured.")
    source: StructureSource = Field(description="What is looked for.")


class StructureSignal(SignalRule):
    """Form of the text: questions, lists, ordered steps."""

    feature: StructureFeature = Field(description="What is measured.")
    predicate: Predicate | None = Field(None, description="Values that match; unset asks for existence.")


class Examples(Part):
    """Example prompts of one difficulty."""

    candidates: Texts = Field((), description="Example texts.")
    image_candidates: Texts = Field((), description="Example image descriptions.")


class ComplexitySignal(SignalRule):
    """Difficulty of the request; conditions name ``rule:hard``, ``rule:medium`` or ``rule:easy``."""

    threshold: Unit = Field(0.1, description="Margin beyond which a request is hard or easy.")
    hard: Examples = Field(default_factory=Examples, description="Examples of hard requests.")
    easy: Examples = Field(default_factory=Examples, description="Examples of easy requests.")
    composer: Rule | None = Field(None, description="Rule that must hold too for the signal to count.")


class ModalitySignal(SignalRule):
    """Whether text, an image or both are asked for."""

    name: Literal["AR", "DIFFUSION", "BOTH"] = Field(description="Detector outcome to match.")


class Subject(Part):
    """A user or group that holds a role."""

    kind: Literal["User", "Group"] = Field(description="What name refers to.")
    name: Name = Field(description="User id or group name, as the identity headers carry it.")


class RoleBinding(SignalRule):
    """Subjects that hold a role; conditions of type authz name the role."""

    role: Name = Field(description="Role that conditions of type authz name.")
    subjects: tuple[Subject, ...] = Field((), description="Who holds the role.")


class JailbreakSignal(SignalRule):
    """Attempts to talk the model out of its rules."""

    method: Literal["classifier", "contrastive", "hybrid"] = Field(
        "classifier", description="How it is detected."
    )
    threshold: Unit = Field(
        0.7, description="Least score of an attempt; unwritten, the module's, and 0.1 for contrastive."
    )
    include_history: bool = Field(default=False, description="Whether earlier messages are examined too.")
    jailbreak_patterns: Texts = Field((), description="Example attacks, for contrastive.")
    benign_patterns: Texts = Field((), description="Harmless look-alikes, for contrastive.")


class PiiSignal(SignalRule):
    """Personal data in the text."""

    threshold: Unit | None = Field(None, description="Least score of an entity; unset uses the module's.")
    include_history: bool = Field(default=False, description="Whether earlier messages are examined too.")
    pii_types_allowed: Names = Field((), description="Entity types that may pass; empty lets none pass.")


class KbTarget(Part):
    """A label or group of a knowledge base."""

    kind: Literal["label", "group"] = Field(description="What value refers to.")
    value: Name = Field(description="Name of the label or group.")


class KbSignal(SignalRule):
    """Nearness to a knowledge base's examples."""

    kb: Name = Field(description="Name of the knowledge base.")
    target: KbTarget = Field(description="Label or group that must win.")
    match: Literal["best", "threshold"] = Field(
        "best", description="Whether the best or any above threshold wins."
    )


class ConversationSource(Part):
    """Part of the conversation that is counted."""

    type: Literal[
        "message",
        "tool_definition",
        "assistant_tool_call",
        "assistant_tool_cycle",
        "active_tool_loop",
        "image_content",
    ] = Field(description="What is counted.")
    role: str = Field("", description="Role of counted messages; non_user means all but the user's.")


class ConversationFeature(Part):
    """A measurement of the conversation's shape."""

    type: Literal["count", "exists"] = Field(description="What is measured.")
    source: ConversationSource = Field(description="What is looked at.")


class ConversationSignal(SignalRule):
    """Shape of the conversation: turns, tools, images."""

    feature: ConversationFeature = Field(description="What is measured.")
    predicate: Predicate | None = Field(None, description="Values that match; unset asks for existence.")


class EventSignal(SignalRule):
    """Operational events mentioned in the text."""

    event_types: Texts = Field((), description="Event names searched for.")
    severities: Texts = Field((), description="Severity words searched for.")
    action_codes: Texts = Field((), description="Action codes searched for.")
    temporal: bool = Field(default=False, description="Whether words of urgency count too.")


class MetadataPredicate(Part):
    """What a metadata value must be."""

    equals: str | None = Field(None, description="Exact value.")
    in_: Names | None = Field(None, alias="in", description="One of these values.")
    exists: bool | None = Field(None, description="Whether the key is present at all.")


class MetadataSignal(SignalRule):
    """A value in the request's metadata object."""

    key: Name = Field(description="Key of the metadata object.")
    predicate: MetadataPredicate = Field(description="Values that match.")


class ClassifierSignal(SignalRule):
    """A text classifier of the user's own."""

    type: Literal["local", "llm"] = Field(description="Whether it runs here or is a prompted model.")
    model_path: str = Field(
        "", description="Head file (.npz), graph (.onnx) or folder of a local model; never fetched."
    )
    model: str = Field("", description="Name of an external model.")
    labels: Names = Field((), description="Labels it tells apart.")
    instructions: str = Field("", description="What a prompted model is told.")
    use_cpu: bool = Field(default=True, description="Whether a local model runs on the CPU.")
    on_error: Literal["no_match", "match"] = Field("no_match", description="Outcome when it fails.")


class Signals(Part):
    """All signal rules, one list per family."""

    keywords: tuple[KeywordSignal, ...] = Field((), description="Words and phrases in the text.")
    embeddings: tuple[EmbeddingSignal, ...] = Field((), description="Nearness in meaning to examples.")
    domains: tuple[DomainSignal, ...] = Field((), description="Subject of the text.")
    fact_check: tuple[FactCheckSignal, ...] = Field((), description="Claims worth verifying.")
    user_feedbacks: tuple[UserFeedbackSignal, ...] = Field((), description="Opinion on the previous answer.")
    reasks: tuple[ReaskSignal, ...] = Field((), description="The same question again.")
    preferences: tuple[PreferenceSignal, ...] = Field((), description="Preferences recognised by examples.")
    language: tuple[LanguageSignal, ...] = Field((), description="Language of the text.")
    context: tuple[ContextSignal, ...] = Field((), description="Length of the conversation.")
    structure: tuple[StructureSignal, ...] = Field((), description="Form of the text.")
    complexity: tuple[ComplexitySignal, ...] = Field((), description="Difficulty of the request.")
    modality: tuple[ModalitySignal, ...] = Field((), description="Text or image wanted.")
    role_bindings: tuple[RoleBinding, ...] = Field((), description="Who holds which role.")
    jailbreak: tuple[JailbreakSignal, ...] = Field((), description="Attacks on the model's rules.")
    pii: tuple[PiiSignal, ...] = Field((), description="Personal data in the text.")
    kb: tuple[KbSignal, ...] = Field((), description="Nearness to a knowledge base.")
    conversation: tuple[ConversationSignal, ...] = Field((), description="Shape of the conversation.")
    events: tuple[EventSignal, ...] = Field((), description="Operational events in the text.")
    metadata: tuple[MetadataSignal, ...] = Field((), description="Values in the request's metadata.")
    classifiers: tuple[ClassifierSignal, ...] = Field((), description="Classifiers of the user's own.")

    def of(self, family: str) -> tuple[SignalRule, ...]:
        """The rules of a condition type; none for a type that has no list (``projection``)."""
        rules: tuple[SignalRule, ...] = getattr(self, FAMILY_KEYS[family]) if family in FAMILY_KEYS else ()
        return rules

    def names(self, family: str) -> Iterator[str]:
        """The names that conditions of a type may use."""
        for rule in self.of(family):
            if isinstance(rule, ComplexitySignal):
                yield from (f"{rule.name}:{level}" for level in ("hard", "medium", "easy"))
            else:
                yield rule.role if isinstance(rule, RoleBinding) else rule.name


FAMILY_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "keyword": "keywords",
        "embedding": "embeddings",
        "domain": "domains",
        "fact_check": "fact_check",
        "user_feedback": "user_feedbacks",
        "reask": "reasks",
        "preference": "preferences",
        "language": "language",
        "context": "context",
        "structure": "structure",
        "complexity": "complexity",
        "modality": "modality",
        "authz": "role_bindings",
        "jailbreak": "jailbreak",
        "pii": "pii",
        "kb": "kb",
        "conversation": "conversation",
        "event": "events",
        "metadata": "metadata",
        "classifier": "classifiers",
    }
)
"""Condition type -> the key under ``routing.signals`` that declares its rules."""
