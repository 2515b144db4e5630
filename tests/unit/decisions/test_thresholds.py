"""Thresholds, bands and windows that cannot do what they are for, found before any request."""

import re
from typing import Any

import pytest
import yaml

from pointsman.config import locate
from pointsman.decisions.analysis import analyse_settings

MODEL = {"name": "m", "backend_refs": [{"endpoint": "127.0.0.1:1"}]}


def found(routing: dict[str, Any], **rest: Any) -> dict[str, str]:
    document = {"version": "v0.3", "providers": {"models": [MODEL]}, "routing": routing, **rest}
    located = locate(yaml.safe_dump(document, sort_keys=False), {})
    problems = [located.place(problem) for problem in analyse_settings(located.settings)]
    assert all("(line " in problem.message for problem in problems)
    return {
        problem.path: problem.message
        for problem in problems
        if not re.search("no decision uses|never computed", problem.message)
    }


@pytest.mark.parametrize(
    ("signals", "path"),
    [
        ({"jailbreak": [{"name": "j", "threshold": 0.01}]}, "jailbreak[0].threshold"),
        ({"jailbreak": [{"name": "j", "threshold": 0.999}]}, "jailbreak[0].threshold"),
        ({"embeddings": [{"name": "e", "threshold": -0.5, "candidates": ["x"]}]}, "embeddings[0].threshold"),
        ({"context": [{"name": "c", "min_tokens": 9, "max_tokens": 8}]}, "context[0].max_tokens"),
    ],
)
def test_thresholds_outside_what_texts_reach_are_reported(signals: dict[str, Any], path: str) -> None:
    """A threshold that nearly every text reaches, or hardly any, is a warning at its line."""
    assert list(found({"signals": signals})) == [f"routing.signals.{path}"]
    recipes = [{"name": "r", "routing": {"signals": signals}}]
    assert list(found({}, recipes=recipes)) == [f"recipes[0].routing.signals.{path}"]


@pytest.mark.parametrize(
    "signals",
    [
        {
            "jailbreak": [
                {"name": "j", "threshold": 0.7},
                {"name": "k", "method": "contrastive", "threshold": 0.0},
            ]
        },
        {"embeddings": [{"name": "e", "threshold": 0.75, "candidates": ["x"]}]},
        {"context": [{"name": "c", "min_tokens": 9, "max_tokens": 9}]},
    ],
)
def test_thresholds_in_their_range_are_in_order(signals: dict[str, Any]) -> None:
    """Ordinary thresholds are not remarked on."""
    assert not found({"signals": signals})


def test_exact_examples_are_all_that_a_high_similarity_finds() -> None:
    """Without soft matching a similarity that no other text reaches is reported, with it it is not."""
    signals = {"embeddings": [{"name": "e", "threshold": 0.99, "candidates": ["x"]}]}
    assert not found({"signals": signals})
    config = {
        "model_catalog": {"embeddings": {"semantic": {"embedding_config": {"enable_soft_matching": False}}}}
    }
    assert list(found({"signals": signals}, **{"global": config})) == [
        "routing.signals.embeddings[0].threshold"
    ]


def test_shared_thresholds_are_reported_where_they_stand() -> None:
    """Those of modules hold for every recipe and are reported once."""
    modules = {"prompt_guard": {"threshold": 0.0}, "classifier": {"domain": {"threshold": 1.0}}}
    assert list(found({}, **{"global": {"model_catalog": {"modules": modules}}})) == [
        "global.model_catalog.modules.prompt_guard.threshold",
        "global.model_catalog.modules.classifier.domain.threshold",
    ]


@pytest.mark.parametrize(
    ("outputs", "at"),
    [
        ([{"name": "a", "lt": 0.5}, {"name": "b", "gte": 0.5}], []),
        ([{"name": "a", "gt": 2.0}], [0]),
        ([{"name": "a", "lt": -0.5}], [0]),
        ([{"name": "a", "gt": 0.5, "lt": 0.5}], [0]),
        ([{"name": "a", "gte": 0.5, "lte": 0.5}], []),
        ([{"name": "a"}, {"name": "b", "gt": 0.5}], [1]),
    ],
)
def test_bands_that_never_hold_are_reported(outputs: list[dict[str, Any]], at: list[int]) -> None:
    """A band outside what its score can be, without numbers, or behind one that always holds is a warning."""
    routing = {
        "signals": {"keywords": [{"name": "k", "keywords": ["k"]}]},
        "projections": {
            "scores": [
                {"name": "s", "inputs": [{"type": "keyword", "name": "k"}]},
                {"name": "t", "inputs": [{"type": "projection", "name": "s", "weight": 1.5}]},
            ],
            "mappings": [{"name": "m", "source": "t", "outputs": outputs}],
        },
    }
    assert list(found(routing)) == [f"routing.projections.mappings[0].outputs[{index}]" for index in at]


@pytest.mark.parametrize(
    ("window", "words"),
    [("16K", "too few for any prompt"), ("64K", "lets prompts of 128,000 tokens through"), ("128K", "")],
)
def test_models_too_small_for_the_prompts_they_get_are_reported(window: str, words: str) -> None:
    """A candidate is compared with the lengths that every match of its decision needs."""
    routing = {
        "modelCards": [{"name": "m", "context_window_size": window}],
        "signals": {
            "context": [{"name": "long", "min_tokens": "32K", "max_tokens": "128K"}],
            "keywords": [{"name": "k", "keywords": ["k"]}],
        },
        "decisions": [
            {
                "name": "d",
                "rules": {
                    "operator": "AND",
                    "conditions": [{"type": "context", "name": "long"}, {"type": "keyword", "name": "k"}],
                },
                "modelRefs": [{"model": "m"}],
            },
            {
                "name": "either",
                "priority": -1,
                "rules": {
                    "operator": "OR",
                    "conditions": [{"type": "context", "name": "long"}, {"type": "keyword", "name": "k"}],
                },
                "modelRefs": [{"model": "m"}],
            },
        ],
    }
    problems = found(routing)
    assert list(problems) == (["routing.decisions[0].modelRefs[0].model"] if words else [])
    assert all(words in message for message in problems.values())
