"""International bank account numbers (ISO 13616)."""

from collections.abc import Iterator

import re2

from pointsman.pii.checksums import mod_97
from pointsman.pii.context import Context
from pointsman.pii.finding import MOD_97, Finding, Label
from pointsman.pii.page import Page

_OPENING = re2.compile(r"(?i)\b[A-Z]{2}[0-9]{2}")
LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28,
    "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25,
    "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip
"""Country to length, check digits included (SWIFT's IBAN registry)."""
_GROUP = 4
_CONTEXT = Context(
    ("iban*, bank*, account*, transfer*, wire, virement, überweis*, transfiere, konto*, 账户, 账号, 银行"),
)


def ibans(page: Page) -> Iterator[Finding]:
    """Account numbers of the right length for their country, in one piece or in groups of four."""
    for start, _ in page.hits(_OPENING):
        number, end = _taken(page, start)
        if not number or not page.alone(start, end):
            continue
        country = f"country:{number[:2]}"
        word = _CONTEXT.clue(page, start, end)
        context = (f"context:{word}",) if word else ()
        if mod_97(number):
            yield Finding(Label.IBAN_CODE, start, end, 0.99, (MOD_97, country, *context))
        elif word and sum(char.isdigit() for char in number) > len(number) // 2:
            yield Finding(Label.IBAN_CODE, start, end, 0.6, ("format", country, *context))


def _taken(page: Page, start: int) -> tuple[str, int]:
    """The number that starts here, as long as its country has it, and its end; an empty one for none."""
    wanted = LENGTHS.get(page.plain[start : start + 2].upper(), 0)
    if not wanted:
        return "", start
    window = page.after(start, wanted + (wanted - 1) // _GROUP)
    separator = window[_GROUP : _GROUP + 1]
    if separator in {" ", "-"}:
        pieces = window.split(separator)
        if any(len(piece) != _GROUP for piece in pieces[:-1]) or not 1 <= len(pieces[-1]) <= _GROUP:
            return "", start
        taken = separator.join(pieces)
    else:
        taken, separator = window[:wanted], ""
    number = taken.replace(separator, "").upper() if separator else taken.upper()
    if len(number) != wanted or not (number.isascii() and number.isalnum()):
        return "", start
    return number, start + len(taken)
