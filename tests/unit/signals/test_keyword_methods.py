"""Keywords that are found despite errors, or scored."""

import asyncio
from typing import Any

import pytest

from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals import keyword, keyword_fuzzy, keyword_ngram
from pointsman.signals.keyword_fuzzy import Near, allowed
from pointsman.signals.keyword_ngram import Ngrams
from pointsman.signals.words import MAX_CHARACTERS, joined, words


def look(text: str, *keywords: str, **rest: Any) -> Signal:
    """The signal of one rule of the document."""
    signals = Signals.model_validate({"keywords": [{"name": "rule", "keywords": list(keywords), **rest}]})
    evaluator = keyword.build(signals, {SignalKey("keyword", "rule")}, "routing")
    request = ChatRequest(Dialect.OPENAI_CHAT, "MoM", (Message("user", text),), b"")
    (signal,) = asyncio.run(evaluator.evaluate(request))
    return signal


@pytest.mark.parametrize(
    ("text", "keywords", "threshold"),
    [
        ("this is urgnet", ["urgent"], 2),
        ("please help immediatly", ["immediate"], 3),
        ("a maschine learning course", ["machine learning"], 2),
        ("URGENTT!", ["urgent"], 1),
        ("关于人工智慧的问题", ["人工智能"], 2),
        ("this is urgenta", ["urgent"], 82),
        ("C++ is asked for", ["c++"], 2),
    ],
)
def test_fuzzy_finds_words_with_errors(text: str, keywords: list[str], threshold: int) -> None:
    """What is within the distance matches with a confidence of 1; symbols are searched literally."""
    for how in ({"method": "fuzzy"}, {"fuzzy_match": True}):
        signal = look(text, *keywords, fuzzy_threshold=threshold, **how)
        assert (signal.matched, signal.confidence, signal.detail) == (True, 1.0, keywords[0])


@pytest.mark.parametrize(
    ("text", "keyword", "threshold"),
    [
        ("what is it", "AI", 2),
        ("as soon as", "asap", 2),
        ("this is urgt", "urgent", 1),
        ("a surgeon wrote", "urgent", 82),
        ("machine", "machine learning", 2),
        ("C is asked for", "c++", 2),
        ("", "urgent", 2),
    ],
)
def test_fuzzy_does_not_find_other_words(text: str, keyword: str, threshold: int) -> None:
    """Short keywords allow few errors or none, and a percentage is likeness and not a distance."""
    assert not look(text, keyword, method="fuzzy", fuzzy_threshold=threshold).matched


def test_upstreams_threshold_of_82_means_percent() -> None:
    """Read as a distance, 82 would match every text; six letters at 82 % allow one error."""
    assert allowed("urgent", 82) == 1
    assert allowed("urgent", 100) == 0
    assert allowed("urgent", 10) == 2


@pytest.mark.parametrize(
    ("operator", "text", "matched"),
    [
        ("AND", "urgnet and immediat", True),
        ("AND", "urgnet only", False),
        ("NOR", "urgnet", False),
        ("NOR", "calm", True),
        ("OR", "calm and immediat", True),
    ],
)
def test_fuzzy_keywords_combine(operator: str, text: str, *, matched: bool) -> None:
    """AND asks for each keyword, OR for any, NOR for none, found exactly or nearly."""
    signal = look(text, "urgent", "immediate", method="fuzzy", operator=operator)
    assert (signal.matched, signal.confidence) == (matched, float(matched))


def test_case_counts_when_the_rule_says_so() -> None:
    """With case_sensitive another case is another letter."""
    assert look("URGENT", "urgent", method="fuzzy").matched
    assert not look("URGENT", "urgent", method="fuzzy", case_sensitive=True).matched
    assert not look("URGENT", "urgent", method="ngram", case_sensitive=True).matched
    assert not look("URGENT", "urgent", method="bm25", case_sensitive=True).matched


def test_patterns_stay_patterns() -> None:
    """With a spelled-out method regex, fuzzy_match adds typing errors of plain words to the pattern's own."""
    assert look("error 42", r"err\w+ \d+", method="regex", fuzzy_match=True).matched
    assert look("an eror", "error", method="regex", fuzzy_match=True).matched
    assert not look("err 4x", r"err\w+ \d+", method="regex", fuzzy_match=True).matched


