"""The examples of docs/plugins.md do what the page says."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config import parse
from pointsman.config.implemented import examine
from pointsman.core.request import Head
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward, Reply
from pointsman.plugins.table import FACTORIES
from pointsman.runtime import build

PAGE = Path(__file__).parents[3] / "docs" / "plugins.md"
_BLOCK = re.compile(r"^```(yaml|json request|json engine|json client)\n(.*?)^```", re.DOTALL | re.MULTILINE)
BASE: dict[str, Any] = {
    "version": "v0.3",
    "providers": {
        "defaults": {"default_model": "base"},
        "models": [
            {"name": "base", "backend_refs": [{"name": "one", "endpoint": "127.0.0.1:8000", "weight": 1}]}
        ],
    },
}


def examples() -> Iterator[tuple[str, list[tuple[dict[str, Any], str, dict[str, Any]]]]]:
    """Each fragment with its requests and what becomes of them."""
    fragment, asked = "", {}
    found: list[tuple[str, list[tuple[dict[str, Any], str, dict[str, Any]]]]] = []
    for kind, text in _BLOCK.findall(PAGE.read_text()):
        if kind == "yaml":
            fragment = text
            found.append((fragment, []))
        elif kind == "json request":
            asked = json.loads(text)
        else:
            found[-1][1].append((asked, kind.removeprefix("json "), json.loads(text)))
    yield from found


def document(fragment: dict[str, Any]) -> str:
    decision = {
        "name": "route",
        "rules": {"operator": "NOT", "conditions": [{"type": "keyword", "name": "never"}]},
        "modelRefs": [{"model": "base"}],
        "plugins": fragment.get("plugins", []),
    }
    routing = {
        "modelCards": [{"name": "base"}],
        "signals": {"keywords": [{"name": "never", "keywords": ["zzzz"]}]},
        "decisions": [decision],
    }
    return yaml.safe_dump({**BASE, "routing": routing, "global": fragment.get("global", {})})


def ruled(text: str, requests: list[dict[str, Any]]) -> list[Ruling]:
    settings = parse(text, {})
    assert not examine(settings)
    runtime = build(settings, {})

    async def routed(asked: dict[str, Any]) -> Ruling:
        body = {"model": "MoM", **{key: value for key, value in asked.items() if key != "headers"}}
        head = Head("POST", "/v1/chat/completions", asked.get("headers", {}))
        return await runtime.pipeline.route(head, json.dumps(body).encode())

    async def all_routed() -> list[Ruling]:
        return [await routed(asked) for asked in requests]

    try:
        return asyncio.run(all_routed())
    finally:
        runtime.close()


def client_sees(ruling: Ruling, expected: dict[str, Any]) -> None:
    reply = ruling.verdict
    assert isinstance(reply, Reply)
    assert reply.status == expected["status"]
    assert reply.headers.items() >= expected.get("headers", {}).items()
    if "model" in expected:
        assert json.loads(reply.body)["model"] == expected["model"]


def engine_sees(ruling: Ruling, asked: dict[str, Any], expected: dict[str, Any]) -> None:
    verdict = ruling.verdict
    assert isinstance(verdict, Forward), ruling.trace.error
    body = json.loads(verdict.body) if verdict.body is not None else asked
    for key, value in expected.items():
        if key == "headers":
            assert verdict.headers.set.items() >= value.items()
        elif key == "removed":
            assert set(verdict.headers.remove) >= set(value)
        elif key == "tool_names":
            assert [tool["function"]["name"] for tool in body["tools"]] == value
        elif key == "last_message_has":
            assert all(part in body["messages"][-1]["content"] for part in value)
        elif key == "last_message_lacks":
            assert not any(part in body["messages"][-1]["content"] for part in value)
        elif value is None:
            assert key not in body
        else:
            assert body[key] == value


@pytest.mark.parametrize(("fragment", "cases"), [*examples()])
def test_the_pages_examples_do_what_it_says(
    fragment: str, cases: list[tuple[dict[str, Any], str, dict[str, Any]]]
) -> None:
    """Each fragment loads without a key in vain, and each request ends as the page shows."""
    assert cases
    rulings = ruled(document(yaml.safe_load(fragment)), [asked for asked, _, _ in cases])
    for ruling, (asked, kind, expected) in zip(rulings, cases, strict=True):
        if kind == "client":
            client_sees(ruling, expected)
        else:
            engine_sees(ruling, asked, expected)


@pytest.mark.parametrize(
    "kind",
    [
        "fast_response",
        "context_compression",
        "tool_selection",
        "tools",
        "request_params",
        "system_prompt",
        "header_mutation",
    ],
)
def test_every_plugin_here_has_an_example(kind: str) -> None:
    """The page has a section and a fragment for each plugin on it, and each is in the table."""
    assert kind in FACTORIES
    assert f"\n## {kind}\n" in PAGE.read_text()
    assert any(f"type: {kind}\n" in fragment for fragment, _ in examples())
