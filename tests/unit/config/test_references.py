"""Names that parts of the document use must exist, be unique and belong together."""

from collections.abc import Callable
from typing import Any

import pytest

from pointsman.core.problem import Problem

Problems = Callable[[str, Any], dict[str, Problem]]
_RULES = "routing.decisions.0.rules"
_RULES_PATH = "routing.decisions[0].rules"


def _not(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"operator": "NOT", "conditions": list(conditions)}


_LEAF = {"type": "keyword", "name": "urgent"}
_DEEP: dict[str, Any] = _LEAF
for _ in range(17):
    _DEEP = {"operator": "AND", "conditions": [_DEEP]}
_BACKEND = [{"endpoint": "127.0.0.1:8000"}]


@pytest.mark.parametrize(
    ("at", "value", "path", "words"),
    [
        (
            "providers.defaults.default_model",
            "bass",
            "providers.defaults.default_model",
            "did you mean base?",
        ),
        ("providers.models.0.reasoning_family", "qwen", "providers.models[0].reasoning_family", "qwen3?"),
        ("providers.models.0.backend_refs", [], "providers.models[0]", "no backend_refs"),
        ("providers.models.0.backend_refs", [{}], "providers.models[0].backend_refs[0]", "exactly one"),
        (
            "providers.models.0.backend_refs",
            [*_BACKEND, *_BACKEND],
            "providers.models[0].backend_refs[1]",
            "the same as providers.models[0].backend_refs[0]",
        ),
        (
            "providers.models.0.backend_refs",
            [{"endpoint": "a:1", "weight": 0}],
            "providers.models[0].backend_refs",
            "all weights are 0",
        ),
        (
            "providers.models.1",
            {"name": "base", "backend_refs": _BACKEND},
            "providers.models[1].name",
            "declared twice",
        ),
        ("routing.modelCards.1", {"name": "base"}, "routing.modelCards[1].name", "declared twice"),
        (
            "routing.decisions.1.modelRefs.0.lora_name",
            "expart",
            "routing.decisions[1].modelRefs[0].lora_name",
            "did you mean expert?",
        ),
        (
            "routing.decisions.1.modelRefs.0.model",
            "bse",
            "routing.decisions[1].modelRefs[0].model",
            "did you mean base?",
        ),
        ("routing.decisions.1.name", "hurry", "routing.decisions[1].name", "declared twice"),
        (
            "routing.decisions.0.plugins",
            [{"type": "response_cache"}, {"type": "semantic-cache"}],
            "routing.decisions[0].plugins[1].type",
            "declared twice",
        ),
        (f"{_RULES}.name", "urgnt", f"{_RULES_PATH}.name", "did you mean urgent?"),
        (_RULES, {"type": "domain", "name": "law"}, f"{_RULES_PATH}.name", "routing.signals.domains"),
        (_RULES, {"type": "projection", "name": "x"}, f"{_RULES_PATH}.name", "projections.mappings"),
        (_RULES, _not(), _RULES_PATH, "exactly one condition and has 0"),
        (_RULES, _not(_LEAF, _LEAF), _RULES_PATH, "exactly one condition and has 2"),
        (_RULES, {"operator": "OR", "conditions": []}, _RULES_PATH, "never holds"),
        (_RULES, _DEEP, _RULES_PATH + ".conditions[0]" * 16, "16 levels"),
        ("routing.signals.keywords.1", _LEAF | {"keywords": ["x"]}, "routing.signals.keywords[1].type", ""),
        (
            "routing.signals.keywords.1",
            {"name": "urgent", "keywords": ["x"]},
            "routing.signals.keywords[1].name",
            "declared twice",
        ),
        ("routing.signals.domains.1", {"name": "maths"}, "routing.signals.domains[1].name", "name it math"),
        (
            "routing.signals.domains.0.mmlu_categories",
            ["math", "computers"],
            "routing.signals.domains[0].mmlu_categories[1]",
            "computer science?",
        ),
        ("entrypoints", [{"model_names": ["v"], "recipe": "r"}], "entrypoints[0].recipe", "not declared"),
        (
            "entrypoints",
            [{"model_names": ["v", "v"], "recipe": "default"}],
            "entrypoints[0].model_names[1]",
            "already",
        ),
        (
            "entrypoints",
            [{"model_names": ["expert"], "recipe": "default"}],
            "entrypoints[0].model_names[0]",
            "a real model",
        ),
        ("global.router", {"auto_model_name": "base"}, "global.router.auto_model_name", "a real model"),
        ("listeners", [{"name": "a"}, {"name": "b"}], "listeners[1].port", "listeners[0].port binds too"),
        ("listeners", [{"port": 8080}], "listeners[0].port", "management API"),
    ],
)
def test_contradictions(problems_with: Problems, at: str, value: Any, path: str, words: str) -> None:
    """A name that does not exist, exists twice or does not belong is found at its exact path."""
    problem = problems_with(at, value)[path]
    assert words in f"{problem.message} {problem.remedy}"
    assert problem.remedy


