"""The requests that placement is measured with: sessions of turns whose prompts are blocks of tokens."""

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Turn:
    """One request of a session."""

    blocks: tuple[int, ...]
    """The prompt; equal ids stand for equal beginnings."""
    answer: tuple[int, ...]
    """What the engine adds to its cache while it answers."""
    generated_s: float
    """How long the answer takes an engine that has nothing else to do."""
    think_s: float = 0.0
    """Time since the session's last answer ended."""


@dataclass(frozen=True)
class Session:
    """Turns that follow each other, beginning at a moment of its own."""

    name: str
    """Empty where nothing says which requests belong together."""
    start_s: float
    turns: tuple[Turn, ...]


@dataclass(frozen=True)
class Workload:
    """What arrives, and the engines it arrives at."""

    name: str
    sessions: tuple[Session, ...]
    cache_blocks: int
    """Of each engine."""
    prefill_rate: float
    """Tokens an engine computes each second."""
    block: int = 16
    """Tokens of a block."""
    engines: int = 8


class _Ids:
    """Block ids never given before."""

    def __init__(self) -> None:
        self._next = 0

    def take(self, count: int) -> tuple[int, ...]:
        first, self._next = self._next, self._next + count
        return tuple(range(first, self._next))


def chat(seed: int) -> Workload:
    """200 sessions of ten turns whose history grows, under three shared system prompts of 768 tokens.

    What an engine caches is about a third of what all sessions together need.
    """
    rng, ids = random.Random(seed), _Ids()  # noqa: S311  # reproducible workloads
    systems = [ids.take(48) for _ in range(3)]
    sessions = []
    for number in range(200):
        history = rng.choices(systems, weights=(3, 2, 1))[0]
        turns = []
        for _ in range(10):
            prompt = history + ids.take(rng.randint(3, 12))
            answer = ids.take(rng.randint(4, 12))
            turns.append(Turn(prompt, answer, 0.3 * len(answer), rng.expovariate(1 / 4.0)))
            history = prompt + answer[:-2]  # clients cut: not all that was generated comes back the same
        sessions.append(Session(f"chat-{number}", rng.uniform(0, 60.0), tuple(turns)))
    return Workload("chat", tuple(sessions), cache_blocks=3000, prefill_rate=6000.0)


def documents(seed: int) -> Workload:
    """150 sessions that ask about 24 shared documents of about 6,000 tokens, any of them at each turn.

    Some are asked about far more often; an engine's cache holds four of them.
    """
    rng, ids = random.Random(seed), _Ids()  # noqa: S311  # reproducible workloads
    shared = [ids.take(rng.randint(300, 450)) for _ in range(24)]
    weights = [1 / (rank + 1) ** 0.9 for rank in range(24)]
    sessions = []
    for number in range(150):
        turns = []
        for _ in range(10):
            document = rng.choices(shared, weights=weights)[0]
            question = ids.take(rng.randint(4, 20))
            turns.append(Turn(document + question, ids.take(6), 2.0, rng.expovariate(1 / 4.0)))
        sessions.append(Session(f"documents-{number}", rng.uniform(0, 60.0), tuple(turns)))
    return Workload("documents", tuple(sessions), cache_blocks=1600, prefill_rate=8000.0)


def mooncake(path: Path, *, share: int = 1, of: int = 1) -> Workload:
    """The conversation trace of Mooncake (FAST '25): 12,000 tokens a prompt, at the times of the trace.

    An engine's cache holds a million tokens. ``share`` of ``of`` takes one part of it by time.
    """
    rows = list(_rows(path))
    rows = rows[(share - 1) * len(rows) // of : share * len(rows) // of]
    first, sessions = rows[0]["timestamp"], []
    for number, row in enumerate(rows):
        answer = tuple((1 << 40) + number * 64 + index for index in range(row["output_length"] // 512))
        turn = Turn(tuple(row["hash_ids"]), answer, 0.02 * row["output_length"])
        sessions.append(Session("", (row["timestamp"] - first) / 1000, (turn,)))
    return Workload("mooncake", tuple(sessions), cache_blocks=2000, prefill_rate=8000.0, block=512)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            yield json.loads(line)
