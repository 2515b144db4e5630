"""National identity numbers and driving licences."""

from collections.abc import Iterator
from datetime import date

import re2

from pointsman.pii.checksums import mod_11_2
from pointsman.pii.context import Context
from pointsman.pii.finding import MOD_11_2, Finding, Label
from pointsman.pii.page import Page

_SSN = re2.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3} [0-9]{2} [0-9]{4}|[0-9]{9}")
_SSN_CONTEXT = Context(
    "ssn*, ss#, social security*, social insurance, tax id, 社保号, 社会安全号, taxpayer, itin",
    "order*, phone*, account*, invoice*, routing, tracking",
)
_NEVER_ISSUED = frozenset({"000", "666"})
_CHINESE = re2.compile(r"(?i)[1-9][0-9]{16}[0-9X]")
_PROVINCES = frozenset(
    province
    for low, high in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for province in range(low, high + 1)
)
"""First two digits (GB/T 2260); 83 is on residence permits."""
_LICENCE = re2.compile(r"(?i)[A-Z]{0,3}[0-9](?:[0-9]|[- ][0-9]){4,17}")
_LICENCE_CONTEXT = Context(
    (
        "driver license*, drivers license*, driver's license*, driver's licence*, drivers licence*, "
        "driving licence*, driving license*, dmv, license number, license no, dl#, dl number, 驾照*, "
        "驾驶证*"
    ),
    "order*, phone*, plate*, account*, ssn, card*, software, business license, zip*, call",
    after=0,
)


def social_security(page: Page) -> Iterator[Finding]:
    """US social security numbers: in ranges that are issued, or with a word that says what they are.

    Issued is any area but 000, 666 and 9xx, any group but 00, any serial but 0000 (SSA, since 2011).
    """
    for start, end in page.hits(_SSN):
        digits = page.plain[start:end].replace("-", "").replace(" ", "")
        area, group, serial = digits[:3], digits[3:5], digits[5:]
        issued = area not in _NEVER_ISSUED and area < "900" and group != "00" and serial != "0000"
        if not page.alone(start, end) or _continues(page, start, end):
            continue
        word = _SSN_CONTEXT.clue(page, start, end)
        if word:
            # A number outside the ranges is mistyped, made up or a taxpayer's (ITIN), and as telling.
            evidence = ("format", *(("range",) if issued else ()), f"context:{word}")
            yield Finding(Label.US_SSN, start, end, 0.97 if issued else 0.7, evidence)
        elif issued and "-" in page.plain[start:end] and not _SSN_CONTEXT.contradicted(page, start):
            yield Finding(Label.US_SSN, start, end, 0.8, ("format", "range"))


def chinese_identity(page: Page) -> Iterator[Finding]:
    """Identity numbers of the People's Republic of China (GB 11643).

    They are labelled US_SSN, the only label there is for a number that names a citizen.
    """
    for start, end in page.hits(_CHINESE):
        number = page.plain[start:end].upper()
        if page.alone(start, end) and int(number[:2]) in _PROVINCES and _born(number) and mod_11_2(number):
            yield Finding(Label.US_SSN, start, end, 0.99, (MOD_11_2, "birthday", "country:CN"))


def driver_licences(page: Page) -> Iterator[Finding]:
    """US driving licences: their forms differ by state, so a word must say what the number is."""
    for start, end in page.hits(_LICENCE):
        if not page.alone(start, end):
            continue
        word = _LICENCE_CONTEXT.clue(page, start, end)
        if word:
            yield Finding(Label.US_DRIVER_LICENSE, start, end, 0.85, ("format", f"context:{word}"))


def _continues(page: Page, start: int, end: int) -> bool:
    """Whether the digits go on behind a dash, as in a longer number."""
    before, after = page.before(start, 2), page.after(end, 2)
    return (before[-1:] == "-" and before[:1].isdigit()) or (after[:1] == "-" and after[1:].isdigit())


def _born(number: str) -> bool:
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return born.year >= 1850
