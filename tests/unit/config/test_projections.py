"""Projections that cannot be computed are refused while loading, each where it is written."""

from typing import Any

import pytest

from pointsman.config import parse
from pointsman.core.errors import ConfigError

yaml = pytest.importorskip("yaml")

SIGNALS = {
    "keywords": [{"name": "k", "keywords": ["k"]}, {"name": "twin", "keywords": ["t"]}],
    "embeddings": [{"name": n, "threshold": 0.5, "candidates": [n]} for n in ("a", "b")],
    "language": [{"name": "twin"}],
    "complexity": [
        {"name": "c", "composer": {"type": "complexity", "name": "d:hard"}},
        {"name": "d"},
    ],
    "classifiers": [{"name": "tone", "type": "local", "model_path": "m.npz"}],
}


def refusals(projections: dict[str, Any], **signals: Any) -> dict[str, str]:
    routing = {"signals": SIGNALS | signals, "projections": projections}
    text = yaml.safe_dump({"version": "v0.3", "routing": routing})
    try:
        parse(text, {})
    except ConfigError as error:
        return {problem.path.removeprefix("routing."): problem.message for problem in error.problems}
    return {}


def score(*inputs: dict[str, Any], name: str = "s") -> dict[str, Any]:
    return {"name": name, "inputs": list(inputs)}


@pytest.mark.parametrize(
    ("projections", "path"),
    [
        ({"partitions": [{"name": "p", "members": ["a", "k"]}]}, "partitions[0].members"),
        ({"partitions": [{"name": "p", "members": ["twin"]}]}, "partitions[0].members"),
        ({"partitions": [{"name": "p", "members": ["tone"]}]}, "partitions[0].members"),
        ({"partitions": [{"name": "p", "members": []}]}, "partitions[0].members"),
        ({"partitions": [{"name": "p", "members": ["a", "a"]}]}, "partitions[0].members[1]"),
        ({"partitions": [{"name": "p", "members": ["a"], "default": "b"}]}, "partitions[0].default"),
        (
            {"partitions": [{"name": "p", "members": ["a"]}, {"name": "q", "members": ["a", "b"]}]},
            "partitions[1].members[0]",
        ),
        ({"scores": [score({"type": "classifier", "name": "tone"})]}, "scores[0].inputs[0].type"),
        ({"scores": [score({"type": "kb_metric", "kb": "x", "metric": "y"})]}, "scores[0].inputs[0].kb"),
        (
            {
                "scores": [
                    score(),
                    score({"type": "projection", "name": "s", "value_source": "binary"}, name="t"),
                ]
            },
            "scores[1].inputs[0].value_source",
        ),
        (
            {
                "scores": [score()],
                "mappings": [{"name": "m", "source": "s", "outputs": [{"name": "o"}, {"name": "o"}]}],
            },
            "mappings[0].outputs[1].name",
        ),
        ({"scores": [score({"type": "projection", "name": "s"})]}, "scores[0]"),
        (
            {
                "scores": [
                    score({"type": "projection", "name": "t"}),
                    score({"type": "projection", "name": "s"}, name="t"),
                ]
            },
            "scores[0]",
        ),
        (
            {
                "scores": [score({"type": "projection", "name": "o"})],
                "mappings": [{"name": "m", "source": "s", "outputs": [{"name": "o"}]}],
            },
            "scores[0]",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused(projections: dict[str, Any], path: str) -> None:
    """Mixed, ambiguous, empty and overlapping groups, unusable inputs and circles are errors at their place."""
    assert list(refusals(projections)) == [f"projections.{path}"]


def test_composers_may_not_read_each_other_in_a_circle() -> None:
    """Two composers that wait for each other, and one that reads its own rule, are refused."""
    circle = [
        {"name": "c", "composer": {"type": "complexity", "name": "d:hard"}},
        {"name": "d", "composer": {"type": "complexity", "name": "c:hard"}},
    ]
    assert "reads itself" in refusals({}, complexity=circle)["signals.complexity[0].composer"]
    alone = [{"name": "c", "composer": {"type": "complexity", "name": "c:hard"}}]
    assert "makes itself" in refusals({}, complexity=alone)["signals.complexity[0].composer"]


def test_names_that_several_families_share_mean_what_is_scored() -> None:
    """Where domains or embeddings have all members, other families of the same names do not make it unclear."""
    same = [{"name": n, "keywords": [n]} for n in ("a", "b")]
    assert not refusals({"partitions": [{"name": "p", "members": ["a", "b"]}]}, keywords=same)
