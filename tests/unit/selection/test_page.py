"""The examples of docs/selection.md, run."""

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pointsman.config import Settings, parse
from pointsman.config.implemented import examine
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.fleet.breaker import Patience
from pointsman.fleet.ending import Ending
from pointsman.fleet.observed import Capacity, ObservedFleet
from pointsman.fleet.static import candidates_from, catalog_from
from pointsman.selection.base import Asked
from pointsman.selection.outcomes import Outcomes
from pointsman.selection.select import select
from pointsman.selection.serving import serving
from pointsman.selection.table import Dependencies, build_selector

PAGE = (Path(__file__).parents[3] / "docs" / "selection.md").read_text()
BASE, *BLOCKS = re.findall(r"```yaml\n(.*?)```(.*?)(?=```yaml|\Z)", PAGE, re.DOTALL)


class SharedWords:
    """Texts are near when they share words."""

    identity = "shared-words/1"

    def embed_now(self, text: str) -> np.ndarray:
        vector = np.zeros(384, dtype=np.float32)
        for word in re.findall(r"\w+", text.lower()):
            vector[int.from_bytes(hashlib.blake2b(word.encode(), digest_size=2).digest(), "big") % 384] += 1
        return vector / max(float(np.linalg.norm(vector)), 1e-9)

    async def embed(self, text: str) -> np.ndarray:
        return self.embed_now(text)


def _rows() -> Iterator[Any]:
    for block, rest in BLOCKS:
        lines = re.findall(r"^\| (.*?) \| (.*?) ?\| (\w+) \|$", rest, re.MULTILINE)
        outcomes = re.search(r"```json\n(.*?)```", rest, re.DOTALL)
        for text, given, chosen in lines:
            if chosen in {"small", "coder", "large"}:
                yield block, text, given, chosen, outcomes[1] if outcomes else ""


def _document(block: str) -> Settings:
    document, example = yaml.safe_load(BASE[0]), yaml.safe_load(block)
    routing = document["routing"] | example.pop("routing")
    return parse(yaml.safe_dump(document | example | {"routing": routing}), {})


def _fleet(settings: Settings, given: str) -> ObservedFleet:
    fleet = ObservedFleet(
        Capacity(settings.fleet.max_in_flight_per_model, settings.fleet.max_in_flight), Patience()
    )
    for name in re.findall(r"(\w+) down", given):
        for _ in range(3):
            fleet.began("", name, name)
            fleet.ended("", name, name, Ending(status=503))
    for name, ms in re.findall(r"(\w+) (\d+) ms", given):
        fleet.began("", name, name)
        fleet.ended("", name, name, Ending(status=200, ttfb_ms=float(ms), stream=True))
    for name, count in re.findall(r"(\w+) (\d+) in flight", given):
        for _ in range(int(count)):
            fleet.began("", name, name)
    return fleet


def _train(lines: str, encoder: SharedWords) -> None:
    rows = [json.loads(line) for line in lines.splitlines()]
    vectors = np.stack([encoder.embed_now(row["text"]) for row in rows])
    scores = np.array([[row["scores"]["small"], row["scores"]["large"]] for row in rows], dtype=np.float32)
    Outcomes(encoder.identity, ("small", "large"), vectors, scores).save(Path.cwd() / "outcomes.npz")


@pytest.mark.parametrize(("block", "text", "given", "chosen", "outcomes"), list(_rows()))
def test_the_pages_examples_choose_what_they_say(
    block: str,
    text: str,
    given: str,
    chosen: str,
    outcomes: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each YAML block loads without a key in vain, and each row of its table chooses the model it names."""
    monkeypatch.chdir(tmp_path)
    encoder, settings = SharedWords(), _document(block)
    assert not examine(settings)
    if outcomes:
        _train(outcomes, encoder)
    decision, fleet = settings.routing.decisions[0], _fleet(settings, given)
    candidates = candidates_from(settings, catalog_from(settings, {}), decision)
    selector = build_selector(decision, Dependencies(encoder, settings, settings.routing, fleet, candidates))
    names = re.findall(r"domain (\w+)", given)
    signals = SignalSet.of(Signal(SignalKey("domain", name), matched=True, confidence=0.9) for name in names)
    request = ChatRequest(Dialect.OPENAI_CHAT, "MoM", (Message("user", text),), b"")
    asked = Asked(request, signals, decision.name)
    selection = asyncio.run(select(selector, candidates, serving(candidates, fleet), asked))
    assert selection.candidate.target.name == chosen, selection


def test_the_page_has_an_example_of_every_algorithm() -> None:
    """Each block of YAML has a table, and each algorithm that runs has a block."""
    assert all("| chosen |" in rest for _, rest in BLOCKS)
    assert len(BLOCKS) == 8
