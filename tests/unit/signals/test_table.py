import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from pointsman.config.document import Settings
from pointsman.config.signals import Signals
from pointsman.core.errors import ConfigError
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.signal import SignalKey
from pointsman.signals.observe import observe
from pointsman.signals.table import Dependencies, build_evaluators


@dataclass(frozen=True)
class Encoder:
    """An encoder that is sure of math."""

    domains: Mapping[str, float] = field(default_factory=lambda: {"math": 0.6, "other": 0.4})

    async def encode(self, text: str) -> "Encoder":
        """Itself, for any text."""
        assert text
        return self


def keyword(name: str, *keywords: str, **rest: Any) -> dict[str, Any]:
    """A keyword rule of the document."""
    return {"name": name, "keywords": list(keywords), **rest}


SIGNALS = Signals.model_validate(
    {
        "keywords": [
            keyword("literal", "a.c"),
            keyword("pattern", "a.c", method="regex"),
            keyword("unused", "x"),
        ],
        "domains": [{"name": "math"}, {"name": "law"}],
    }
)
DEPENDENCIES = Dependencies(Encoder(), Settings(version="v0.3"))  # type: ignore[arg-type]  # only what domain asks


def test_only_signals_in_use_are_built() -> None:
    """A family nobody refers to has no evaluator, and within a family only referenced rules run."""
    (only,) = build_evaluators(SIGNALS, {SignalKey("keyword", "literal")}, DEPENDENCIES)
    assert only.keys == {SignalKey("keyword", "literal")}


def test_a_family_that_cannot_be_evaluated_is_left_out() -> None:
    """A reference to a family without an evaluator yields a signal that was never computed."""
    used = {SignalKey("projection", "easy"), SignalKey("domain", "math")}
    assert [each.family for each in build_evaluators(SIGNALS, used, DEPENDENCIES)] == ["domain"]


def test_a_method_must_be_spelled_out_to_make_expressions() -> None:
    """Without a method keywords are literal; with method regex they are expressions."""
    used = {SignalKey("keyword", "literal"), SignalKey("keyword", "pattern"), SignalKey("domain", "math")}
    evaluators = build_evaluators(SIGNALS, used, DEPENDENCIES)
    request = ChatRequest(Dialect.OPENAI_CHAT, "MoM", (Message("user", "abc"),), b"")
    signals = asyncio.run(observe(evaluators, request, timeout_s=5.0))
    assert {str(signal.key) for signal in signals if signal.matched} == {"keyword:pattern", "domain:math"}


def test_bad_rules_are_config_errors_with_their_path() -> None:
    """A rule that cannot run is found while building, at its place in the document."""
    signals = Signals.model_validate({"keywords": [keyword("ok", "x"), keyword("bad", "(", method="regex")]})
    used = {SignalKey("keyword", "ok"), SignalKey("keyword", "bad")}
    with pytest.raises(ConfigError, match=r"routing\.signals\.keywords\[1\]\.keywords\[0\]"):
        build_evaluators(signals, used, DEPENDENCIES)
