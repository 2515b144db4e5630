"""The examples on the page about projections do what it says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config import parse
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.signals.derivations import build_derivations, observed

PAGE = (Path(__file__).parents[3] / "docs" / "projections.md").read_text()
EXAMPLES = re.findall(r"```yaml example\n(.*?)```\n\n```yaml outcomes\n(.*?)```", PAGE, re.DOTALL)


def key(written: str) -> SignalKey:
    family, _, name = written.partition(":")
    return SignalKey(family, name)


def signal(written: str, outcome: Any) -> Signal:
    if outcome == "failed":
        return Signal(key(written), matched=False, error="Timeout")
    matched = not isinstance(outcome, list)
    return Signal(key(written), matched=matched, confidence=outcome if matched else outcome[0])


@pytest.mark.parametrize(("example", "outcomes"), EXAMPLES)
def test_an_example_does_what_the_page_says(example: str, outcomes: str) -> None:
    """It loads, reads no other signals than those given, and makes of them what is written."""
    routing = parse(f"version: v0.3\n{example}", {}).routing
    for outcome in yaml.safe_load(outcomes):
        used = {key(written) for written in outcome["then"]}
        derivations = build_derivations(routing, used)
        signals = SignalSet.of(signal(*pair) for pair in outcome["given"].items())
        made = {made for derivation in derivations for made in derivation.keys}
        assert observed(used, derivations) - made <= signals.by_key.keys()
        for derivation in derivations:
            signals = derivation.derive(signals)
        for written, wanted in outcome["then"].items():
            found, expected = signals.get(key(written)), signal(written, wanted)
            assert (found.matched, found.failed) == (expected.matched, expected.failed)
            assert found.failed or found.confidence == pytest.approx(expected.confidence, abs=0.001)


def test_the_page_has_its_examples() -> None:
    """One for each kind of projection and one for composers."""
    assert len(EXAMPLES) == 4
