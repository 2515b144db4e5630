"""Classifiers made of the package's example texts: feedback, facts, modality."""

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from pointsman import encoder as encoding
from pointsman.core.errors import ConfigError
from pointsman.signals.exemplars import ExemplarClassifier, parsed, shipped
from pointsman.signals.modality import Bar, Words
from pointsman.signals.user_feedback import outcome
from unit.signals.fakes import Encoder, document, evaluator, matched, observed

OUTCOMES = {
    "fact_check": ("fact_check", ("needs_fact_check", "no_fact_check_needed")),
    "user_feedback": (
        "user_feedbacks",
        ("satisfied", "need_clarification", "wrong_answer", "want_different"),
    ),
    "modality": ("modality", ("AR", "DIFFUSION", "BOTH")),
}


def rules(family: str) -> Mapping[str, object]:
    """Every outcome of a family."""
    key, names = OUTCOMES[family]
    return {key: [{"name": name} for name in names]}


@pytest.fixture(scope="module")
def encoder() -> Iterator[encoding.Encoder]:
    """The shipped one."""
    loaded = encoding.Encoder.load()
    yield loaded
    loaded.close()


@pytest.mark.parametrize("family", OUTCOMES)
def test_the_package_ships_examples_of_every_outcome(family: str) -> None:
    """About sixty texts a class in both languages, no text twice."""
    texts = shipped(family)
    assert set(texts) == set(OUTCOMES[family][1])
    assert all(60 <= len(each) <= 64 for each in texts.values())
    assert all(sum(not text.isascii() for text in each) >= 18 for each in texts.values())
    assert max(Counter(text for each in texts.values() for text in each).values()) == 1


def test_a_page_of_examples_is_headings_and_lines() -> None:
    """Blank lines and what stands before the first heading are no examples."""
    assert parsed("note\n## a\none\n\n two \n## b\nthree\n") == {"a": ("one", "two"), "b": ("three",)}


def test_probabilities_sum_to_one_and_prefer_the_class_of_the_example() -> None:
    """A text like the examples of one class is of that class."""
    angles = {f"{name}{step}": base + step for name, base in (("a", 0.0), ("b", 90.0)) for step in range(9)}
    fake = Encoder(angles)
    texts = {name: [text for text in angles if text[0] == name] for name in "ab"}
    classifier = ExemplarClassifier.fitted(fake, texts)
    found = classifier.probabilities(fake.embed_now("a4"))
    assert sum(found.values()) == pytest.approx(1.0)
    assert found["a"] > 0.9


def test_feedback_needs_an_earlier_answer() -> None:
    """Without an assistant's turn there is nothing to like or dislike, and no pass is spent."""
    fake = Encoder()
    assert not matched(evaluator(rules("user_feedback"), "user_feedback", fake), "That's wrong")
    assert not fake.asked


@pytest.mark.parametrize(
    ("probabilities", "found"),
    [
        ({"satisfied": 0.1, "wrong_answer": 0.8, "new_request": 0.1}, "wrong_answer"),
        ({"satisfied": 0.2, "wrong_answer": 0.6, "new_request": 0.2}, "satisfied"),
        ({"satisfied": 0.0, "wrong_answer": 0.1, "new_request": 0.9}, "satisfied"),
    ],
)
def test_doubt_and_new_requests_are_satisfaction(probabilities: Mapping[str, float], found: str) -> None:
    """Only an outcome from the threshold on is taken for one; shares sum to one without the requests."""
    name, shares = outcome(probabilities, 0.7)
    assert name == found
    assert "new_request" not in shares
    assert sum(shares.values()) == pytest.approx(1.0)


def test_one_outcome_of_a_family_matches(encoder: encoding.Encoder) -> None:
    """In Chinese too, exactly one."""
    built = evaluator(rules("user_feedback"), "user_feedback", encoder)  # type: ignore[arg-type]  # the real one
    assert matched(built, "七乘八等于多少？", "五十四", "你算错了") == {"wrong_answer"}
    built = evaluator(rules("modality"), "modality", encoder)  # type: ignore[arg-type]  # the real one
    assert matched(built, "画一只猫") == {"DIFFUSION"}
    built = evaluator(rules("fact_check"), "fact_check", encoder)  # type: ignore[arg-type]  # the real one
    assert matched(built, "长城有多长？") == {"needs_fact_check"}


@pytest.mark.parametrize("module", ["feedback_detector", "modality_detector"])
def test_a_detector_switched_off_fails_its_signals(module: str) -> None:
    """The error names the key."""
    family = "user_feedback" if module == "feedback_detector" else "modality"
    built = evaluator(rules(family), family, Encoder(), document(modules={module: {"enabled": False}}))
    found = observed(built, "a", "b", "c")
    assert {signal.error for signal in found.values()} == {f"not computed: {module}.enabled is false"}


def test_words_alone_may_decide_the_modality() -> None:
    """Beginnings and words ask for images, other words for both; the encoder is not asked."""
    fake = Encoder()
    words = {
        "method": "keyword",
        "keywords": ["Draw"],
        "both_keywords": ["illustrated"],
        "prompt_prefixes": ["/img"],
    }
    built = evaluator(rules("modality"), "modality", fake, document(modules={"modality_detector": words}))
    assert matched(built, "please DRAW a cat") == {"DIFFUSION"}
    assert matched(built, "/img cat") == {"DIFFUSION"}
    assert matched(built, "not /img") == {"AR"}
    assert matched(built, "draw an illustrated story") == {"BOTH"}
    assert not fake.asked


def test_words_alone_need_words() -> None:
    """Method keyword without any is an error."""
    settings = document(modules={"modality_detector": {"method": "keyword"}})
    with pytest.raises(ConfigError, match="no words to look for"):
        evaluator(rules("modality"), "modality", Encoder(), settings)


def test_words_lower_what_the_examples_must_reach() -> None:
    """Where words and examples agree, a share of the threshold is enough; in doubt it is text."""
    bar = Bar(threshold=0.8, lower_ratio=0.5)
    probabilities = {"AR": 0.3, "DIFFUSION": 0.5, "BOTH": 0.2}
    assert bar.outcome(probabilities, None) == "AR"
    assert bar.outcome(probabilities, "DIFFUSION") == "DIFFUSION"
    assert bar.outcome(probabilities, "BOTH") == "AR"
    assert not Words()
