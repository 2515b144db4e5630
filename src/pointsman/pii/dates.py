"""Dates and times of day."""

from collections.abc import Iterator

import re2

from pointsman.pii.finding import Finding, Label
from pointsman.pii.page import Page

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DAY_NUMBER = r"(?:0?[1-9]|[12][0-9]|3[01])"
_MONTH_NUMBER = r"(?:0?[1-9]|1[0-2])"
_DAY = rf"{_DAY_NUMBER}(?:st|nd|rd|th)?"
_YEAR = r"(?:1[5-9]|20)[0-9]{2}"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?(?: ?[ap]\.?m\b\.?)?"
_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})\b)?"
_HAN = "[0-9〇零一二三四五六七八九十]"
_HAN_PART = "(?:上午|下午|晚上|凌晨|中午|早上)"
_HAN_CLOCK = rf"{_HAN}{{1,3}}[点點时時](?:{_HAN}{{1,3}}分?|半)?"
_HAN_DATE = (
    rf"(?:{_HAN}{{2,4}}年(?:{_HAN}{{1,3}}月(?:{_HAN}{{1,3}}[日号號])?)?|{_HAN}{{1,3}}月{_HAN}{{1,3}}[日号號])"
)
_FORMS = (
    ("iso 8601", 0.95, rf"{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:[T ]{_CLOCK}{_ZONE})?"),
    ("year first", 0.85, rf"{_YEAR}[/.]{_MONTH_NUMBER}[/.]{_DAY_NUMBER}"),
    ("numeric", 0.85, rf"{_DAY_NUMBER}/{_DAY_NUMBER}/(?:{_YEAR}|[0-9]{{2}})"),
    ("numeric", 0.85, rf"{_DAY_NUMBER}\.{_MONTH_NUMBER}\.(?:{_YEAR}|[0-9]{{2}})"),
    ("numeric", 0.85, rf"{_DAY_NUMBER}-{_DAY_NUMBER}-(?:{_YEAR}|[0-9]{{2}})"),
    ("written", 0.9, rf"(?i)\b(?:{_WEEKDAY},? )?{_MONTH} {_DAY}(?:,? {_YEAR})?\b"),
    ("written", 0.9, rf"(?i)\b(?:{_WEEKDAY},? )?{_DAY} (?:of )?{_MONTH}(?:,? {_YEAR})?\b"),
    ("month", 0.7, rf"(?i)\b{_MONTH},? (?:of )?{_YEAR}\b"),
    ("weekday", 0.65, rf"(?i)\b{_WEEKDAY} (?:morning|afternoon|evening|night|noon|at noon)\b"),
    ("weekday", 0.55, rf"(?i)\b{_WEEKDAY}\b"),
    ("clock", 0.55, rf"(?i)\b{_CLOCK}"),
    ("clock", 0.6, r"(?i)\b(?:1[0-2]|[1-9]) ?[ap]\.?m\b"),
    ("chinese", 0.9, rf"{_HAN_DATE}(?: ?{_HAN_PART}?{_HAN_CLOCK})?"),
    ("chinese", 0.7, rf"{_HAN_PART}{_HAN_CLOCK}"),
    ("chinese", 0.55, r"(?:星期|礼拜|周)[一二三四五六日天]"),
)
"""Form, score, pattern. A day of the week or a time alone says little about anybody."""
_PATTERNS = tuple((form, score, re2.compile(pattern)) for form, score, pattern in _FORMS)


def dates(page: Page) -> Iterator[Finding]:
    """Dates in numbers and words, English and Chinese, days of the week and times of day."""
    for form, score, pattern in _PATTERNS:
        for start, end in page.hits(pattern):
            if _whole(page, start, end):
                yield Finding(Label.DATE_TIME, start, end, score, (form,))


def _whole(page: Page, start: int, end: int) -> bool:
    """Whether no number goes on at either end: not a version, an address or a longer code."""
    before, after = page.before(start, 2), page.after(end, 2)
    joined_before = before[-1:] in {".", ":", "-", "/"} and before[:1].isdigit()
    joined_after = after[:1] in {".", ":", "-", "/"} and after[1:].isdigit()
    return page.alone(start, end) and not joined_before and not joined_after
