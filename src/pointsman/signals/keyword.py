r"""Words and patterns looked for in the text.

As in the semantic router, a rule without ``method`` takes its keywords literally, as whole words; with
``method: regex`` spelled out each keyword is a regular expression, used as written. A rule combines its
keywords by OR (any), AND (each) or NOR (none).

Whole words are what a reader would call so in any script. ``\b`` alone is wrong twice: between Chinese
characters there is no boundary, so a keyword that begins or ends with a character of a script written
without spaces needs none on that side, and such characters bound a Latin word (``请think一下``).

Every search is linear in the text, whatever the pattern: the engine is RE2, which has no backtracking and
for that reason neither look-around nor back-references.
"""

import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec
import re2

from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey

FAMILY = "keyword"

_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1100, 0x11FF),  # Hangul letters
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0xA4CF),  # radicals, kana, Bopomofo, Han, Yi
    (0xA960, 0xA97F),  # Hangul letters
    (0xAC00, 0xD7FF),  # Hangul syllables: particles follow a word without a space
    (0xF900, 0xFAFF),  # Han, compatibility forms
    (0xFF66, 0xFFDC),  # half-width kana and Hangul
    (0x1AFF0, 0x1B16F),  # kana
    (0x20000, 0x3FFFF),  # Han
)
"""Code points of scripts that put no space between words, or whose words take endings without one."""

_EDGE = r"[^\pL\pM\pN\p{Pc}]|[" + "".join(rf"\x{{{low:X}}}-\x{{{high:X}}}" for low, high in _UNSPACED) + "]"
_BEFORE, _AFTER = rf"(?:\A|{_EDGE})", rf"(?:\z|{_EDGE})"
_BASE_BYTES, _KEYWORD_BYTES = 8 << 20, 16 << 10
"""Memory RE2 may use for one search. With less its automaton no longer fits and every search is 100 times
slower; 10,000 keywords stay at a few milliseconds for each megabyte of text."""
_CORRECT_IT = (
    "correct it (RE2 syntax: no look-around, no back-references), "
    "or remove `method: regex` to search for it literally"
)


class Combine(StrEnum):
    """Which of a rule's keywords must be present."""

    AND = "AND"
    OR = "OR"
    NOR = "NOR"


class KeywordRule(msgspec.Struct, frozen=True):
    """A named list of keywords."""

    name: str
    keywords: tuple[str, ...]
    combine: Combine = Combine.OR
    regex: bool = False
    """Whether keywords are regular expressions rather than literal words."""
    case_sensitive: bool = False
    path: str = ""
    """Where the document declares the rule, for problems."""


class KeywordEvaluator:
    """All keyword rules in use. Raises ConfigError with every keyword that cannot be searched for."""

    family = FAMILY
    immediate = True

    def __init__(self, rules: Sequence[KeywordRule]) -> None:
        problems = [problem for rule in rules for problem in _problems(rule)]
        if problems:
            raise ConfigError(problems)
        self._rules = tuple(_CompiledRule(rule) for rule in rules)
        self.keys = frozenset(rule.key for rule in self._rules)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule; ``detail`` is a keyword of the document, never a part of the text."""
        text = _Text(request.text)
        return tuple(rule.evaluate(text) for rule in self._rules)


class _Text:
    """The text in the two forms that rules search, each made once for all rules."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded: bytes | None = None
        self.plain = _encode(text)

    @property
    def folded(self) -> bytes:
        """The text with Unicode case folding."""
        if self._folded is None:
            self._folded = _encode(self._text.casefold())
        return self._folded


class _CompiledRule:
    """A rule ready to run: one search for OR and NOR, one for each keyword for AND."""

    def __init__(self, rule: KeywordRule) -> None:
        self.key = SignalKey(FAMILY, rule.name)
        self._rule = rule
        # A folded text makes case-insensitive literals plain ones; a pattern must see the text as it is.
        self._folds = not rule.case_sensitive and not rule.regex
        groups = [[word] for word in rule.keywords] if rule.combine is Combine.AND else [rule.keywords]
        search = _Patterns if rule.regex else _Words
        self._searches = tuple(search(rule, keywords) for keywords in groups if keywords)

    def evaluate(self, text: _Text) -> Signal:
        data = text.folded if self._folds else text.plain
        found = [search.first(data) for search in self._searches]
        hits = [keyword for keyword in found if keyword is not None]
        if self._rule.combine is Combine.NOR:
            return self._signal(matched=not hits, detail="none of its keywords")
        return self._signal(matched=bool(hits) and len(hits) == len(found), detail=", ".join(hits))

    def _signal(self, *, matched: bool, detail: str) -> Signal:
        return Signal(self.key, matched, confidence=float(matched), detail=detail if matched else "")


