import asyncio

import pytest

from pointsman.core.errors import ConfigError
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.signal import Signal
from pointsman.signals.language import MAX_CHARACTERS, Detector, LanguageEvaluator, LanguageRule

RULES = tuple(
    LanguageRule(name)
    for name in (
        "en",
        "zh",
        "ja",
        "ko",
        "fr",
        "de",
        "es",
        "pt",
        "it",
        "ru",
        "uk",
        "bg",
        "ar",
        "fa",
        "th",
        "el",
    )
)


@pytest.fixture(scope="module")
def evaluator() -> LanguageEvaluator:
    return LanguageEvaluator(RULES)


def look(evaluator: LanguageEvaluator, text: str) -> dict[str, Signal]:
    request = ChatRequest(Dialect.OPENAI_CHAT, "MoM", (Message("user", text),), b"")
    return {signal.key.name: signal for signal in asyncio.run(evaluator.evaluate(request))}


def matched(evaluator: LanguageEvaluator, text: str) -> list[str]:
    return [name for name, signal in look(evaluator, text).items() if signal.matched]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the capital of France?", "en"),
        ("write code", "en"),
        ("今天天气怎么样", "zh"),
        ("用Python写一个快速排序", "zh"),
        ("东京", "zh"),
        ("日本語で書いてください", "ja"),
        ("東京タワー", "ja"),
        ("안녕하세요", "ko"),
        ("Bonjour, comment ça va ?", "fr"),
        ("merci beaucoup", "fr"),
        ("Wie spät ist es?", "de"),
        ("Hola, ¿cómo estás?", "es"),
        ("Onde fica a biblioteca?", "pt"),
        ("Qual è la capitale della Spagna?", "it"),
        ("Напиши стихотворение о море", "ru"),
        ("Почему мы здесь?", "ru"),
        ("Привіт, як справи?", "uk"),
        ("Коя е столицата на България?", "bg"),
        ("ما هي عاصمة فرنسا؟", "ar"),
        ("پایتخت فرانسه کجاست؟", "fa"),
        ("สวัสดีครับ", "th"),
        ("Ποια είναι η πρωτεύουσα;", "el"),
    ],
)
def test_short_texts_are_told_apart(evaluator: LanguageEvaluator, text: str, language: str) -> None:
    """A question of a few words is enough, and exactly one language matches."""
    assert matched(evaluator, text) == [language]


@pytest.mark.parametrize("text", ["", "123", "2 + 2 = 4", "ok", "hello", "???", "\ud800"])
def test_what_tells_no_language_counts_as_english(evaluator: LanguageEvaluator, text: str) -> None:
    """Numbers, formulas and lone words fall back to English, with the little confidence there is."""
    signals = look(evaluator, text)
    assert [name for name, signal in signals.items() if signal.matched] == ["en"]
    assert signals["en"].confidence < 0.3


def test_a_threshold_excludes_the_fallback_and_the_unsure() -> None:
    """A rule with a threshold matches only from that probability on."""
    strict = LanguageEvaluator([LanguageRule("en", 0.5), LanguageRule("fr", 0.999)])
    assert matched(strict, "123") == []
    assert matched(strict, "What is the capital of France?") == ["en"]
    assert matched(strict, "merci beaucoup") == []


def test_codes_with_regions_mean_the_language() -> None:
    """A region does not matter, nor does case, nor the code Norwegian is written with."""
    regional = LanguageEvaluator([LanguageRule("zh-CN"), LanguageRule("EN_us"), LanguageRule("nb")])
    assert matched(regional, "今天天气怎么样") == ["zh-CN"]
    assert matched(regional, "What is the capital of France?") == ["EN_us"]
    assert matched(regional, "Jeg vet ikke hva klokken er i dag") == ["nb"]


def test_rare_languages_are_candidates_when_a_rule_names_them() -> None:
    """A language that is not among the common ones is told when the document asks for it."""
    text = "Wat is die hoofstad van Suid-Afrika en hoekom?"
    assert "af" not in Detector().probabilities(text)
    assert matched(LanguageEvaluator([LanguageRule("af"), LanguageRule("nl")]), text) == ["af"]


def test_unknown_codes_are_config_errors() -> None:
    """What is no code is refused at its place, with a code that looks like it if there is one."""
    with pytest.raises(ConfigError, match=r"a\.name: 'english' is no code") as caught:
        LanguageEvaluator([LanguageRule("english", path="a"), LanguageRule("xx", path="b")])
    assert [problem.path for problem in caught.value.problems] == ["a.name", "b.name"]


def test_of_a_long_text_both_ends_are_read() -> None:
    """The middle of a text longer than what is read changes nothing."""
    edge = "今天天气怎么样" * MAX_CHARACTERS
    detector = Detector()
    assert detector.probabilities(edge + "What is this? " * 9999 + edge) == {"zh": 1.0}


def test_detectors_do_not_change_each_other() -> None:
    """What one document's rules add to the candidates is no candidate of another's."""
    text = "Wat is die hoofstad van Suid-Afrika en hoekom?"
    first = Detector()
    before = first.probabilities(text)
    assert "af" in Detector([LanguageRule("af")]).probabilities(text)
    assert first.probabilities(text) == before


def test_probabilities_sum_to_one() -> None:
    """Weighing candidates keeps probabilities what they are."""
    assert sum(Detector().probabilities("Bonjour tout le monde").values()) == pytest.approx(1.0)


def test_letters_rule_languages_out() -> None:
    """A letter that an alphabet does not have leaves its language out of the candidates."""
    likely = Detector().probabilities("мы были")
    assert "ru" in likely
    assert likely.keys().isdisjoint({"bg", "mk", "sr", "uk"})
