"""``tool_selection``: tools added from a database, or irrelevant ones dropped, by what the request is about.

Choosing saves tokens and distraction; it guards nothing. When it fails, the request keeps the tools it came
with. A tool that ``tool_choice`` insists on, or that the conversation has called, is never dropped.
"""

import asyncio
from typing import Final, Literal

import msgspec

from pointsman.core.request import ChatRequest, Dialect
from pointsman.plugins.draft import Draft
from pointsman.plugins.encoder import Floats, TextEncoder
from pointsman.plugins.no_tool import lead
from pointsman.plugins.tool import Tool, offered
from pointsman.plugins.tool_choice import chosen_tool, with_tools
from pointsman.plugins.tool_index import ToolIndex, index
from pointsman.plugins.tool_ranking import Query, Ranked, Ranking

TIMEOUT_S: Final = 0.5
"""For reading what is not known yet; the encoder remembers what it read, so the next request finds more."""
MAX_OFFERED: Final = 256
"""Tools of one request that are compared; a request with more keeps them all."""


class ToolSelection(msgspec.Struct, frozen=True):
    """Chooses among the caller's tools (``filter``), from the database (``add``), or either (``auto``)."""

    encoder: TextEncoder
    mode: Literal["add", "filter", "auto"] = "add"
    """``auto`` concerns requests with ``tool_choice: auto``: their own tools, or else the database."""
    known: ToolIndex | None = None
    ranking: Ranking = Ranking()
    threshold: float = 0.0
    """Least score of a tool that is chosen."""
    top_k: int | None = None
    preserve: int = 0
    """So many, the best ones, are kept whatever their score."""
    fallback_to_empty: bool = True
    """Whether a model gets no tools when none fits; otherwise it gets those the request came with."""
    category_confidence: float = 0.0
    no_tool: Floats | None = None
    """Vectors of phrases that need no tool, for ``min_lead``; ``None`` compares with none."""
    min_lead: float = 0.0
    """Least lead of the nearest tool over them: below it no tool fits."""
    type: str = "tool_selection"

    async def apply(self, draft: Draft) -> Draft:
        """Fails open, with a note."""
        if draft.request.dialect is not Dialect.OPENAI_CHAT:
            return draft.noted("tool selection: not applicable to this endpoint")
        if self.mode == "auto" and draft.body.get("tool_choice") != "auto":
            return draft
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._chosen(draft)
        except Exception as error:  # noqa: BLE001  # an optimisation: whatever fails, the request goes on
            return draft.noted(f"tool selection: skipped, {type(error).__name__}")

    async def _chosen(self, draft: Draft) -> Draft:
        own = offered(draft.body)
        if self.mode == "add" or (self.mode == "auto" and not own):
            return await self._added(draft, own)
        if len(own) > MAX_OFFERED:
            return draft.noted(f"tool selection: skipped, more than {MAX_OFFERED} tools")
        return await self._kept(draft, own) if own else draft

    async def _added(self, draft: Draft, own: tuple[Tool, ...]) -> Draft:
        if self.known is None:
            return draft
        taken = {tool.name for tool in own}
        best = self._best(await self._query(draft), self.known)
        new = [each.tool for each in best if each.tool.name not in taken]
        if new:
            names = ", ".join(tool.name for tool in new)
            return draft.changed(with_tools(draft.body, (*own, *new)), f"tools added: {names}")
        if own or "tool_choice" not in draft.body.fields:
            return draft.noted("tools added: none fits")
        return draft.changed(with_tools(draft.body, ()), "tools added: none fits; tool_choice removed")

    async def _kept(self, draft: Draft, own: tuple[Tool, ...]) -> Draft:
        query = await self._query(draft)
        best = {each.tool.name for each in self._best(query, await index(own, self.encoder))}
        if not best and not self.fallback_to_empty:
            return draft.noted("tools dropped: none, as none fits")
        best |= in_use(draft)
        kept = [tool for tool in own if tool.name in best]
        if len(kept) == len(own):
            return draft
        note = f"tools dropped: {len(own) - len(kept)} of {len(own)}"
        return draft.changed(with_tools(draft.body, kept), note)

    def _best(self, query: Query, tools: ToolIndex) -> list[Ranked]:
        ranked = self.ranking.ranked(query, tools)
        if ranked and self.no_tool is not None:
            fits = lead(query.vector, tools.vectors, self.no_tool) >= self.min_lead
            ranked = ranked if fits else ranked[: self.preserve]
        fitting = [
            each for place, each in enumerate(ranked) if each.score >= self.threshold or place < self.preserve
        ]
        return fitting[: None if self.top_k is None else max(self.top_k, self.preserve)]

    async def _query(self, draft: Draft) -> Query:
        text = draft.request.text
        return Query(text, await self.encoder.embed(text), self._category(draft))

    def _category(self, draft: Draft) -> str:
        """The domain that the signals are surest of."""
        domains = [
            signal
            for signal in draft.signals
            if signal.key.family == "domain"
            and signal.matched
            and signal.confidence >= self.category_confidence
        ]
        return max(domains, key=lambda signal: signal.confidence).key.name if domains else ""


def in_use(draft: Draft) -> frozenset[str]:
    """Tools the request cannot do without: the one it insists on, and those it has called already."""
    return frozenset({chosen_tool(draft.body.get("tool_choice"))}) | called(draft.request)


def called(request: ChatRequest) -> frozenset[str]:
    """Names of the tools that the conversation has called."""
    return frozenset(name for message in request.messages for name in message.tool_calls)
