"""``tools``: which of the tools that a client offers reach the model."""

import msgspec

from pointsman.core.request import Dialect
from pointsman.plugins.base import Rewrite
from pointsman.plugins.draft import Draft
from pointsman.plugins.tool import offered
from pointsman.plugins.tool_choice import LEGACY_FIELDS, TOOL_FIELDS, with_tools, without_history

WITH_TOOLS = frozenset({Dialect.OPENAI_CHAT, Dialect.ANTHROPIC_MESSAGES})
"""Dialects whose bodies have ``tools``."""


class ToolPolicy(msgspec.Struct, frozen=True):
    """Names that may pass; ``allow`` empty allows all, ``block`` wins."""

    allow: frozenset[str] = frozenset()
    block: frozenset[str] = frozenset()

    def passes(self, name: str) -> bool:
        """Whether a tool of this name may be offered."""
        return name not in self.block and (not self.allow or name in self.allow)


class Tools(msgspec.Struct, frozen=True):
    """All tools, none, or those of the lists; ``selection`` adds from the database before."""

    mode: str = "passthrough"
    policy: ToolPolicy = ToolPolicy()
    strip_history: bool = False
    selection: Rewrite | None = None
    type: str = "tools"

    async def apply(self, draft: Draft) -> Draft:
        """The lists come last, so that they hold for added tools as well."""
        if draft.request.dialect not in WITH_TOOLS:
            return draft.noted("tools: not applicable to this endpoint")
        if self.mode == "none":
            return self._without(draft)
        if self.selection is not None:
            draft = await self.selection.apply(draft)
        return self._filtered(draft) if self.mode == "filtered" else draft

    def _without(self, draft: Draft) -> Draft:
        fields = [name for name in (*TOOL_FIELDS, *LEGACY_FIELDS) if name in draft.body.fields]
        if fields:
            draft = draft.changed(draft.body.without(*fields), f"tools: removed {', '.join(fields)}")
        if not self.strip_history or draft.request.dialect is not Dialect.OPENAI_CHAT:
            return draft
        body = without_history(draft.body)
        if len(body.items("messages")) == len(draft.body.items("messages")):
            return draft
        return draft.changed(body, "tools: earlier calls and results removed")

    def _filtered(self, draft: Draft) -> Draft:
        draft = self._filtered_functions(draft)
        tools = offered(draft.body)
        kept = [tool for tool in tools if self.policy.passes(tool.name)]
        if len(kept) == len(tools):
            return draft
        removed = ", ".join(tool.name or "?" for tool in tools if tool not in kept)
        return draft.changed(with_tools(draft.body, kept, draft.request.dialect), f"tools: removed {removed}")

    def _filtered_functions(self, draft: Draft) -> Draft:
        """The same for the older ``functions``."""
        functions = draft.body.get("functions")
        if not isinstance(functions, list):
            return draft
        names = [str(each.get("name") or "") if isinstance(each, dict) else "" for each in functions]
        kept = [each for each, name in zip(functions, names, strict=True) if self.policy.passes(name)]
        if len(kept) == len(functions):
            return draft
        body = draft.body.with_field("functions", kept) if kept else draft.body.without(*LEGACY_FIELDS)
        call = body.get("function_call")
        if isinstance(call, dict) and not self.policy.passes(str(call.get("name") or "")):
            body = body.with_field("function_call", "auto")
        return draft.changed(body, f"functions: {len(functions) - len(kept)} removed")