@pytest.mark.parametrize(
    ("text", "keyword", "matched"),
    [
        ("it is urgently needed", "urgent", True),
        ("an emergancy", "emergency", True),
        ("nothing of the sort", "urgent", False),
        ("机器学系是什么", "机器学习", True),
        ("天气怎么样", "机器学习", False),
        ("", "urgent", False),
    ],
)
def test_ngrams_find_words_that_share_letters(text: str, keyword: str, *, matched: bool) -> None:
    """The share of common n-grams decides, and is the confidence."""
    signal = look(text, keyword, method="ngram")
    assert signal.matched is matched
    assert (signal.confidence >= 0.4) is matched


def test_a_scored_rule_is_as_sure_as_its_keywords() -> None:
    """Confidence is the best score for OR, the worst for AND, and for NOR what the best lacks to 1."""
    rule = {"method": "ngram", "ngram_threshold": 0.3}
    best = look("urgently", "urgent", **rule).confidence
    assert 0.3 <= best < 1
    assert look("urgently", "urgent", "zzz", **rule).confidence == best
    assert look("urgently now", "urgent", "now", operator="AND", **rule).confidence == best
    assert not look("urgently", "urgent", "now", operator="AND", **rule).matched
    assert look("calm", "urgent", operator="NOR", **rule).confidence == 1.0
    assert not look("urgently", "urgent", operator="NOR", **rule).matched


@pytest.mark.parametrize(
    ("text", "keywords", "found"),
    [
        ("how do I debug this function?", ["code", "functions", "debug"], "functions, debug"),
        ("a talk on machine translation", ["machine learning", "cooking"], "machine learning"),
        ("什么是机器学习", ["机器学习", "做饭"], "机器学习"),
        ("state of the art", ["the end of it", "the"], "the"),
    ],
)
def test_bm25_finds_keywords_that_share_terms(text: str, keywords: list[str], found: str) -> None:
    """Terms are words without plural, or pairs of Chinese characters; function words count only alone."""
    signal = look(text, *keywords, method="bm25")
    assert signal.detail == found
    assert 0 < signal.confidence <= 1


def test_bm25_is_surest_of_whole_keywords() -> None:
    """All terms of a keyword are a confidence of 1, some are less."""
    assert look("machine learning", "machine learning", "deep sea", method="bm25").confidence == 1.0
    assert 0 < look("machine", "machine learning", "deep sea", method="bm25").confidence < 1


@pytest.mark.parametrize("method", ["bm25", "ngram"])
def test_what_a_scored_rule_cannot_use_is_refused(method: str) -> None:
    """A scored method has its own likeness: fuzzy_match with it is an error at its place."""
    with pytest.raises(ConfigError, match=r"routing\.signals\.keywords\[0\]\.fuzzy_match"):
        look("x", "x", method=method, fuzzy_match=True)


def test_of_a_long_text_both_ends_are_read() -> None:
    """Of more characters than are read, the middle is left out; literal searches read all."""
    filler = "x " * MAX_CHARACTERS
    assert look(f"urgnet {filler}", "urgent", method="fuzzy").matched
    assert look(f"{filler} urgnet", "urgent", method="fuzzy").matched
    assert not look(f"{filler} urgnet {filler}", "urgent", method="fuzzy").matched
    assert look(f"{filler} urgent {filler}", "urgent", method="fuzzy").matched
    assert len(words(filler)) <= MAX_CHARACTERS // 2 + 1


def test_many_keywords_read_fewer_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons of one rule are bounded: with more keywords than that allows, only both ends are read."""
    monkeypatch.setattr(keyword_fuzzy, "PAIRS", 8)
    monkeypatch.setattr(keyword_ngram, "PAIRS", 8)
    near = Near(["urgent", "emergency"], 2, case_sensitive=False)
    grams = Ngrams(["urgent", "emergency"], 3, case_sensitive=False)
    for text, found in (("urgnet b c d e", True), ("a b urgnet d e", False), ("a b c d urgnet", True)):
        assert (near.first(text.split()) is not None) is found
        assert (grams.scores(text.split())[0][0] > 0) is found


def test_words_are_joined_as_they_are_written() -> None:
    """Words have a space between them, characters of scripts without spaces have none."""
    assert joined(words("用Python写 a b")) == "用 Python 写 a b"
    assert joined(words("人工智能")) == "人工智能"
    assert joined(()) == ""
