"""Signals that compare a text with examples of the document."""

import math

import pytest

from pointsman.core.errors import ConfigError
from pointsman.signals.complexity import by_margin
from pointsman.signals.examples import MAX_EXAMPLES, embedded
from pointsman.signals.reask import MAX_LOOKBACK
from unit.signals.fakes import Encoder, document, evaluator, matched, observed

ANGLES = {"east": 0.0, "north": 90.0, "near east": 10.0, "between": 40.0, "near north": 88.0, "west": 180.0}
RULES = {
    "embeddings": [
        {"name": "e", "threshold": 0.9, "candidates": ["east"]},
        {"name": "n", "threshold": 0.9, "candidates": ["north"]},
    ]
}


def semantic(**config: object) -> dict[str, object]:
    """The document's settings of similarity."""
    return {"semantic": {"embedding_config": config}}


def test_a_text_near_an_example_matches() -> None:
    """From the threshold on a rule matches; its confidence is the similarity."""
    found = observed(evaluator(RULES, "embedding", Encoder(ANGLES)), "near east")
    assert (found["e"].matched, found["n"].matched) == (True, False)
    assert found["e"].confidence == pytest.approx(math.cos(math.radians(10)), abs=1e-6)


def test_near_misses_match_softly_unless_that_is_off() -> None:
    """Below every threshold the best from 0.5 on matches, and says that it is below; not when switched off."""
    found = observed(evaluator(RULES, "embedding", Encoder(ANGLES)), "between")
    assert [name for name, signal in found.items() if signal.matched] == ["e"]
    assert found["e"].detail.endswith("< 0.9")
    strict = document(embeddings=semantic(enable_soft_matching=False))
    assert not matched(evaluator(RULES, "embedding", Encoder(ANGLES), strict), "between")


def test_all_that_match_remain_without_a_limit() -> None:
    """With `top_k: 0` every near rule matches, with 1 only the best, with a lead to win by perhaps none."""
    every = document(embeddings=semantic(top_k=0))
    assert matched(evaluator(RULES, "embedding", Encoder(ANGLES), every), "between") == {"e", "n"}
    apart = document(embeddings=semantic(prototype_scoring={"margin_threshold": 0.2}))
    assert not matched(evaluator(RULES, "embedding", Encoder(ANGLES), apart), "between")


def test_rules_that_no_decision_names_still_compete() -> None:
    """The best rule of the document wins, whether or not a decision asks for it."""
    built = evaluator(RULES, "embedding", Encoder(ANGLES), names=["n"])
    assert not matched(built, "between")


@pytest.mark.parametrize(("how", "score"), [("any", 1.0), ("mean", 0.5), ("max", 0.75 + 0.25 * 0.5)])
def test_similarities_combine_as_the_rule_says(how: str, score: float) -> None:
    """The nearest example, the mean of the examples, or best and mean of the prototypes."""
    rule = {"name": "r", "threshold": 0.9, "candidates": ["east", "north"], "aggregation_method": how}
    found = observed(evaluator({"embeddings": [rule]}, "embedding", Encoder(ANGLES)), "east")
    assert found["r"].confidence == pytest.approx(score, abs=1e-6)


def test_an_empty_text_is_near_nothing() -> None:
    """No pass is spent on it, and nothing matches."""
    encoder = Encoder(ANGLES)
    assert not matched(evaluator(RULES, "embedding", encoder), " ")
    assert not encoder.asked


def test_an_encoder_that_fails_fails_the_signals() -> None:
    """The signals say which kind of error, never the text."""
    found = observed(evaluator(RULES, "embedding", Encoder(ANGLES, fails=True)), "secret")
    assert {signal.error for signal in found.values()} == {"RuntimeError"}


def test_rules_on_images_have_no_signal() -> None:
    """A rule on another part of the request is never computed and needs no examples."""
    rule = {"name": "r", "threshold": 0.9, "query_modality": "image"}
    built = evaluator({"embeddings": [rule]}, "embedding", Encoder())
    assert not built.keys
    assert not observed(built, "text")


