"""The language of the text, told by its script where that is enough, and otherwise by a small classifier.

A script that one language writes decides by itself: kana Japanese, Hangul Korean, Han without kana Chinese,
Thai, Greek and others. Everything else is read by a naive Bayes classifier over byte sequences (py3langid),
restricted to languages that are common or that a rule names: fewer candidates make short texts far surer. Two
things it cannot know are added. Letters that a language's alphabet does not have rule it out (``ы`` is not
Bulgarian), and English and, less so, Russian are likelier beforehand.

Where nothing is likely enough (a number, a formula, a lone word), the text counts as English, as in the
semantic router, with the small confidence that the classifier gives English; a rule that sets a threshold of
its own is not matched by that.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from functools import cache
from types import MappingProxyType
from typing import Final

import msgspec
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from pointsman.config.signals import Signals
from pointsman.config.translate import nearest
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem, Severity
from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.words import ends

FAMILY: Final = "language"
LEAST_CONFIDENCE: Final = 0.3
"""Below it the language counts as unknown; also what a threshold of 0 means."""
FALLBACK: Final = "en"
"""What texts count as that tell no language."""
MAX_CHARACTERS: Final = 2048
"""Of a longer text, the first and the last half of as many are read."""
COMMON: Final = frozenset(
    (
        *("ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi"),
        *("hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "mk", "ms", "nl", "no", "pl", "pt", "ro", "ru"),
        *("sk", "sl", "sq", "sr", "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "vi", "zh"),
    )
)
"""Languages told apart whatever the document names."""

_SAME: Final = MappingProxyType({"nb": "no", "iw": "he", "fil": "tl", "cmn": "zh", "in": "id"})
"""Codes that mean a language listed under another."""
_BEFOREHAND: Final = MappingProxyType({"en": 4.0, "ru": 1.5})
_SCRIPTS: Final = MappingProxyType(
    {
        "HIRAGANA": "ja",
        "KATAKANA": "ja",
        "HANGUL": "ko",
        "CJK": "zh",
        "THAI": "th",
        "GREEK": "el",
        "HEBREW": "he",
        "BENGALI": "bn",
        "TELUGU": "te",
        "TAMIL": "ta",
        "GEORGIAN": "ka",
        "ARMENIAN": "hy",
        "GUJARATI": "gu",
        "KANNADA": "kn",
        "MALAYALAM": "ml",
        "GURMUKHI": "pa",
        "SINHALA": "si",
        "KHMER": "km",
        "LAO": "lo",
        "MYANMAR": "my",
    }
)
"""First word of a letter's Unicode name -> the language it is taken for."""
_WEIGHT: Final = MappingProxyType({"zh": 3, "ja": 3, "ko": 2})
"""Letters of an alphabet that a character is worth: two Chinese characters are a word."""
_CERTAIN_SHARE = 0.6
"""Of the letters, what a script must have to decide."""
_KANA_SHARE = 0.1
"""Of Chinese and Japanese characters, how many are kana in a Japanese text; fewer are quotations."""
_FOREIGN: Final = MappingProxyType(
    {
        "ru": "іїєґўјљњђћџѓќѕ",
        "uk": "ыэёъўјљњђћџѓќѕ",
        "bg": "ыэёіїєґўјљњђћџѓќѕ",
        "mk": "ыэёъйщьюяіїєґўђћ",
        "sr": "ыэёъйщьюяіїєґўѓќѕ",
        "be": "иъщїєґјљњђћџѓќѕ",
    }
)
"""Cyrillic letters that a language does not have."""


class LanguageRule(msgspec.Struct, frozen=True):
    """A language by its ISO 639-1 code; ``zh-CN`` is ``zh``."""

    name: str
    threshold: float = 0.0
    path: str = ""
    """Where the document declares the rule, for problems."""

    @property
    def key(self) -> SignalKey:
        """The signal that conditions refer to."""
        return SignalKey(FAMILY, self.name)

    @property
    def code(self) -> str:
        """The code as the classifier has it."""
        code = self.name.strip().casefold().replace("_", "-").partition("-")[0]
        return _SAME.get(code, code)