class _Words:
    """One pass over the text for any of several literal keywords, as whole words."""

    def __init__(self, rule: KeywordRule, keywords: Sequence[str]) -> None:
        self._keywords: dict[bytes, str] = {}
        by_edges: dict[tuple[bool, bool], list[str]] = {}
        for keyword in keywords:
            literal = keyword if rule.case_sensitive else keyword.casefold()
            self._keywords.setdefault(_encode(literal), keyword)
            by_edges.setdefault((_spaced(literal[0]), _spaced(literal[-1])), []).append(re2.escape(literal))
        # Keywords that need the same edges share them: the classes are most of the program.
        parts = [
            f"{_BEFORE if before else ''}({'|'.join(literals)}){_AFTER if after else ''}"
            for (before, after), literals in by_edges.items()
        ]
        self._regex = _joined(rule, parts, _options(len(keywords), case_sensitive=True))

    def first(self, data: bytes) -> str | None:
        """The keyword found first in the text, as the document spells it."""
        match = self._regex.search(data)
        return None if match is None else self._keywords[next(filter(None, match.groups()))]


class _Patterns:
    """One pass over the text for any of several regular expressions, and on a hit a few more to name it."""

    def __init__(self, rule: KeywordRule, keywords: Sequence[str]) -> None:
        options = _options(len(keywords), case_sensitive=rule.case_sensitive)
        self._each = tuple((keyword, re2.compile(keyword, options)) for keyword in keywords)
        self._any = _joined(rule, [f"(?:{keyword})" for keyword in keywords], options)

    def first(self, data: bytes) -> str | None:
        """The first pattern of the document that occurs in the text."""
        if self._any.search(data) is None:
            return None
        return next(keyword for keyword, regex in self._each if regex.search(data))


def _problems(rule: KeywordRule) -> list[Problem]:
    """Every keyword of a rule that cannot be searched for."""
    reasons = [_unusable(keyword, rule) for keyword in rule.keywords]
    return [
        Problem(Severity.ERROR, f"{rule.path}.keywords[{index}]", reason, remedy)
        for index, (reason, remedy) in enumerate(reasons)
        if reason
    ]


def _unusable(keyword: str, rule: KeywordRule) -> tuple[str, str]:
    """Why a keyword cannot be searched for and what to do about it; empty texts when it can."""
    if not keyword.strip():
        return "a keyword is blank", "remove it"
    if rule.regex and (reason := _refusal(keyword, rule)):
        return (
            f"{keyword!r} is no regular expression this router runs: {reason}",
            _CORRECT_IT,
        )
    return "", ""


def _refusal(pattern: str, rule: KeywordRule) -> str:
    """Why RE2 refuses a pattern; an empty text when it does not."""
    try:
        re2.compile(pattern, _options(1, case_sensitive=rule.case_sensitive))
    except re2.error as error:
        reason = error.args[0] if error.args else "it does not compile"
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return ""


def _joined(rule: KeywordRule, parts: Sequence[str], options: Any) -> Any:
    """One regular expression for any of ``parts``, each of which compiles by itself."""
    try:
        return re2.compile("|".join(parts), options)
    except re2.error:
        message = f"its {len(rule.keywords)} keywords are too many or too large for one rule"
        problem = Problem(Severity.ERROR, f"{rule.path}.keywords", message, "split it into several rules")
        raise ConfigError([problem]) from None


def _options(keywords: int, *, case_sensitive: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _BASE_BYTES + keywords * _KEYWORD_BYTES
    options.case_sensitive = case_sensitive
    return options


def _spaced(character: str) -> bool:
    """Whether a character is part of a word in a script that puts spaces between words."""
    category = unicodedata.category(character)
    in_word = category[0] in "LMN" or category == "Pc"
    return in_word and not any(low <= ord(character) <= high for low, high in _UNSPACED)


def _encode(text: str) -> bytes:
    # JSON can carry lone surrogates, which have no UTF-8 form and match nothing.
    return text.encode("utf-8", "replace")
