"""Postal codes."""

from collections.abc import Iterator

import re2

from pointsman.pii.context import Context
from pointsman.pii.finding import Finding, Label
from pointsman.pii.page import Page

_AFTER_STATE = re2.compile(
    r"\b(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]"
    r"|W[AIVY]),? ([0-9]{5}(?:-[0-9]{4})?)"
)
_LETTERED = re2.compile(
    r"(?i)[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][ABD-HJLNP-UW-Z]{2}|[ABCEGHJ-NPRSTVXY][0-9][A-Z] [0-9][A-Z][0-9]"
)
"""British and Canadian codes."""
_NUMBERED = re2.compile(
    r"(?i)[0-9]{5}-[0-9]{3,4}|[0-9]{3}-[0-9]{4}|[0-9]{2}-[0-9]{3}|[0-9]{4} ?[A-Z]{2}|[0-9]{3,6}"
)
_CONTEXT = Context(
    (
        "zip*, postal*, postcode*, post code*, plz, cep, cap, code postal, código postal, weather in, "
        "邮编, 邮政编码, 郵便番号, 〒, 우편번호"
    ),
    "order*, phone*, tel, price, total, age, year*, house, number, po box, zip file*",
    after=0,
)


def postcodes(page: Page) -> Iterator[Finding]:
    """US codes after a state, British and Canadian ones by their form, others where a word says so."""
    for start, end in page.hits(_AFTER_STATE, 1):
        if page.alone(start, end):
            yield Finding(Label.ZIP_CODE, start, end, 0.55, ("format", "state"))
    for start, end in page.hits(_LETTERED):
        upper = page.plain[start:end].isupper()
        if upper and page.alone(start, end):
            yield Finding(Label.ZIP_CODE, start, end, 0.55, ("format",))
    for pattern in (_LETTERED, _NUMBERED):
        for start, end in page.hits(pattern):
            if page.alone(start, end) and (word := _CONTEXT.clue(page, start, end)):
                yield Finding(Label.ZIP_CODE, start, end, 0.85, ("format", f"context:{word}"))