@pytest.mark.parametrize(
    ("family", "rules", "path"),
    [
        ("embedding", {"embeddings": [{"name": "r", "threshold": 0.5}]}, "embeddings[0].candidates"),
        ("preference", {"preferences": [{"name": "r"}]}, "preferences[0].examples"),
        ("complexity", {"complexity": [{"name": "r", "hard": {"candidates": ["x"]}}]}, "easy.candidates"),
        ("reask", {"reasks": [{"name": "r", "lookback_turns": MAX_LOOKBACK + 1}]}, "lookback_turns"),
        ("jailbreak", {"jailbreak": [{"name": "r", "method": "hybrid"}]}, "jailbreak_patterns"),
        ("pii", {"pii": [{"name": "r", "pii_types_allowed": ["EMAIL"]}]}, "pii_types_allowed[0]"),
    ],
)
def test_rules_that_cannot_work_are_refused(family: str, rules: dict[str, object], path: str) -> None:
    """A rule without what it needs, or beyond its bound, is an error at its key."""
    with pytest.raises(ConfigError) as error:
        evaluator(rules, family, Encoder())
    assert error.value.problems[0].path.endswith(path)


def test_examples_are_bounded() -> None:
    """As many as the bound are embedded, one more is an error that says how many there are."""
    encoder = Encoder()
    texts = [str(number) for number in range(MAX_EXAMPLES)]
    assert len(embedded(encoder, {"r": texts}, where="here")["r"]) == MAX_EXAMPLES
    with pytest.raises(ConfigError, match=f"{MAX_EXAMPLES + 1} example texts"):
        embedded(encoder, {"r": texts, "s": ["x"]}, where="here")


def test_the_best_preference_matches_alone() -> None:
    """Description and examples speak for a preference; only the nearest matches, from its threshold on."""
    rules = {
        "preferences": [
            {"name": "e", "description": "east", "threshold": 0.6},
            {"name": "n", "examples": ["north"], "threshold": 0.6},
            {"name": "strict", "examples": ["west"]},
        ]
    }
    built = evaluator(rules, "preference", Encoder(ANGLES))
    assert matched(built, "between") == {"e"}
    assert matched(built, "near north") == {"n"}
    assert not matched(built, "elsewhere")


def test_asking_again_means_every_turn_looked_at() -> None:
    """All of the last turns must be near; with fewer turns than that nothing was asked again."""
    rules = {
        "reasks": [
            {"name": "once", "threshold": 0.9},
            {"name": "twice", "threshold": 0.9, "lookback_turns": 2},
        ]
    }
    built = evaluator(rules, "reask", Encoder(ANGLES))
    assert matched(built, "near east", "a", "near east", "a", "east") == {"once", "twice"}
    assert matched(built, "north", "a", "near east", "a", "east") == {"once"}
    assert matched(built, "near east", "a", "east") == {"once"}
    assert not matched(built, "east")


def test_a_first_turn_costs_no_pass() -> None:
    """Where there is nothing to compare with, the encoder is not asked."""
    encoder = Encoder(ANGLES)
    observed(evaluator({"reasks": [{"name": "r"}]}, "reask", encoder), "east")
    assert not encoder.asked


@pytest.mark.parametrize(
    ("margin", "level"), [(0.2, "hard"), (0.1, "medium"), (0.0, "medium"), (-0.1, "medium"), (-0.2, "easy")]
)
def test_the_margin_decides_the_level(margin: float, level: str) -> None:
    """Above the threshold hard, below its negative easy, else medium; shares sum to one."""
    found = by_margin(margin, 0.1)
    assert found.name == level
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert all(0 <= share <= 1 for share in found.shares.values())


def test_complexity_compares_examples_or_asks_the_encoder() -> None:
    """A rule with examples has a margin, one without takes the encoder's most probable level."""
    rules = {
        "complexity": [
            {"name": "own", "hard": {"candidates": ["east"]}, "easy": {"candidates": ["north"]}},
            {"name": "head"},
        ]
    }
    encoder = Encoder(ANGLES, complexity={"easy": 0.2, "medium": 0.7, "hard": 0.1})
    found = observed(evaluator(rules, "complexity", encoder), "near east")
    assert {name for name, signal in found.items() if signal.matched} == {"own:hard", "head:medium"}
    assert found["head:medium"].confidence == 0.7


def test_only_the_levels_in_use_have_signals() -> None:
    """One level asked for is one signal."""
    built = evaluator({"complexity": [{"name": "head"}]}, "complexity", Encoder(), names=["head:easy"])
    assert {key.name for key in built.keys} == {"head:easy"}
