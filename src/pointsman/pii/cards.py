"""Payment card numbers."""

from collections.abc import Iterator, Sequence

import re2

from pointsman.pii.checksums import luhn
from pointsman.pii.context import Context
from pointsman.pii.finding import LUHN, Finding, Label
from pointsman.pii.page import Page, Span

_DIGITS = re2.compile(r"[0-9]+")
_SHAPES = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3))
"""How the digits of a card are grouped in print; or not at all."""
_MOST_GROUPS = max(map(len, _SHAPES))
_ISSUERS = (
    ("visa", "4", "4", (13, 16, 19)),
    ("mastercard", "51", "55", (16,)),
    ("mastercard", "2221", "2720", (16,)),
    ("amex", "34", "34", (15,)),
    ("amex", "37", "37", (15,)),
    ("discover", "6011", "6011", (16, 17, 18, 19)),
    ("discover", "644", "659", (16, 17, 18, 19)),
    ("unionpay", "62", "62", (16, 17, 18, 19)),
    ("unionpay", "81", "81", (16, 17, 18, 19)),
    ("diners", "300", "305", (14, 16)),
    ("diners", "309", "309", (14, 16)),
    ("diners", "36", "36", (14, 16)),
    ("diners", "38", "39", (14, 16)),
    ("jcb", "3528", "3589", (16, 17, 18, 19)),
    ("jcb", "1800", "1800", (15,)),
    ("jcb", "2131", "2131", (15,)),
    ("mir", "2200", "2204", (16,)),
    ("maestro", "50", "50", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("maestro", "56", "58", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("maestro", "6304", "6304", (12, 13, 14, 15, 16, 17, 18, 19)),
    ("maestro", "67", "67", (12, 13, 14, 15, 16, 17, 18, 19)),
)
"""Issuer, first and last prefix, lengths (ISO/IEC 7812 ranges as the networks publish them)."""
_SHORTEST, _LONGEST = 12, 19
_FEWEST_BARE = 14
"""Shorter numbers without groups are too common to be cards without a word that says so."""
_CONTEXT = Context(
    (
        "card*, cc, credit*, debit*, visa, mastercard, amex, american express, discover, diners, jcb, "
        "unionpay, maestro, cvv*, cvc*, expir*, pan, 信用卡, 银行卡, 卡号, カード, 카드, tarjeta, "
        "carte, karte, kreditkarte, carta, cartão, карт*"
    ),
    (
        "order*, invoice*, tracking, timestamp*, ticket*, serial*, isbn, imei, barcode*, sku, commit, "
        "build, 订单*, 单号, 运单*"
    ),
)


def cards(page: Page) -> Iterator[Finding]:
    """Numbers of 12 to 19 digits, grouped as in print or not at all, that begin like a card's."""
    groups = list(page.hits(_DIGITS))
    done = 0
    for index, (start, _) in enumerate(groups):
        if start < done:
            continue
        for end in _ends(page, groups, index):
            finding = _judged(page, start, end)
            if finding:
                done = end
                yield finding
                break


def issuer(digits: str) -> str:
    """Who issued a card, by its first digits and its length; an empty string when nobody known did."""
    for name, low, high, lengths in _ISSUERS:
        if len(digits) in lengths and low <= digits[: len(low)] <= high:
            return name
    return ""


def _ends(page: Page, groups: Sequence[Span], index: int) -> Iterator[int]:
    """Where a number that starts with this group may end, the longest first."""
    start, end = groups[index]
    if _SHORTEST <= end - start <= _LONGEST:
        yield end
    if end - start != _SHAPES[0][0]:
        return
    lengths, last, separator = [4], end, page.plain[end : end + 1]
    ends: list[int] = []
    if separator and separator in " -.":
        for low, high in groups[index + 1 : index + _MOST_GROUPS]:
            if page.plain[last:low] != separator:
                break
            lengths.append(high - low)
            last = high
            if tuple(lengths) in _SHAPES:
                ends.append(last)
    yield from reversed(ends)


def _judged(page: Page, start: int, end: int) -> Finding | None:
    written = page.plain[start:end]
    digits = "".join(char for char in written if char.isdigit())
    joined = not page.alone(start, end) or page.plain[max(0, start - 1) : start] in {".", "+"}
    if joined or len(set(digits)) == 1:
        return None
    network, word = issuer(digits), _CONTEXT.clue(page, start, end)
    evidence = (
        *((f"issuer:{network}",) if network else ()),
        *((f"context:{word}",) if word else ()),
    )
    known = word and luhn(digits)
    if not network:
        return Finding(Label.CREDIT_CARD, start, end, 0.7, (LUHN, *evidence)) if known else None
    if known:
        return Finding(Label.CREDIT_CARD, start, end, 0.99, (LUHN, *evidence))
    if len(written) == len(digits) < _FEWEST_BARE:
        return None
    if luhn(digits):
        # One order number in ten passes the check: beside such a word it takes the model to believe it.
        score = 0.45 if _CONTEXT.contradicted(page, start) else 0.9
        return Finding(Label.CREDIT_CARD, start, end, score, (LUHN, *evidence))
    # A digit typed wrongly still gives the rest of the card away.
    return Finding(Label.CREDIT_CARD, start, end, 0.6, ("format", *evidence)) if word else None
