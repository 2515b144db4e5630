"""An encoder for tests: texts are vectors, probabilities and failures as told."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pointsman.config.document import Settings
from pointsman.config.signals import Signals
from pointsman.core.request import ChatRequest, Dialect, Message
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.base import Evaluator, Floats
from pointsman.signals.classifier import Opened
from pointsman.signals.observe import observe
from pointsman.signals.table import Dependencies, build_evaluators


@dataclass(frozen=True)
class Peak:
    probability: float


@dataclass(frozen=True)
class Found:
    label: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Scan:
    jailbreak: Peak
    entities: Sequence[Found] = ()
    sampled: bool = False
    disguised: bool = False


@dataclass
class Encoder:
    """Angles in degrees for texts; those that are not told are at a right angle to all others."""

    angles: Mapping[str, float] = field(default_factory=dict)
    attacks: Mapping[str, float] = field(default_factory=dict)
    entities: Mapping[str, Sequence[Found]] = field(default_factory=dict)
    complexity: Mapping[str, float] = field(default_factory=dict)
    fails: bool = False
    waits: bool = False
    asked: list[str] = field(default_factory=list)

    def embed_now(self, text: str) -> Floats:
        angle = self.angles.get(text)
        vector = (
            [0.0, 0.0, 1.0] if angle is None else [np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0]
        )
        return np.array(vector, dtype=np.float32)

    async def embed(self, text: str) -> Floats:
        await self._ask(text)
        return self.embed_now(text)

    async def scan(self, text: str) -> Scan:
        await self._ask(text)
        return Scan(Peak(self.attacks.get(text, 0.0)), self.entities.get(text, ()))

    async def encode(self, text: str) -> Any:
        await self._ask(text)
        return self

    async def _ask(self, text: str) -> None:
        self.asked.append(text)
        if self.waits:
            await asyncio.Event().wait()
        if self.fails:
            raise RuntimeError(text)


def conversation(*turns: str) -> ChatRequest:
    """A conversation in which user and assistant take turns, the user first."""
    messages = tuple(Message(("user", "assistant")[index % 2], text) for index, text in enumerate(turns))
    return ChatRequest(Dialect.OPENAI_CHAT, "MoM", messages, b"")


def document(**parts: Any) -> Settings:
    """A document of nothing but some parts of the model catalog."""
    return Settings.model_validate({"version": "v0.3", "global": {"model_catalog": parts}})


def evaluator(
    rules: Mapping[str, Any],
    family: str,
    encoder: Encoder,
    settings: Settings | None = None,
    *,
    names: Sequence[str] = (),
    timeout_s: float = 60.0,
) -> Evaluator:
    """The evaluator of all rules of a family, or of some signals of it."""
    signals = Signals.model_validate(rules)
    used = {SignalKey(family, name) for name in names or signals.names(family)}
    dependencies = Dependencies(encoder, settings or document(), classifiers=Opened(timeout_s=timeout_s))
    (built,) = build_evaluators(signals, used, dependencies)
    return built


def observed(built: Evaluator, *turns: str) -> dict[str, Signal]:
    """The signals of a conversation by name; every key has one."""
    signals = asyncio.run(observe((built,), conversation(*turns), timeout_s=60.0))
    assert {signal.key for signal in signals} == built.keys
    return {signal.key.name: signal for signal in signals}


def matched(built: Evaluator, *turns: str) -> set[str]:
    """The names of the signals that match."""
    return {name for name, signal in observed(built, *turns).items() if signal.matched}
