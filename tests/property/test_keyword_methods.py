"""Approximate keywords against oracles written from their description."""

import math
import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.signals.keyword_bm25 import K1, B, Bm25
from pointsman.signals.keyword_fuzzy import Near, allowed
from pointsman.signals.keyword_ngram import Ngrams
from pointsman.signals.phrases import ends_at, in_order
from pointsman.signals.words import words

LETTERS = "abcdeéя思考机の_1 -.,!\n"
TEXTS = st.text(alphabet=LETTERS, max_size=40)
KEYWORDS = st.lists(
    st.text(alphabet="abcdé思考机 ", min_size=1, max_size=9).filter(lambda each: bool(each.strip())),
    min_size=1,
    max_size=4,
)
ARITIES = st.integers(1, 4)


def about(value: float) -> object:
    """Equal but for rounding: sums are formed in different orders."""
    return pytest.approx(value, abs=1e-12)


def han(character: str) -> bool:
    """Whether a character of the alphabet above is of a script without spaces."""
    return character in "思考机の"


def split(text: str) -> list[str]:
    """Words, one character at a time."""
    found: list[str] = []
    open_word = False
    for character in text:
        if han(character):
            found.append(character)
            open_word = False
        elif unicodedata.category(character)[0] in "LMN" or character == "_":
            if open_word:
                found[-1] += character
            else:
                found.append(character)
            open_word = True
        else:
            open_word = False
    return found


def together(found: list[str]) -> str:
    text = ""
    for index, word in enumerate(found):
        spaced = index > 0 and not (han(word) and han(found[index - 1]))
        text += f" {word}" if spaced else word
    return text


def distance(one: str, other: str) -> int:
    """Edit distance by the definition's recurrence."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        previous, row = row, [i]
        for j, right in enumerate(other, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (left != right)))
    return row[-1]


def runs(found: list[str], size: int) -> list[list[str]]:
    return [found[start : start + size] for start in range(len(found) - size + 1)]


@given(TEXTS)
def test_words_are_those_a_reader_would_count(text: str) -> None:
    """A run of letters is a word, and so is each character of a script without spaces."""
    assert list(words(text)) == split(text)


@given(KEYWORDS, TEXTS, st.integers(0, 100))
def test_fuzzy_finds_what_comparing_everything_finds(keywords: list[str], text: str, threshold: int) -> None:
    """A keyword is near when some run of as many words is within its allowance of edits."""

    def near(keyword: str) -> bool:
        parts = split(keyword.casefold())
        budget = allowed(keyword, threshold)
        candidates = runs(split(text.casefold()), len(parts))
        return budget > 0 and any(distance(together(parts), together(run)) <= budget for run in candidates)

    found = Near(keywords, threshold, case_sensitive=False).first(words(text.casefold()))
    expected = {keyword for keyword in keywords if near(keyword)}
    assert found in expected if expected else found is None


@given(st.text(min_size=1, max_size=30), st.integers(0, 100))
def test_an_allowance_never_grows_with_likeness(keyword: str, threshold: int) -> None:
    """Up to ten a larger threshold allows no fewer errors; as a percentage no more; never all characters."""
    errors = allowed(keyword, threshold)
    assert 0 <= errors < len(keyword)
    if threshold < 10:
        assert errors <= allowed(keyword, threshold + 1)
    elif 10 < threshold < 100:
        assert errors >= allowed(keyword, threshold + 1)


def grams(found: list[str], arity: int) -> Counter[str]:
    counted: Counter[str] = Counter()
    for word in found:
        padded = word if han(word) else " " * (arity - 1) + word + " " * (arity - 1)
        size = 1 if han(word) else arity
        counted.update(padded[start : start + size] for start in range(len(padded) - size + 1))
    return counted


@given(KEYWORDS, TEXTS, ARITIES)
def test_ngram_scores_are_those_of_comparing_everything(keywords: list[str], text: str, arity: int) -> None:
    """The score of a keyword is the best Jaccard likeness of n-grams of any run of as many words."""

    def likeness(keyword: str) -> float:
        parts, found = split(keyword.casefold()), split(text.casefold())
        wanted = grams(parts, arity)
        candidates = runs(found, len(parts)) or ([found] if found else [])
        scores = [
            (wanted & given).total() / (wanted | given).total()
            for given in (grams(run, arity) for run in candidates)
        ]
        return max(scores, default=0.0)

    scores = Ngrams(keywords, arity, case_sensitive=False).scores(words(text.casefold()))
    assert [score for score, _ in scores] == [about(likeness(keyword)) for keyword in keywords]


def bm25_terms(text: str) -> list[str]:
    """Words; of characters of scripts without spaces that follow each other, each two."""
    found = split(text)
    result: list[str] = []
    run: list[str] = []
    for word in [*found, ""]:
        if word and han(word):
            run.append(word)
            continue
        result += run if len(run) == 1 else ["".join(pair) for pair in pairwise(run)]
        run = []
        if word:
            result.append(word)
    return result


@given(KEYWORDS, TEXTS)
def test_bm25_scores_are_those_of_the_formula(keywords: list[str], text: str) -> None:
    """Each keyword is a document and the text the query, whose terms count once."""
    plain = [keyword for keyword in keywords if not {"a", "be"} & set(split(keyword))] or ["d"]
    documents = [bm25_terms(keyword) for keyword in plain]
    mean = sum(map(len, documents)) / len(documents)
    query = set(bm25_terms(text))

    def score(document: list[str], asked: set[str]) -> float:
        total = 0.0
        for term in set(document) & asked:
            holding = sum(term in each for each in documents)
            rarity = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
            times = document.count(term)
            total += rarity * times * (K1 + 1) / (times + K1 * (1 - B + B * len(document) / mean))
        return total

    scores = Bm25(plain, case_sensitive=True).scores(words(text))
    for document, (found, share) in zip(documents, scores, strict=True):
        best = score(document, set(document))
        assert found == about(score(document, query))
        assert share == about(score(document, query) / best)


def glued(text: str, position: int) -> bool:
    return (
        0 <= position < len(text)
        and not han(text[position])
        and (text[position].isalnum() or text[position] == "_")
    )


@given(st.text(alphabet="ab思 ", max_size=20), st.text(alphabet="ab思 ", min_size=1, max_size=3))
def test_occurrences_are_those_of_looking_everywhere(text: str, phrase: str) -> None:
    """From left to right, every occurrence that no letter touches and that overlaps none before."""
    expected, position = [], 0
    while position + len(phrase) <= len(text):
        end = position + len(phrase)
        here = text[position:end] == phrase
        touched = (glued(phrase, 0) and glued(text, position - 1)) or (
            glued(phrase, len(phrase) - 1) and glued(text, end)
        )
        if here and not touched:
            expected.append(end)
            position = end
        else:
            position += 1
    assert list(ends_at(text, phrase)) == expected


@given(
    st.text(alphabet="ab ", max_size=14), st.lists(st.sampled_from(["a", "b", "a b"]), min_size=1, max_size=3)
)
def test_a_sequence_is_some_choice_of_occurrences_in_order(text: str, phrases: list[str]) -> None:
    """Markers come in order when any choice of their occurrences does."""

    def some(position: int, left: list[str]) -> bool:
        return not left or any(some(end, left[1:]) for end in ends_at(text, left[0], position))

    assert in_order(text, phrases) is some(0, phrases)
