"""``guards``: what is checked in every request, whatever decision it meets; off unless written."""

from typing import Final, Literal

from pydantic import Field

from pointsman.config.base import Part, Positive, Unit

PiiType = Literal[
    "AGE",
    "CREDIT_CARD",
    "DATE_TIME",
    "DOMAIN_NAME",
    "EMAIL_ADDRESS",
    "GPE",
    "IBAN_CODE",
    "IP_ADDRESS",
    "NRP",
    "ORGANIZATION",
    "PERSON",
    "PHONE_NUMBER",
    "STREET_ADDRESS",
    "TITLE",
    "US_DRIVER_LICENSE",
    "US_SSN",
    "ZIP_CODE",
]
"""A kind of personal data."""
PiiTypes = tuple[PiiType, ...]

JAILBREAK_MESSAGE: Final = (
    "I cannot process this request: it looks like an attempt to get around the rules of this service. "
    "Please rephrase it."
)
PII_MESSAGE: Final = (
    "I cannot process this request: it contains personal data that must not be sent to a model. "
    "Please remove it and try again."
)


class Guard(Part):
    """What the guards of requests share."""

    include_history: bool = Field(
        default=True, description="Whether messages before the last user turn are examined too."
    )
    model: str = Field("", description="Model that gets the request; for the action route.")
    status: Literal[200, 403] = Field(
        200,
        description="Status of a refusal: 200 is an ordinary completion with the message, 403 an error.",
    )


class JailbreakGuard(Guard):
    """Attempts to talk the model out of its rules."""

    action: Literal["block", "route", "observe"] = Field(
        "block", description="What a finding does: refuse, send to model, or only a header and a metric."
    )
    threshold: Unit | None = Field(
        None, description="Least score that counts as an attempt; unset uses that of prompt_guard."
    )
    include_system: bool = Field(
        default=False,
        description="Whether system messages are examined too; an application's own rules read like attacks.",
    )
    message: str = Field(JAILBREAK_MESSAGE, min_length=1, description="What the client is told.")


class PiiGuard(Guard):
    """Personal data in what is sent to a model."""

    action: Literal["block", "mask", "route", "observe"] = Field(
        "block",
        description=(
            "What a finding does: refuse, replace by placeholders until the answer comes back, send to "
            "model, or only a header and a metric."
        ),
    )
    types: PiiTypes = Field((), description="Kinds that count; empty means all but types_allowed.")
    types_allowed: PiiTypes = Field((), description="Kinds that may pass.")
    threshold: Unit | None = Field(
        None, description="Least score of a finding; unset uses that of the pii module, or each kind's own."
    )
    message: str = Field(PII_MESSAGE, min_length=1, description="What the client is told.")


class Guards(Part):
    """Checks of every request that has text, for virtual and for named models."""

    jailbreak: JailbreakGuard | None = Field(None, description="Attempts against the rules; unset: no check.")
    pii: PiiGuard | None = Field(None, description="Personal data; unset: no check.")
    max_characters: Positive = Field(
        131072,
        description=(
            "Text of one request that is read in full, characters. Of more, the jailbreak guard reads "
            "samples, and a pii guard that blocks, masks or routes refuses the request."
        ),
    )
