import asyncio
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import ConfigError
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.signal import Signal
from pointsman.signals.keyword import Combine, KeywordEvaluator, KeywordRule

THINKING = KeywordRule("thinking", ("urgent", "immediate", "asap", "think", "careful"))


def look(rule: KeywordRule, text: str) -> Signal:
    """The signal of one rule on one text."""
    request = ChatRequest(Dialect.OPENAI_CHAT, "MoM", (Message("user", text),), b"")
    (signal,) = asyncio.run(KeywordEvaluator([rule]).evaluate(request))
    return signal


def words(*keywords: str, combine: Combine = Combine.OR, case_sensitive: bool = False) -> KeywordRule:
    """A rule of literal keywords."""
    return KeywordRule("rule", keywords, combine, case_sensitive=case_sensitive)


def unspaced(character: str) -> bool:
    """Oracle: whether a character's script writes no spaces, judged by its Unicode name."""
    scripts = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "MYANMAR", "KHMER", "YI ", "BOPOMOFO")
    return any(script in unicodedata.name(character, "") for script in scripts)


def word_character(character: str) -> bool:
    """Oracle: whether a character continues a word of a script that writes spaces."""
    return (character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M") and not (
        unspaced(character)
    )


def naive(keyword: str, text: str) -> bool:
    """Oracle: every occurrence of a keyword, one after the other, with its neighbours looked at."""
    keyword, text = keyword.casefold(), text.casefold()
    for start in range(len(text)):
        end = start + len(keyword)
        if text[start:end] != keyword:
            continue
        glued_before = start > 0 and word_character(keyword[0]) and word_character(text[start - 1])
        glued_after = end < len(text) and word_character(keyword[-1]) and word_character(text[end])
        if not glued_before and not glued_after:
            return True
    return False


LETTERS = "aàßsSéKkИиЖ思考请をサーสวี한국1_+. ,\n\U0001f600ı"
TEXTS = st.text(alphabet=LETTERS, max_size=12)
KEYWORDS = st.text(alphabet=LETTERS, min_size=1, max_size=3).filter(str.strip)


@given(st.lists(KEYWORDS, min_size=1, max_size=4), TEXTS, st.sampled_from(Combine))
def test_agrees_with_looking_at_every_occurrence(keywords: list[str], text: str, combine: Combine) -> None:
    """In any script a rule matches exactly when looking for its keywords one by one says so."""
    hits = [naive(keyword, text) for keyword in keywords]
    expected = {Combine.OR: any(hits), Combine.AND: all(hits), Combine.NOR: not any(hits)}[combine]
    signal = look(words(*keywords, combine=combine), text)
    assert signal.matched == expected
    if expected and combine is Combine.OR:
        assert naive(signal.detail, text)
        assert signal.detail in keywords


@pytest.mark.parametrize(
    "text",
    ["What do you think?", "THINK", "请think一下", "思考(think)", "ไทยthinkไทย", "naïve. Think\nagain"],
)
def test_a_word_is_found_in_any_surroundings(text: str) -> None:
    """A Latin keyword matches as a whole word, also right beside text that writes no spaces."""
    assert look(THINKING, text) == Signal(
        look(THINKING, text).key, matched=True, confidence=1.0, detail="think"
    )


@pytest.mark.parametrize("text", ["rethink", "thinking", "éthink", "thinké", "think_tank", "think\u0301", ""])
def test_a_part_of_a_word_is_not_the_word(text: str) -> None:
    """Letters, digits, underscores and accents on either side make it another word."""
    assert not look(THINKING, text).matched


@pytest.mark.parametrize("text", ["请思考一下", "思考", "think思考"])
def test_chinese_keywords_match_inside_text(text: str) -> None:
    """Where no spaces are written a keyword matches as a substring."""
    assert look(words("思考"), text).detail == "思考"


def test_case_folding_is_unicode() -> None:
    """Case-insensitive means for every script, including letters that fold to two."""
    assert look(words("STRASSE"), "die straße").matched
    assert look(words("ΣΊΣΥΦΟΣ"), "ο σίσυφος").matched