def test_complexity_conditions_name_a_level(change: Any, problems_of: Any) -> None:
    """A complexity condition names rule:hard, rule:medium or rule:easy; the bare rule is explained."""
    text = change("routing.signals.complexity", [{"name": "hardness"}])
    bare = text.replace("name: urgent\n      type: keyword", "name: hardness\n      type: complexity")
    assert "hardness:hard" in problems_of(bare)[f"{_RULES_PATH}.name"].remedy
    assert not problems_of(bare.replace("name: hardness\n      type", "name: hardness:hard\n      type"))


def test_a_default_model_may_be_a_lora_with_a_card_of_its_own(change: Any, problems_of: Any) -> None:
    """A card without provider model does not hide the LoRA of the same name: the LoRA is meant."""
    text = change("routing.modelCards.1", {"name": "expert"})
    assert not problems_of(text.replace("default_model: base", "default_model: expert"))


def test_a_model_that_nothing_serves_cannot_be_used(change: Any, problems_of: Any) -> None:
    """A candidate needs a provider model; a model card alone does not run."""
    text = change("routing.modelCards.1", {"name": "ghost"})
    found = problems_of(text.replace("model: base", "model: ghost"))
    assert "no provider model serves 'ghost'" in found["routing.decisions[0].modelRefs[0].model"].message


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"foo(?=bar)", "looks ahead or behind"),
        (r"(?<!no)way", "looks ahead or behind"),
        (r"(\w)\1", "refers back to a group"),
        (r"a++", "possessive"),
        (r"a(", "no regular expression"),
        ("x" * 10_001, "longer than"),
    ],
)
def test_patterns_that_cannot_run_are_explained(problems_with: Problems, pattern: str, words: str) -> None:
    """Keywords written as method: regex must compile on RE2; what it lacks is said in plain words."""
    rule = {"name": "urgent", "method": "regex", "keywords": ["fine", pattern]}
    problem = problems_with("routing.signals.keywords.0", rule)["routing.signals.keywords[0].keywords[1]"]
    assert words in problem.message
    assert problem.remedy


def test_keywords_without_method_are_no_patterns(problems_with: Problems) -> None:
    """Unless method: regex is written, a keyword such as c++ is taken word for word."""
    assert not problems_with("routing.signals.keywords.0", {"name": "urgent", "keywords": ["c++", "a("]})


def test_recipes_are_checked_like_the_top_level(problems_with: Problems) -> None:
    """A recipe's decisions see its own signals, and the shared models."""
    decision = {"name": "d", "rules": {"type": "keyword", "name": "urgent"}, "modelRefs": [{"model": "base"}]}
    found = problems_with("recipes", [{"name": "r", "routing": {"decisions": [decision]}}])
    assert set(found) == {"recipes[0].routing.decisions[0].rules.name"}


def test_projections_refer_to_what_exists(problems_with: Problems) -> None:
    """Scores take declared signals, mappings declared scores, partitions declared members."""
    found = problems_with(
        "routing.projections",
        {
            "partitions": [{"name": "p", "members": ["absent"]}],
            "scores": [{"name": "s", "inputs": [{"type": "keyword", "name": "absent"}, {"type": "mood"}]}],
            "mappings": [{"name": "m", "source": "absent"}],
        },
    )
    assert set(found) == {
        "routing.projections.partitions[0].members[0]",
        "routing.projections.scores[0].inputs[0].name",
        "routing.projections.scores[0].inputs[1].type",
        "routing.projections.mappings[0].source",
    }
