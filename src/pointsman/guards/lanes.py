"""The texts of an answer, whole or a piece of a stream: OpenAI's APIs, Anthropic's messages.

A lane is one text that grows: the content of a choice, the arguments of one of its tool calls.
"""

from collections.abc import Callable, Iterator
from typing import Any

from pointsman.guards.response_lanes import of_responses, response_ended, response_slots
from pointsman.guards.slot import Lane, Slot

__all__ = ["Lane", "Slot", "ended", "slots_of"]

_FIELDS = ("content", "reasoning_content", "reasoning", "refusal")


def slots_of(document: dict[str, Any]) -> Iterator[Slot]:
    """Every piece of text in an event or a whole answer."""
    base = {name: value for name, value in document.items() if name not in {"choices", "usage"}}
    choices = document.get("choices")
    if isinstance(choices, list):
        idle = not document.get("usage")
        for choice in choices:
            if isinstance(choice, dict):
                yield from _choice(choice, base, idle=idle and len(choices) == 1)
        return
    if of_responses(document):
        yield from response_slots(document)
        return
    kind = document.get("type")
    index = document.get("index")
    if kind == "content_block_delta" and isinstance(document.get("delta"), dict):
        yield from _block(document["delta"], index, alone=True)
    elif kind == "content_block_start" and isinstance(document.get("content_block"), dict):
        yield from _block(document["content_block"], index, alone=False)
    elif kind == "message" and isinstance(document.get("content"), list):
        for number, block in enumerate(document["content"]):
            if isinstance(block, dict):
                yield from _block(block, number, alone=False)


def ended(document: dict[str, Any]) -> Iterator[Any]:
    """The groups that end with this event."""
    for choice in document.get("choices") or ():
        if isinstance(choice, dict) and choice.get("finish_reason") is not None:
            yield choice.get("index", 0)
    if document.get("type") == "content_block_stop":
        yield document.get("index")
    if of_responses(document):
        yield from response_ended(document)


def _choice(choice: dict[str, Any], base: dict[str, Any], *, idle: bool) -> Iterator[Slot]:
    index = choice.get("index", 0)
    idle = idle and choice.get("finish_reason") is None

    def event(inner: dict[str, Any]) -> dict[str, Any]:
        return {**base, "choices": [{"index": index, **inner, "finish_reason": None, "logprobs": None}]}

    if isinstance(choice.get("text"), str):
        yield Slot((index, "text"), choice, "text", idle, lambda text: event({"text": text}))
    body = choice.get("delta") or choice.get("message")
    if not isinstance(body, dict):
        return
    for field in _FIELDS:
        if isinstance(body.get(field), str):
            alone = idle and not any(value for name, value in body.items() if name != field)

            def more(text: str, field: str = field) -> dict[str, Any]:
                return event({"delta": {field: text}})

            yield Slot((index, field), body, field, alone, more)
    if isinstance(body.get("content"), list):
        for number, part in enumerate(body["content"]):
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                shape = _in_delta(event, "content", "text")
                yield Slot((index, "part", number), part, "text", alone=False, event=shape)
    yield from _calls(body, index, event, idle=idle)


def _in_delta(
    event: Callable[[dict[str, Any]], dict[str, Any]], name: str, kind: str
) -> Callable[[str], dict[str, Any]]:
    return lambda text: event({"delta": {name: [{"type": kind, "text": text}]}})


def _calls(
    body: dict[str, Any], index: Any, event: Callable[[dict[str, Any]], dict[str, Any]], *, idle: bool
) -> Iterator[Slot]:
    old = body.get("function_call")
    if isinstance(old, dict) and isinstance(old.get("arguments"), str):
        alone = idle and not old.get("name")

        def legacy(text: str) -> dict[str, Any]:
            return event({"delta": {"function_call": {"arguments": text}}})

        yield Slot((index, "function"), old, "arguments", alone, legacy, quoted=True)
    calls = body.get("tool_calls")
    for number, call in enumerate(calls if isinstance(calls, list) else ()):
        if not isinstance(call, dict):
            continue
        place = call.get("index", number)
        for part, field, quoted in (("function", "arguments", True), ("custom", "input", False)):
            inner = call.get(part)
            if not isinstance(inner, dict) or not isinstance(inner.get(field), str):
                continue
            others = any(call.get(name) for name in ("id",)) or inner.get("name")
            alone = idle and not others and len(calls or ()) == 1 and not body.get("content")

            def more(text: str, place: Any = place, part: str = part, field: str = field) -> dict[str, Any]:
                return event({"delta": {"tool_calls": [{"index": place, part: {field: text}}]}})

            yield Slot((index, "call", place), inner, field, alone, more, quoted=quoted)


def _block(block: dict[str, Any], index: Any, *, alone: bool) -> Iterator[Slot]:
    for field, kind in (
        ("text", "text_delta"),
        ("thinking", "thinking_delta"),
        ("partial_json", "input_json_delta"),
    ):
        if isinstance(block.get(field), str):

            def more(text: str, field: str = field, kind: str = kind) -> dict[str, Any]:
                return {
                    "type": "content_block_delta",
                    "index": index,
                    "delta": {"type": kind, field: text},
                }

            yield Slot((index, field), block, field, alone, more, quoted=field == "partial_json")