def test_case_can_matter() -> None:
    """A case-sensitive rule tells a name from a word."""
    rule = words("Rust", case_sensitive=True)
    assert look(rule, "Rust code").matched
    assert not look(rule, "rust on iron").matched


def test_a_keyword_is_literal_unless_the_rule_says_regex() -> None:
    """Characters that mean something in expressions mean themselves, and need no boundary beside them."""
    rule = words("C++", "node.js", "$100")
    assert look(rule, "a C++11 question").detail == "C++"
    assert not look(rule, "nodeXjs").matched
    assert look(rule, "costs $100!").detail == "$100"


def test_every_keyword_of_an_and_must_occur() -> None:
    """AND needs all keywords, which may overlap in the text, and names them."""
    rule = words("new york", "york city", combine=Combine.AND)
    assert look(rule, "New York City").detail == "new york, york city"
    assert not look(rule, "New York").matched


def test_nor_matches_when_nothing_occurs() -> None:
    """NOR is the absence of every keyword."""
    rule = words("password", "密码", combine=Combine.NOR)
    assert look(rule, "hello").confidence == 1.0
    assert not look(rule, "忘记密码了").matched


def test_expressions_are_used_as_written() -> None:
    """With method regex a keyword is an expression without added boundaries, case-insensitive by default."""
    rule = KeywordRule("rule", (r"err(or)?\d{3}", r"^(?P<id>\d+)$", r"(?P<id>x)y"), regex=True)
    assert look(rule, "got ERROR404x").detail == r"err(or)?\d{3}"
    assert look(rule, "17").detail == r"^(?P<id>\d+)$"
    assert not look(rule, "17 apples").matched


def test_a_pattern_that_explodes_elsewhere_is_linear_here() -> None:
    """A nested quantifier over a long text just finishes."""
    rule = KeywordRule("rule", ("(a+)+$", "(x|xx)+y"), regex=True)
    assert not look(rule, "a" * 300_000 + "xx" * 300_000 + "!").matched


def test_a_megabyte_of_text_and_a_thousand_keywords_finish() -> None:
    """Long lists over long texts of mixed scripts stay within the automaton's memory."""
    keywords = tuple(f"key{number:x}word" for number in range(1000))
    text = "key1 thinks 思考 éa " * 50_000
    assert not look(words(*keywords), text).matched
    assert look(words(*keywords), text + keywords[-1]).detail == keywords[-1]


def test_text_that_is_no_valid_unicode_is_searched_all_the_same() -> None:
    """A lone surrogate, which JSON can carry, neither matches nor breaks anything."""
    assert look(THINKING, "\ud800 think \udfff").matched


def test_every_bad_keyword_is_a_problem_at_build() -> None:
    """Expressions RE2 refuses and blank keywords stop the start, each with its path and a remedy."""
    rule = KeywordRule("rule", ("(a", "(?=x)", "fine", " "), regex=True, path="routing.signals.keywords[4]")
    with pytest.raises(ConfigError) as caught:
        KeywordEvaluator([rule])
    paths = [problem.path for problem in caught.value.problems]
    assert paths == [f"routing.signals.keywords[4].keywords[{index}]" for index in (0, 1, 3)]
    assert all(problem.remedy for problem in caught.value.problems)


def test_the_detail_never_quotes_the_text() -> None:
    """What is shown is the document's spelling of the keyword, not the client's."""
    assert look(THINKING, "tHiNk of my secret").detail == "think"
    assert look(KeywordRule("r", ("s.*",), regex=True), "my secret").detail == "s.*"


def test_the_oracle_is_not_the_code() -> None:
    """The oracle above knows boundaries by name of script; Python's own word boundary agrees on ASCII."""
    for text in ("think", "a think b", "rethink", "think!", "x_think"):
        assert naive("think", text) == bool(re.search(r"\bthink\b", text))
