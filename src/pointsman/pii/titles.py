"""Forms of address."""

from collections.abc import Iterator

import re2

from pointsman.pii.finding import Finding, Label
from pointsman.pii.page import Page

_SHORT = r"Mr|Mrs|Ms|Mx|Dr|Prof|Rev|Hon|Sr|Sra|Mme|Mlle|Messrs"
_LONG = r"Miss|Sir|Madam|Madame|Professor|Doctor|Dame|Herr|Frau|Monsieur|Señora?|Señorita|Dottoressa|Reverend"
_FORMS = (
    (0.85, rf"\b((?:{_SHORT})\.?) +\pL"),
    (0.75, rf"\b((?:{_LONG})) +\p{{Lu}}"),
    # In lower case only what is no word of its own.
    (0.8, r"\b((?:mr|mrs|ms|dr|prof)\.) *\pL"),
    (0.7, r"\b((?:mr|mrs|ms)) +\pL"),
)
_PATTERNS = tuple((score, re2.compile(pattern)) for score, pattern in _FORMS)


def titles(page: Page) -> Iterator[Finding]:
    """Mr, Dr and the like before a name; not professions."""
    for score, pattern in _PATTERNS:
        for start, end in page.hits(pattern, 1):
            if page.alone(start, end):
                yield Finding(Label.TITLE, start, end, score, ("form of address",))