class LanguageEvaluator:
    """All language rules in use. Raises ConfigError for languages that cannot be told."""

    family = FAMILY
    immediate = True

    def __init__(self, rules: Sequence[LanguageRule]) -> None:
        self._rules = tuple(rules)
        self._detector = Detector(rules)
        self.keys = frozenset(rule.key for rule in rules)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each rule; confidence is the probability of its language."""
        likely = self._detector.probabilities(request.text)
        best = max(likely, key=likely.__getitem__)
        sure = likely[best] >= LEAST_CONFIDENCE
        return tuple(_signal(rule, best if sure else FALLBACK, likely, sure=sure) for rule in self._rules)


class Detector:
    """Tells the common languages and those of the rules apart."""

    def __init__(self, rules: Sequence[LanguageRule] = ()) -> None:
        self._identifier = copy(_model())
        known = frozenset(self._identifier.labels)
        problems = [_unknown(rule, known) for rule in rules if rule.code not in known]
        if problems:
            raise ConfigError(problems)
        self._identifier.set_languages(COMMON | {rule.code for rule in rules})

    def probabilities(self, text: str) -> Mapping[str, float]:
        """Language code -> probability, summing to one at most; never empty."""
        read = ends(text, MAX_CHARACTERS)
        letters = Counter(character for character in read.casefold() if character.isalpha())
        certain = by_script(letters)
        if certain is not None:
            return certain
        ranked = dict(self._identifier.rank(read.encode("utf-8", "replace").decode("utf-8")))
        weighted = {
            code: probability * _BEFOREHAND.get(code, 1.0)
            for code, probability in ranked.items()
            if letters.keys().isdisjoint(_FOREIGN.get(code, ""))
        }
        total = sum(weighted.values())
        return {code: weight / total for code, weight in weighted.items()} if total else {FALLBACK: 0.0}


@cache
def _model() -> LanguageIdentifier:
    """The classifier for all its languages; its 75 MB are the same for every recipe and are never changed."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def by_script(letters: Mapping[str, int]) -> Mapping[str, float] | None:
    """The language that a text's letters leave no choice about, with their share; None where they do."""
    counts: Counter[str] = Counter()
    for letter, count in letters.items():
        counts[_language_of(letter)] += count
    if counts["ja"] and counts["ja"] >= _KANA_SHARE * (counts["ja"] + counts["zh"]):
        counts["ja"] += counts.pop("zh", 0)
    else:
        counts["zh"] += counts.pop("ja", 0)
    weights = {code: count * _WEIGHT.get(code, 1) for code, count in counts.items()}
    best = max(weights, key=weights.__getitem__)
    share = weights[best] / (sum(weights.values()) or 1)
    return {best: share} if best and share >= _CERTAIN_SHARE else None


def build(signals: Signals, used: AbstractSet[SignalKey], where: str) -> LanguageEvaluator:
    """The evaluator of the rules in use; ``where`` is the key path of their routing."""
    rules = (
        LanguageRule(rule.name, rule.threshold, f"{where}.signals.language[{index}]")
        for index, rule in enumerate(signals.language)
    )
    return LanguageEvaluator([rule for rule in rules if rule.key in used])


def _language_of(letter: str) -> str:
    """The language of a letter's script; empty where several share it."""
    if letter.isascii():
        return ""
    return _SCRIPTS.get(unicodedata.name(letter, "").partition(" ")[0], "")


def _signal(rule: LanguageRule, language: str, likely: Mapping[str, float], *, sure: bool) -> Signal:
    confidence = likely.get(rule.code, 0.0)
    enough = confidence >= rule.threshold if rule.threshold else True
    matched = rule.code == language and enough
    detail = f"{language} {likely.get(language, 0.0):.2f}" + ("" if sure else ", no language is likely")
    return Signal(rule.key, matched, confidence=confidence, detail=detail if matched else "")


def _unknown(rule: LanguageRule, known: Iterable[str]) -> Problem:
    near = nearest(rule.name, known)
    return Problem(
        Severity.ERROR,
        f"{rule.path}.name",
        f"{rule.name!r} is no code of a language that can be told",
        f"did you mean {near}?" if near else "use an ISO 639-1 code such as en, zh or fr",
    )
