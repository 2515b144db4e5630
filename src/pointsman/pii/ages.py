"""Ages of people."""

from collections.abc import Iterator

import re2

from pointsman.pii.finding import Finding, Label
from pointsman.pii.page import Page

_NUMBER = r"(1[0-2][0-9]|[1-9]?[0-9])"
_STOP = r"(?:[.,;!?]|$| and\b)"
_KIN = r"(?:he|she|father|mother|son|daughter|wife|husband|brother|sister|grand[a-z]+)"
_WHEN = r"(?:[.,;!?]|$| (?:today|last|this|next|in|on)\b)"
_FORMS = (
    ("years old", 0.9, rf"(?i)\b{_NUMBER}[ -]?years?[ -]olds?\b"),
    ("years old", 0.9, rf"(?i)\b{_NUMBER}[ -]?(?:y/o|y\.o\.|yo|yrs? old)(?:\b|$|[ ,.;])"),
    ("years of age", 0.9, rf"(?i)\b{_NUMBER} years of age\b"),
    ("aged", 0.85, rf"(?i)\baged? (?:of |is |was |: ?)?{_NUMBER}\b"),
    ("age", 0.85, rf"(?i)\bage\"?: ?\"?{_NUMBER}\b"),
    ("turned", 0.75, rf"(?i)\b(?:turn(?:ed|s|ing)?|(?:his|her|my|their) age is) {_NUMBER}{_WHEN}"),
    ("is", 0.6, rf"(?i)\b{_KIN} (?:is|was) {_NUMBER}{_STOP}"),
    ("am", 0.6, rf"(?i)\bI(?:'m| am) {_NUMBER}{_STOP}"),
    ("years old", 0.9, rf"(?i)\b{_NUMBER} (?:Jahre alt|лет|года?\b|yaşında)"),
    ("years old", 0.85, rf"(?i)\b(?:cumple|tiene|tengo) {_NUMBER} años\b"),
    ("years old", 0.85, rf"(?i)\b(?:a|ai|ha|ho|tem|tenho) {_NUMBER} (?:ans|anni|anos)\b"),
    ("chinese", 0.9, rf"{_NUMBER} ?(?:周岁|岁|歲|歳)"),
    ("chinese", 0.85, r"(?:今年|现年|年满|年近|已经|刚满)([一二三四五六七八九十百]{1,4})(?:周岁|岁)"),
    ("korean", 0.9, rf"{_NUMBER} ?(?:살|세)"),
    ("chinese", 0.8, rf"(?:年龄|年齢|芳龄)[:是为 ]{{0,3}}{_NUMBER}"),
)
_PATTERNS = tuple((form, score, re2.compile(pattern)) for form, score, pattern in _FORMS)


def ages(page: Page) -> Iterator[Finding]:
    """The number alone, of what says it is somebody's age."""
    for form, score, pattern in _PATTERNS:
        for start, end in page.hits(pattern, 1):
            before = page.before(start, 1)
            if not (before.isdigit() or before in {".", "$", "€", "£"}):
                yield Finding(Label.AGE, start, end, score, (form,))
