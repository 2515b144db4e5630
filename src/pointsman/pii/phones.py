"""Telephone numbers."""

from collections.abc import Iterator

import re2

from pointsman.pii.context import Context
from pointsman.pii.finding import Finding, Label
from pointsman.pii.page import Page

_EXTENSION = r"(?:(?:,? ?(?:x|ext\.? ?))[0-9]{1,6})?"
_INTERNATIONAL = re2.compile(
    rf"(?i)\(?(?:\+|\b00)\(?[1-9][0-9]{{0,3}}\)?(?:[ ./-]{{0,2}}\(?[0-9]{{1,5}}\)?){{1,6}}{_EXTENSION}"
)
_AMERICAN = re2.compile(
    r"(?i)(?:\b(?:001|1)[ .-])?(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[.-])[0-9]{3}[ .-][0-9]{4}" + _EXTENSION
)
_CHINESE = re2.compile(
    r"(?:86[ -]?)?1[3-9][0-9](?:[0-9]{8}|[ -][0-9]{4}[ -][0-9]{4})|0[1-9][0-9]{1,2}-[0-9]{3,4}-?[0-9]{4}"
)
_BRITISH = re2.compile(
    r"0(?:7[0-9]{3} ?[0-9]{6}|1[0-9]{3} [0-9]{6}|20 [0-9]{4} [0-9]{4}|1[0-9]{2} [0-9]{3} [0-9]{4})"
)
_ANY = re2.compile(rf"(?i)\(?[0-9][0-9() ./-]{{4,20}}[0-9]{_EXTENSION}")
_FEWEST, _MOST = 7, 15
"""Digits of a number that is written out; 15 is the most that E.164 allows."""
_CONTEXT = Context(
    (
        "phone*, telephone*, tel, mobile*, cell, cellphone, my number*, registered, messages to, "
        "code to, nummer ist, numero è, mon numéro, mi número, call*, fax, whatsapp, sms, text me, "
        "dial*, answering at, contact number, hotline, ring, reach me, landline, voicemail, handy, "
        "telefon*, téléphone, teléfono, telefono, numéro, portable, celular, móvil, cellulare, "
        "телефон*, 电话, 手机, 联系方式, 電話, 携帯, 전화, 휴대폰, 致电, 拨打"
    ),
    (
        "order*, invoice*, account*, ticket*, case, card*, iban, ssn, zip, postal, policy, tracking, "
        "isbn, id, license*, licence*, version, pesel, nip, bsn, student, date, dob, birth, total, "
        "amount, 订单*, 单号, 账号, 价格, 编号"
    ),
)


def phones(page: Page) -> Iterator[Finding]:
    """International numbers, common national forms, and whatever a word calls a telephone number."""
    for pattern, form, score in (
        (_INTERNATIONAL, "international", 0.85),
        (_AMERICAN, "north american", 0.75),
        (_CHINESE, "chinese", 0.75),
        (_BRITISH, "british", 0.7),
    ):
        for start, end in page.hits(pattern):
            first, last = _balanced(page, start, end)
            if _possible(page, first, last):
                finding = _judged(page, first, last, form, score)
                if finding:
                    yield finding
    for start, end in page.hits(_ANY):
        first, last = _balanced(page, start, end)
        if _possible(page, first, last) and (word := _CONTEXT.clue(page, first, last)):
            yield Finding(Label.PHONE_NUMBER, first, last, 0.7, ("format", f"context:{word}"))


def _judged(page: Page, start: int, end: int, form: str, score: float) -> Finding | None:
    word = _CONTEXT.clue(page, start, end)
    if word:
        return Finding(Label.PHONE_NUMBER, start, end, 0.95, (form, f"context:{word}"))
    # A plus or brackets around an area code are a telephone number's own.
    if _CONTEXT.contradicted(page, start) and page.plain[start] not in "+(":
        return None
    return Finding(Label.PHONE_NUMBER, start, end, score, (form,))


def _possible(page: Page, start: int, end: int) -> bool:
    """Whether as many digits stand here as a number has, and nothing goes on at either end."""
    digits = sum(char.isdigit() for char in page.plain[start:end].lower().split("x")[0])
    before, after = page.before(start, 1), page.after(end, 2)
    goes_on = before in {"-", ".", "/", "+", "$", "€", "£", "¥", "#"} or (
        after[:1] in {".", "-", "/", ":"} and after[1:].isdigit()
    )
    return _FEWEST <= digits <= _MOST and page.alone(start, end) and not goes_on


def _balanced(page: Page, start: int, end: int) -> tuple[int, int]:
    """The span without a bracket that has no partner."""
    written = page.plain[start:end]
    if written.startswith("(") and ")" not in written:
        start += 1
    elif written.endswith(")") and "(" not in written:
        end -= 1
    return start, end
