"""The examples of docs/signals-learned.md, each put through the real encoder."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config import parse
from pointsman.config.signals import FAMILY_KEYS
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.signal import SignalKey
from pointsman.encoder import Encoder
from pointsman.signals.base import Evaluator
from pointsman.signals.observe import observe
from pointsman.signals.table import Dependencies, build_evaluators

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "signals-learned.md").read_text("utf-8")


def sections() -> Iterator[Any]:
    """The rules, and the requests with what they match, of every section that has both."""
    for part in PAGE.split("\n## ")[1:]:
        name, _, text = part.partition("\n")
        rules = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
        assert rules, name
        rows = re.findall(r"^\| (.+?) \| ?(.*?) ?\|$", text.partition("###")[0], re.MULTILINE)
        cases = [(request, re.findall(r"`(.+?)`", found)) for request, found in rows[1:]]
        yield pytest.param(rules[1], cases, id=name)


@pytest.fixture(scope="module")
def encoder() -> Iterator[Encoder]:
    """The shipped one."""
    encoder = Encoder.load()
    yield encoder
    encoder.close()


def request(page: str) -> ChatRequest:
    """A conversation of turns joined by slashes."""
    roles = ("user", "assistant")
    turns = tuple(Message(roles[index % 2], text) for index, text in enumerate(page.split(" / ")))
    return ChatRequest(Dialect.OPENAI_CHAT, "MoM", turns, b"")


def built(page: str, encoder: Encoder) -> tuple[Evaluator, ...]:
    """The evaluators of every rule of a document."""
    settings = parse(yaml.safe_dump({"version": "v0.3"} | yaml.safe_load(page)), {})
    signals = settings.routing.signals
    used = {
        SignalKey(family, name)
        for family in FAMILY_KEYS
        if family != "classifier"
        for name in signals.names(family)
    }
    return build_evaluators(signals, used, Dependencies(encoder, settings))


@pytest.mark.parametrize(("rules", "cases"), [*sections()])
def test_the_pages_requests_match_what_the_page_says(
    rules: str, cases: list[tuple[str, list[str]]], encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example loads, and each request in its table matches the signals beside it and no other."""
    monkeypatch.chdir(ROOT)
    evaluators = built(rules, encoder)
    assert cases or "type: llm" in rules
    for prompt, expected in cases:
        signals = asyncio.run(observe(evaluators, request(prompt), timeout_s=60.0))
        assert not [str(signal.key) for signal in signals if signal.error]
        assert sorted(str(signal.key) for signal in signals if signal.matched) == sorted(expected), prompt
