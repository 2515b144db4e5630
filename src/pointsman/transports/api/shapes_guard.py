"""Requests and answers about personal data and jailbreaks, field by field as the semantic router has them."""

from typing import Literal

import msgspec

from pointsman.transports.api.shapes import Confidence, IntentResponse, Options

Advice = Literal["allow", "block"]


class PiiOptions(msgspec.Struct, frozen=True):
    """What to look for and what to tell."""

    entity_types: list[str] = []
    """Labels to look for, in any case; all when empty."""
    confidence_threshold: Confidence | None = None
    """One threshold for all labels; without it each label has its own."""
    return_positions: bool = False
    mask_entities: bool = False
    """Add a placeholder to each entity and the text with all of them masked."""
    reveal_entity_text: bool = False
    """Give what was found as it stands in the text. Nothing else ever does."""


class PiiRequest(msgspec.Struct, frozen=True):
    """A text to search for personal data."""

    text: str
    options: PiiOptions | None = None


class PiiEntity(msgspec.Struct, frozen=True, omit_defaults=True):
    """One piece of personal data."""

    type: str
    value: str
    """`[DETECTED]`, or the piece itself where it was asked for."""
    confidence: float
    start_position: int | None = None
    """In characters (code points), the end exclusive."""
    end_position: int | None = None
    masked_value: str = ""
    evidence: tuple[str, ...] = ()
    """Why it is believed: `luhn`, `context:card`, `model`, ..."""


class PiiResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The personal data of a text."""

    has_pii: bool
    entities: list[PiiEntity]
    security_recommendation: Advice
    processing_time_ms: int
    masked_text: str = ""
    sampled: bool = False
    """The text was so long that the model read parts of it; recognisers read all."""


class SecurityOptions(msgspec.Struct, frozen=True):
    """How strictly to judge."""

    detection_types: list[str] = []
    """Accepted without effect: there is one detector, of jailbreaks."""
    sensitivity: Literal["", "low", "medium", "high"] = ""
    """`high` blocks from a lower probability on than the document's threshold, `low` from a higher one."""
    include_reasoning: bool = False


class SecurityRequest(msgspec.Struct, frozen=True):
    """A text to judge."""

    text: str
    options: SecurityOptions | None = None


class SecurityResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether a text tries to talk a model out of its rules."""

    is_jailbreak: bool
    risk_score: float
    """Probability of a jailbreak in the most suspicious part of the text."""
    detection_types: list[str]
    confidence: float
    """Probability of the verdict."""
    recommendation: Advice
    patterns_detected: list[str]
    """`jailbreak`, and `disguised_text` where hidden or look-alike characters stand in words."""
    processing_time_ms: int
    reasoning: str = ""
    sampled: bool = False
    """The text was so long that the model read parts of it."""


class CombinedRequest(msgspec.Struct, frozen=True):
    """A text to classify in every way at once."""

    text: str
    intent_options: Options | None = None
    pii_options: PiiOptions | None = None
    security_options: SecurityOptions | None = None


class CombinedResponse(msgspec.Struct, frozen=True):
    """The three answers, each as its own endpoint gives it."""

    intent: IntentResponse
    pii: PiiResponse
    security: SecurityResponse
    processing_time_ms: int
