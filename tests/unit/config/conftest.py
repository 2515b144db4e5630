"""A small document that runs, and ways to break it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config import parse
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem

DOCUMENTS = Path(__file__).parent / "documents"


def small() -> dict[str, Any]:
    """A document that runs: one model with a LoRA, one keyword, one domain, two decisions."""
    return {
        "version": "v0.3",
        "providers": {
            "defaults": {
                "default_model": "base",
                "reasoning_families": {
                    "qwen3": {"type": "chat_template_kwargs", "parameter": "enable_thinking"}
                },
            },
            "models": [
                {
                    "name": "base",
                    "reasoning_family": "qwen3",
                    "backend_refs": [{"endpoint": "127.0.0.1:8000"}],
                }
            ],
        },
        "routing": {
            "modelCards": [{"name": "base", "loras": [{"name": "expert"}]}],
            "signals": {
                "keywords": [{"name": "urgent", "keywords": ["asap"]}],
                "domains": [{"name": "math"}],
            },
            "decisions": [
                {
                    "name": "hurry",
                    "rules": {"type": "keyword", "name": "urgent"},
                    "modelRefs": [{"model": "base"}],
                },
                {
                    "name": "sums",
                    "rules": {"operator": "OR", "conditions": [{"type": "domain", "name": "math"}]},
                    "modelRefs": [{"model": "base", "lora_name": "expert"}],
                },
            ],
        },
    }


def changed(path: str, value: Any) -> str:
    """The small document as YAML with ``value`` at a path such as ``routing.decisions.0.name``."""
    document = small()
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    here: Any = document
    for step in parents:
        here = here[step] if isinstance(step, int) else here.setdefault(step, {})
    if isinstance(here, list) and last == len(here):
        here.append(value)
    else:
        here[last] = value
    return yaml.safe_dump(document)


def faults(text: str | bytes, env: Mapping[str, str] | None = None) -> dict[str, Problem]:
    """The problems of a document by path; none when it runs."""
    try:
        parse(text, env or {})
    except ConfigError as error:
        return {problem.path: problem for problem in error.problems}
    return {}


@pytest.fixture
def problems_of() -> Callable[..., dict[str, Problem]]:
    """The problems of a document by path."""
    return faults


@pytest.fixture
def problems_with() -> Callable[[str, Any], dict[str, Problem]]:
    """The problems of the small document with a value at a path."""
    return lambda path, value: faults(changed(path, value))


@pytest.fixture
def change() -> Callable[[str, Any], str]:
    """The small document with a value at a path."""
    return changed


@pytest.fixture
def documents() -> Path:
    """The folder of whole documents."""
    return DOCUMENTS
