r"""Words and patterns looked for in the text.

As in the semantic router, a rule without ``method`` takes its keywords literally, as whole words; with
``method: regex`` spelled out each keyword is a regular expression, used as written. A rule combines its
keywords by OR (any), AND (each) or NOR (none).

Whole words are what a reader would call so in any script. ``\b`` alone is wrong twice: between Chinese
characters there is no boundary, so a keyword that begins or ends with a character of a script written without
spaces needs none on that side, and such characters bound a Latin word (``请think一下``).

Every search is linear in the text, whatever the pattern: the engine is RE2, which has no backtracking and for
that reason neither look-around nor back-references.

There are three more ways to look: ``fuzzy`` finds keywords despite typing errors, ``ngram`` and ``bm25``
score each keyword. What is found or not has a confidence of 1. The confidence of a scored rule is a score
from 0 to 1: of the best keyword for OR, of the worst for AND, and for NOR what the best lacks to 1.
"""

import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Any, Literal

import msgspec
import re2

from pointsman.config.signals import KeywordSignal, Signals
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.keyword_bm25 import Bm25
from pointsman.signals.keyword_fuzzy import Near
from pointsman.signals.keyword_ngram import Ngrams
from pointsman.signals.scripts import UNSPACED_CLASS, is_unspaced
from pointsman.signals.words import words

FAMILY = "keyword"

_EDGE = rf"[^\pL\pM\pN\p{{Pc}}]|[{UNSPACED_CLASS}]"
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


class Fuzzy(msgspec.Struct, frozen=True):
    """Typing errors still match: up to ``threshold`` edits, or from 11 on that percentage of likeness."""

    threshold: int = 2


class Scored(msgspec.Struct, frozen=True):
    """Keywords are scored, and found from ``threshold`` on."""

    method: Literal["bm25", "ngram"]
    threshold: float
    arity: int = 3
    """Characters per n-gram."""


class KeywordRule(msgspec.Struct, frozen=True):
    """A named list of keywords."""

    name: str
    keywords: tuple[str, ...]
    combine: Combine = Combine.OR
    regex: bool = False
    """Whether keywords are regular expressions rather than literal words."""
    case_sensitive: bool = False
    approximate: Fuzzy | Scored | None = None
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
        self._rules = tuple(
            _ScoredRule(rule, rule.approximate)
            if isinstance(rule.approximate, Scored)
            else _CompiledRule(rule)
            for rule in rules
        )
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
        self._words: dict[bool, tuple[str, ...]] = {}
        self.plain = _encode(text)

    @property
    def folded(self) -> bytes:
        """The text with Unicode case folding."""
        if self._folded is None:
            self._folded = _encode(self._text.casefold())
        return self._folded

    def words(self, *, case_sensitive: bool) -> tuple[str, ...]:
        """The text's words, as they are or with Unicode case folding."""
        if case_sensitive not in self._words:
            self._words[case_sensitive] = words(self._text if case_sensitive else self._text.casefold())
        return self._words[case_sensitive]


class _CompiledRule:
    """A rule ready to run: one search for OR and NOR, one for each keyword for AND."""

    def __init__(self, rule: KeywordRule) -> None:
        self.key = SignalKey(FAMILY, rule.name)
        self._rule = rule
        # A folded text makes case-insensitive literals plain ones; a pattern must see the text as it is.
        self._folds = not rule.case_sensitive and not rule.regex
        groups = [[word] for word in rule.keywords] if rule.combine is Combine.AND else [rule.keywords]
        search = _Patterns if rule.regex else _Words
        self._searches = tuple(
            (search(rule, keywords), _near(rule, keywords)) for keywords in groups if keywords
        )

    def evaluate(self, text: _Text) -> Signal:
        found = [self._first(exact, near, text) for exact, near in self._searches]
        hits = [keyword for keyword in found if keyword is not None]
        if self._rule.combine is Combine.NOR:
            return self._signal(matched=not hits, detail="none of its keywords")
        return self._signal(matched=bool(hits) and len(hits) == len(found), detail=", ".join(hits))

    def _first(self, exact: "_Words | _Patterns", near: Near | None, text: _Text) -> str | None:
        keyword = exact.first(text.folded if self._folds else text.plain)
        if keyword is None and near is not None:
            return near.first(text.words(case_sensitive=self._rule.case_sensitive))
        return keyword

    def _signal(self, *, matched: bool, detail: str) -> Signal:
        return Signal(self.key, matched, confidence=float(matched), detail=detail if matched else "")


