"""Tools made ready for choosing: their vectors and their words."""

import asyncio
import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from pointsman.plugins.encoder import Floats, TextEncoder
from pointsman.plugins.terms import terms
from pointsman.plugins.tool import Tool

AT_ONCE: Final = 16
"""Descriptions given to the encoder together, so that other requests get their turn."""


class ToolWords(msgspec.Struct, frozen=True):
    """The terms of one tool, by where they stand."""

    name: frozenset[str]
    tags: frozenset[str]
    all: frozenset[str]

    @classmethod
    def of(cls, tool: Tool) -> "ToolWords":
        """Read once, when the index is made."""
        name, tags = frozenset(terms(tool.name)), frozenset(terms(" ".join(tool.tags)))
        return cls(name, tags, name | tags | frozenset(terms(tool.description)))


class ToolIndex(msgspec.Struct, frozen=True):
    """Tools, one vector and one set of words each."""

    tools: tuple[Tool, ...]
    vectors: Floats
    """Unit vectors, shape (tools, dimension)."""
    words: tuple[ToolWords, ...]
    rarity: dict[str, float]
    """Weight of a term: the fewer tools have it, the more."""

    def weight(self, term: str) -> float:
        """A term that no tool has counts as one that a single tool has."""
        return self.rarity.get(term, math.log1p(len(self.tools)))


def index_now(tools: Sequence[Tool], encoder: TextEncoder) -> ToolIndex:
    """An index of the document's tools, made at the start."""
    return _index(tools, [encoder.embed_now(tool.text) for tool in tools])


async def index(tools: Sequence[Tool], encoder: TextEncoder) -> ToolIndex:
    """An index of a request's own tools. The encoder remembers those it has seen."""
    vectors: list[Floats] = []
    for start in range(0, len(tools), AT_ONCE):
        texts = [tool.text for tool in tools[start : start + AT_ONCE]]
        vectors.extend(await asyncio.gather(*map(encoder.embed, texts)))
    return _index(tools, vectors)


def _index(tools: Sequence[Tool], vectors: Sequence[Floats]) -> ToolIndex:
    words = tuple(map(ToolWords.of, tools))
    counts: dict[str, int] = {}
    for each in words:
        for term in each.all:
            counts[term] = counts.get(term, 0) + 1
    rarity = {term: math.log1p(len(tools) / count) for term, count in counts.items()}
    stacked = np.stack(vectors) if vectors else np.zeros((0, 0), np.float32)
    return ToolIndex(tuple(tools), stacked, words, rarity)
