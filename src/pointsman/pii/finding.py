"""What was found in a text, and why it is believed."""

from enum import StrEnum

import msgspec


class Label(StrEnum):
    """The kinds of personal data, the same seventeen as the semantic router's token classifier has."""

    AGE = "AGE"
    CREDIT_CARD = "CREDIT_CARD"
    DATE_TIME = "DATE_TIME"
    DOMAIN_NAME = "DOMAIN_NAME"
    EMAIL_ADDRESS = "EMAIL_ADDRESS"
    GPE = "GPE"
    IBAN_CODE = "IBAN_CODE"
    IP_ADDRESS = "IP_ADDRESS"
    NRP = "NRP"
    ORGANIZATION = "ORGANIZATION"
    PERSON = "PERSON"
    PHONE_NUMBER = "PHONE_NUMBER"
    STREET_ADDRESS = "STREET_ADDRESS"
    TITLE = "TITLE"
    US_DRIVER_LICENSE = "US_DRIVER_LICENSE"
    US_SSN = "US_SSN"
    ZIP_CODE = "ZIP_CODE"


LUHN, MOD_97, MOD_11_2 = "luhn", "mod97", "mod11-2"
"""Evidence of a check digit that holds: ISO/IEC 7812-1, ISO 13616 and GB 11643 in this order."""
_CHECKSUMS = frozenset({LUHN, MOD_97, MOD_11_2})

MODEL = "model"
"""Evidence of the token classifier."""


class Finding(msgspec.Struct, frozen=True):
    """A piece of personal data. It holds offsets, never the text itself, so it is safe to log."""

    label: str
    start: int
    end: int
    """Characters of the text, `end` exclusive; never empty."""
    score: float
    """How sure we are, from 0 to 1."""
    evidence: tuple[str, ...]
    """Reasons, e.g. `luhn`, `issuer:visa`, `context:card`; never a part of what was found."""

    @property
    def checksummed(self) -> bool:
        """Whether a check digit holds, which chance alone hardly explains."""
        return not _CHECKSUMS.isdisjoint(self.evidence)
