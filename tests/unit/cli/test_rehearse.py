"""What `check` finds by building the signals without an encoder."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.cli.rehearse import rehearse
from pointsman.config import parse

RULES = {
    "pii": [{"name": "p", "pii_types_allowed": ["EMAIL"]}],
    "jailbreak": [{"name": "j", "method": "contrastive"}],
    "kb": [{"name": "k", "kb": "staff", "target": {"kind": "label", "value": "pay"}}],
    "classifiers": [
        {"name": "mine", "type": "local", "model_path": "absent.npz"},
        {"name": "theirs", "type": "llm", "model": "absent", "labels": ["a", "b"]},
    ],
    "fact_check": [{"name": "needs_fact_check"}],
}


def paths(where: str, *conditions: dict[str, Any]) -> list[str]:
    """The key paths of what is found in a document whose one decision has some conditions."""
    routing = {
        "signals": RULES,
        "decisions": [{"name": "d", "rules": {"operator": "AND", "conditions": [*conditions]}}],
    }
    document: dict[str, Any] = {
        "version": "v0.3",
        "global": {"model_catalog": {"kbs": [{"name": "staff", "source": {"path": "absent"}}]}},
    }
    document |= (
        {"routing": routing} if where == "routing" else {"recipes": [{"name": "r", "routing": routing}]}
    )
    return [problem.path for problem in rehearse(parse(yaml.safe_dump(document), {}))]


@pytest.mark.parametrize("where", ["routing", "recipes[0].routing"])
def test_rules_that_cannot_be_built_are_found(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the top-level routing and in recipes, all at once, files of knowledge bases included."""
    monkeypatch.chdir(tmp_path)
    found = paths(
        where,
        {"type": "pii", "name": "p"},
        {"type": "jailbreak", "name": "j"},
        {"type": "kb", "name": "k"},
        {"type": "classifier", "name": "theirs", "label": "a"},
    )
    assert sorted(found) == sorted(
        [
            f"{where}.signals.pii[0].pii_types_allowed[0]",
            f"{where}.signals.jailbreak[0].jailbreak_patterns",
            f"{where}.signals.classifiers[1].model",
            "global.model_catalog.kbs[0].source",
        ]
    )


def test_what_is_not_used_or_needs_files_of_models_is_left_alone() -> None:
    """Rules that no decision names are not built, and local classifiers are not opened."""
    assert not paths(
        "routing",
        {"type": "classifier", "name": "mine", "label": "x"},
        {"type": "fact_check", "name": "needs_fact_check"},
    )
