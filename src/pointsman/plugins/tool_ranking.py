"""How well tools fit a request: similarity in meaning, and what its words say."""

import msgspec

from pointsman.plugins.encoder import Floats
from pointsman.plugins.terms import terms
from pointsman.plugins.tool import Tool
from pointsman.plugins.tool_index import ToolIndex, ToolWords
from pointsman.plugins.tools import ToolPolicy


class Weights(msgspec.Struct, frozen=True):
    """Parts of a score; only their ratios matter."""

    embed: float = 1.0
    lexical: float = 0.0
    tag: float = 0.0
    name: float = 0.0
    category: float = 0.0

    @property
    def total(self) -> float:
        """Their sum, at least what keeps a division sound."""
        return (self.embed + self.lexical + self.tag + self.name + self.category) or 1.0


BY_MEANING = Weights()
COMBINED = Weights(embed=0.7, lexical=0.2, tag=0.1)
"""Where advanced filtering names no weights: measured by ``make bench-tools``."""


class Query(msgspec.Struct, frozen=True):
    """What tools are chosen for."""

    text: str
    vector: Floats
    category: str = ""
    """Of the request, where a domain signal is sure enough; empty otherwise."""


class Ranked(msgspec.Struct, frozen=True):
    """A tool and how well it fits, 0 to 1."""

    tool: Tool
    score: float


class Ranking(msgspec.Struct, frozen=True):
    """The rules by which tools are ranked."""

    weights: Weights = BY_MEANING
    pool: int | None = None
    """Only so many, the nearest in meaning, are looked at; ``None`` looks at all."""
    min_common_terms: int = 0
    by_category: bool = False
    """Whether only tools of the request's category count, where one of them has it."""
    policy: ToolPolicy = ToolPolicy()

    def ranked(self, query: Query, index: ToolIndex) -> list[Ranked]:
        """The tools that may be chosen, best first; equal ones in the order they are listed."""
        if not index.tools:
            return []
        similar = index.vectors @ query.vector
        nearest = sorted(range(len(index.tools)), key=lambda place: -float(similar[place]))
        asked = frozenset(terms(query.text))
        found = [
            Ranked(index.tools[place], self._score(query, asked, index, place, float(similar[place])))
            for place in sorted(nearest[: self.pool])
            if self._may(query, asked, index, place)
        ]
        return sorted(found, key=lambda each: -each.score)

    def _may(self, query: Query, asked: frozenset[str], index: ToolIndex, place: int) -> bool:
        tool = index.tools[place]
        if not self.policy.passes(tool.name) or len(asked & index.words[place].all) < self.min_common_terms:
            return False
        if not self.by_category or not query.category:
            return True
        known = any(_same(each.category, query.category) for each in index.tools)
        return not known or _same(tool.category, query.category)

    def _score(
        self, query: Query, asked: frozenset[str], index: ToolIndex, place: int, similarity: float
    ) -> float:
        weights, words = self.weights, index.words[place]
        parts = weights.embed * max(0.0, similarity)
        if asked:
            parts += weights.lexical * _common(asked, words, index)
            parts += weights.tag * len(asked & words.tags) / len(asked)
            parts += weights.name * len(asked & words.name) / max(1, len(words.name))
        parts += weights.category * _same(index.tools[place].category, query.category)
        return parts / weights.total


def _common(asked: frozenset[str], words: ToolWords, index: ToolIndex) -> float:
    """Share of what was asked that the tool's words have, rare ones counting more."""
    return sum(map(index.weight, asked & words.all)) / sum(map(index.weight, asked))


def _same(one: str, other: str) -> bool:
    return bool(one) and one.casefold() == other.casefold()
