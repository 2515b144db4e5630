"""``system_prompt``: give the decision's expert its persona."""

import msgspec

from pointsman.core.request import Dialect
from pointsman.dialects import openai_chat
from pointsman.plugins.draft import Draft


class SystemPrompt(msgspec.Struct, frozen=True):
    """Inserts ``prompt`` before the client's system text, or replaces that text."""

    prompt: str
    replace: bool = False
    type: str = "system_prompt"

    async def apply(self, draft: Draft) -> Draft:
        """Only chat requests have a system message; others pass unchanged."""
        if draft.request.dialect is not Dialect.OPENAI_CHAT:
            return draft.noted("system prompt: not applicable to this endpoint")
        body = openai_chat.with_system_prompt(draft.body, self.prompt, replace=self.replace)
        draft = draft.changed(body, f"system prompt: {'replaced' if self.replace else 'inserted'}")
        return msgspec.structs.replace(draft, prompted=True)