class _ScoredRule:
    """A rule whose keywords get a score each."""

    def __init__(self, rule: KeywordRule, scored: Scored) -> None:
        self.key = SignalKey(FAMILY, rule.name)
        self._rule = rule
        self._threshold = scored.threshold
        self._index = (
            Bm25(rule.keywords, case_sensitive=rule.case_sensitive)
            if scored.method == "bm25"
            else Ngrams(rule.keywords, scored.arity, case_sensitive=rule.case_sensitive)
        )

    def evaluate(self, text: _Text) -> Signal:
        found = text.words(case_sensitive=self._rule.case_sensitive)
        scores = self._index.scores(found)
        hits = [score >= self._threshold and share > 0 for score, share in scores]
        shares = [share for _, share in scores]
        named = ", ".join(keyword for keyword, hit in zip(self._rule.keywords, hits, strict=True) if hit)
        if self._rule.combine is Combine.NOR:
            matched, confidence, named = not any(hits), 1 - max(shares), "none of its keywords"
        elif self._rule.combine is Combine.AND:
            matched, confidence = all(hits), min(shares)
        else:
            matched, confidence = any(hits), max(shares)
        return Signal(self.key, matched, confidence=confidence, detail=named if matched else "")


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


def build(signals: Signals, used: AbstractSet[SignalKey], where: str) -> KeywordEvaluator:
    """The evaluator of the rules in use; ``where`` is the key path of their routing."""
    rules = (
        KeywordRule(
            name=rule.name,
            keywords=rule.keywords,
            combine=Combine(rule.operator),
            # Only a method that was spelled out turns keywords into expressions; the default is literal.
            regex="method" in rule.model_fields_set and rule.method == "regex",
            case_sensitive=rule.case_sensitive,
            approximate=_approximate(rule),
            path=f"{where}.signals.keywords[{index}]",
        )
        for index, rule in enumerate(signals.keywords)
    )
    problems = [
        Problem(
            Severity.ERROR,
            f"{where}.signals.keywords[{index}].fuzzy_match",
            f"{rule.method} has its own measure of likeness, which fuzzy_match does not change",
            f"remove fuzzy_match, or remove method: {rule.method}",
        )
        for index, rule in enumerate(signals.keywords)
        if rule.fuzzy_match and rule.method in {"bm25", "ngram"}
    ]
    if problems:
        raise ConfigError(problems)
    return KeywordEvaluator([rule for rule in rules if SignalKey(FAMILY, rule.name) in used])


def _approximate(rule: KeywordSignal) -> Fuzzy | Scored | None:
    if rule.method == "bm25":
        return Scored("bm25", rule.bm25_threshold)
    if rule.method == "ngram":
        return Scored("ngram", rule.ngram_threshold, rule.ngram_arity)
    return Fuzzy(rule.fuzzy_threshold) if rule.fuzzy_match or rule.method == "fuzzy" else None


def _near(rule: KeywordRule, keywords: Sequence[str]) -> Near | None:
    """The search for what is nearly a keyword; patterns are taken as they are written."""
    if not isinstance(rule.approximate, Fuzzy):
        return None
    return Near(keywords, rule.approximate.threshold, case_sensitive=rule.case_sensitive)


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
    return in_word and not is_unspaced(character)


def _encode(text: str) -> bytes:
    # JSON can carry lone surrogates, which have no UTF-8 form and match nothing.
    return text.encode("utf-8", "replace")
