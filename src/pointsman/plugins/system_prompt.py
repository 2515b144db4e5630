"""``system_prompt``: give the decision's expert its persona."""

import msgspec

from pointsman.core.request import Dialect
from pointsman.dialects import openai_chat, openai_responses
from pointsman.dialects.anthropic import messages
from pointsman.plugins.draft import Draft

_INSERT = {
    Dialect.OPENAI_CHAT: openai_chat.with_system_prompt,
    Dialect.ANTHROPIC_MESSAGES: messages.with_system_prompt,
    Dialect.OPENAI_RESPONSES: openai_responses.with_system_prompt,
}


class SystemPrompt(msgspec.Struct, frozen=True):
    """Inserts ``prompt`` before the client's system text, or replaces that text."""

    prompt: str
    replace: bool = False
    type: str = "system_prompt"

    async def apply(self, draft: Draft) -> Draft:
        """Chat requests have a system message, responses instructions; others pass unchanged."""
        insert = _INSERT.get(draft.request.dialect)
        if insert is None:
            return draft.noted("system prompt: not applicable to this endpoint")
        body = insert(draft.body, self.prompt, replace=self.replace)
        draft = draft.changed(body, f"system prompt: {'replaced' if self.replace else 'inserted'}")
        return msgspec.structs.replace(draft, prompted=True)
