"""``context_compression``: long tool outputs and old turns shortened by extraction, the oldest first.

Roles, order, calls and their results stay; so do instructions, the current question unless the document says
otherwise, pictures, and everything whose form is not understood.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from pointsman.core.errors import HttpError
from pointsman.core.request import Dialect
from pointsman.core.tokens import BYTES_PER_TOKEN, estimate_tokens
from pointsman.dialects.body import Body
from pointsman.plugins.compressed_text import compressed
from pointsman.plugins.compression_control import Control, Wish
from pointsman.plugins.draft import Draft
from pointsman.plugins.terms import terms

TIMEOUT_S: Final = 0.8
"""A megabyte takes about a third of it; later messages than fit stay as they are."""
DEFAULT_TRIGGER: Final = 8192
DEFAULT_RESERVE: Final = 1024
LEAST_TARGET: Final = 256

Raw = dict[str, msgspec.Raw]
_MESSAGES = msgspec.json.Decoder(list[Raw])


class Treatment(msgspec.Struct, frozen=True):
    """How long messages of one kind may stay."""

    target: int
    """Tokens to which one is cut."""
    least: int = 0
    """Tokens up to which one is kept as it is."""


class Budget(msgspec.Struct, frozen=True):
    """When it starts and what it aims at, tokens; ``None`` is chosen by the model's context window."""

    trigger: int | None = None
    target: int | None = None
    reserve: int | None = None
    """Kept free for the answer; ``None`` is what the client allows the answer."""
    always: bool = False
    """Whether every request above the target is shortened, not only those above the trigger."""

    def bounds(self, window: int | None, answer: int | None) -> tuple[int, int]:
        """Trigger and target of one request to a model with this window, for an answer of this length."""
        trigger = self.trigger or (window // 2 if window else DEFAULT_TRIGGER)
        target = self.target or trigger // 2
        if window:
            reserve = self.reserve if self.reserve is not None else answer or DEFAULT_RESERVE
            room = max(LEAST_TARGET, window - reserve)
            trigger, target = min(trigger, room), min(target, room)
        target = min(target, trigger)
        return (target if self.always else trigger), target


class ContextCompression(msgspec.Struct, frozen=True):
    """Shortens until the conversation fits its target, or nothing more can be shortened."""

    budget: Budget = Budget()
    tool_outputs: Treatment | None = Treatment(1024)
    history: Treatment | None = Treatment(256)
    current: Treatment | None = None
    windows: Mapping[str, int] = {}
    """Context windows by model, tokens."""
    control: Control | None = None
    """What the client may ask for; ``None`` reads no header."""
    fail_closed: bool = False
    clock: Callable[[], float] = time.monotonic
    type: str = "context_compression"

    async def apply(self, draft: Draft) -> Draft:
        """In a thread, within a deadline."""
        if draft.request.dialect is not Dialect.OPENAI_CHAT:
            return draft.noted("context compression: not applicable to this endpoint")
        wish = self.control.read(draft.received) if self.control else None
        if wish is not None and wish.bypass:
            return draft.noted("context compression: skipped, as the client asked")
        window = self.windows.get(draft.selection.candidate.target.name)
        bounds = self.budget.bounds(window, _answer(draft.body))
        if len(draft.body.fields.get("messages", b"")) <= bounds[0] * BYTES_PER_TOKEN:
            return draft
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                work = self._asked(wish)
                body, before, after = await asyncio.to_thread(work.compress, draft.body, *bounds)
        except Exception as error:
            if self.fail_closed:
                raise HttpError("the conversation could not be shortened") from error
            return draft.noted(f"context compression: skipped, {type(error).__name__}")
        if after == before:
            return draft
        return draft.changed(body, f"context compression: {before} -> {after} tokens, estimated")

    def _asked(self, wish: Wish | None) -> "ContextCompression":
        """The same with the target for tool outputs that the client asked for."""
        if wish is None or wish.target is None or self.tool_outputs is None:
            return self
        least = min(self.tool_outputs.least, wish.target)
        return msgspec.structs.replace(self, tool_outputs=Treatment(wish.target, least))

    def compress(self, body: Body, trigger: int, target: int) -> tuple[Body, int, int]:
        """The body with shortened messages, and what all messages had and have, estimated tokens."""
        messages = _MESSAGES.decode(body.fields["messages"])
        sizes = [sum(map(estimate_tokens, _texts(message.get("content")))) for message in messages]
        before = total = sum(sizes)
        if total <= trigger:
            return body, before, before
        until = self.clock() + TIMEOUT_S
        question = _question(messages)
        for place, treatment in self._order(messages):
            if total <= target or self.clock() > until:
                break
            if sizes[place] <= max(treatment.least, treatment.target):
                continue
            content = _shortened(messages[place]["content"], question, treatment.target)
            size = sum(map(estimate_tokens, _texts(content)))
            if size < sizes[place]:
                messages[place] = {**messages[place], "content": content}
                total += size - sizes[place]
        if total == before:
            return body, before, before
        return body.with_field("messages", messages), before, total

    def _order(self, messages: list[Raw]) -> list[tuple[int, Treatment]]:
        """What may be shortened: tool outputs, then earlier turns, then the question, each oldest first."""
        roles = [_decoded(message.get("role")) for message in messages]
        last = max((place for place, role in enumerate(roles) if role == "user"), default=len(roles))
        outputs = [place for place, role in enumerate(roles) if role in {"tool", "function"}]
        earlier = [
            place for place, role in enumerate(roles) if place < last and role in {"user", "assistant"}
        ]
        current = [last] if last < len(roles) else []
        kinds = ((outputs, self.tool_outputs), (earlier, self.history), (current, self.current))
        return [(place, treatment) for places, treatment in kinds if treatment for place in places]


def _question(messages: list[Raw]) -> frozenset[str]:
    """The terms of the last user turn."""
    for message in reversed(messages):
        if _decoded(message.get("role")) == "user":
            return frozenset(terms("\n".join(_texts(message.get("content")))))
    return frozenset()


def _decoded(raw: msgspec.Raw | None) -> Any:
    return None if raw is None else msgspec.json.decode(raw)


def _texts(raw: msgspec.Raw | None) -> list[str]:
    """The texts of a content, which is one text or a list of parts."""
    content = _decoded(raw)
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    return [part["text"] for part in parts if _is_text(part)]


def _shortened(raw: msgspec.Raw, question: frozenset[str], target: int) -> msgspec.Raw:
    content = _decoded(raw)
    if isinstance(content, str):
        value: Any = compressed(content, question, target)
    elif isinstance(content, list):
        each = max(1, target // max(1, sum(map(_is_text, content))))
        value = [
            {**part, "text": compressed(part["text"], question, each)} if _is_text(part) else part
            for part in content
        ]
    else:
        return raw
    return msgspec.Raw(msgspec.json.encode(value))


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("text"), str)


def _answer(body: Body) -> int | None:
    """How long the client allows the answer to become, tokens."""
    limits = (body.get("max_completion_tokens"), body.get("max_tokens"))
    found = [limit for limit in limits if isinstance(limit, int) and limit > 0]
    return min(found) if found else None
