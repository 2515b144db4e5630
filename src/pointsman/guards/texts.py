"""Every text of a request body that a model reads: one walk that lists them, and replaces them.

What is scanned and what is masked is the same by construction. Of an API of an engine's own, every string is
taken for one. Not read: images and other files, names of
tools, definitions of tools, the ``name`` of a message, parameters such as ``stop``.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from pointsman.core.request import Dialect
from pointsman.dialects.body import Body

Visit = Callable[[str, str, int], str]
"""Given a text, its role and the index of its message; returns what stands in its place."""

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]{6,}')
"""A string of a JSON document, or a number long enough to be somebody's."""
_TEXT_PARTS = frozenset({"text", "input_text", "output_text", "summary_text", "reasoning_text"})
_WITH_MESSAGES = frozenset({Dialect.OPENAI_CHAT, Dialect.ANTHROPIC_MESSAGES})
_REASONING = ("reasoning_content", "reasoning", "refusal")


class Text(msgspec.Struct, frozen=True):
    """One text of a request."""

    value: str
    role: str
    index: int
    """Of its message; 0 where there are none."""


def texts_of(body: Body, dialect: Dialect) -> tuple[Text, ...]:
    """The texts in order; empty ones are left out."""
    found: list[Text] = []

    def visit(value: str, role: str, index: int) -> str:
        if value:
            found.append(Text(value, role, index))
        return value

    rewritten(body, dialect, visit)
    return tuple(found)


def rewritten(body: Body, dialect: Dialect, visit: Visit) -> Body:
    """The body with every text replaced by what ``visit`` gives; the same object when nothing differs."""
    if dialect is Dialect.OPENAI_EMBEDDINGS:
        return _field(body, "input", visit)
    if dialect is Dialect.OPENAI_COMPLETIONS:
        return _field(_field(body, "prompt", visit), "suffix", visit)
    if dialect is Dialect.OPENAI_RESPONSES:
        return _response(body, visit)
    if dialect is Dialect.ENGINE:
        return _anything(body, visit)
    if dialect not in _WITH_MESSAGES:
        # Text in a shape nobody taught this walk would pass every guard unseen.
        raise NotImplementedError(f"texts of {dialect} are not known")
    messages = body.items("messages")
    new = [_message(raw, index, visit) for index, raw in enumerate(messages)]
    if any(after is not before for after, before in zip(new, messages, strict=True)):
        body = body.with_field("messages", new)
    if "system" in body.fields and dialect is Dialect.ANTHROPIC_MESSAGES:
        before = body.get("system")
        after = _content(before, lambda value: visit(value, "system", -1))
        if after != before:
            body = body.with_field("system", after)
    return body


def _response(body: Body, visit: Visit) -> Body:
    """The input and the instructions of a request for a response."""
    before = body.get("input")
    after = before
    if isinstance(before, str):
        after = visit(before, "user", 0)
    elif isinstance(before, list):
        after = [_item(item, index, visit) for index, item in enumerate(before)]
    if after != before:
        body = body.with_field("input", after)
    instructions = body.get("instructions")
    if isinstance(instructions, str) and (after := visit(instructions, "system", -1)) != instructions:
        body = body.with_field("instructions", after)
    prompt = body.get("prompt")
    if isinstance(prompt, dict) and "variables" in prompt:
        after = {**prompt, "variables": _strings(prompt["variables"], lambda value: visit(value, "user", 0))}
        body = body if after == prompt else body.with_field("prompt", after)
    return body


def _item(item: Any, index: int, visit: Visit) -> Any:
    if not isinstance(item, dict):
        return visit(item, "user", index) if isinstance(item, str) else item
    role = str(item.get("role") or ("assistant" if item.get("type") == "function_call" else "tool"))

    def each(value: str) -> str:
        return visit(value, role, index)

    new = dict(item)
    for name in ("content", "output", "summary"):
        if name in item:
            new[name] = _content(item[name], each)
    for name in ("arguments", "input"):
        if isinstance(item.get(name), str):
            new[name] = in_json(item[name], each)
    return new


def _anything(body: Body, visit: Visit) -> Body:
    """Every string there is: in an API that nobody described, any of them may be what a model reads."""
    for name in body.fields:
        if name == "model":
            continue
        before = body.get(name)
        if name == "messages" and isinstance(before, list):
            turns = body.items(name)
            after: Any = [_message(raw, index, visit) for index, raw in enumerate(turns)]
            if any(new is not old for new, old in zip(after, turns, strict=True)):
                body = body.with_field(name, after)
            continue
        if (after := _strings(before, lambda value: visit(value, "user", 0))) != before:
            body = body.with_field(name, after)
    return body


def _strings(value: Any, each: Callable[[str], str]) -> Any:
    """A decoded value with its strings replaced; what looks like a file in one may be a text all the same."""
    if isinstance(value, str):
        return each(value)
    if isinstance(value, list):
        return [_strings(item, each) for item in value]
    if isinstance(value, dict):
        return {name: _strings(item, each) for name, item in value.items()}
    return value


def in_json(text: str, each: Callable[[str], str]) -> str:
    """A JSON document with ``each`` applied to its strings and long numbers; other texts as a whole.

    Everything else keeps its spelling, and what was valid stays valid: a number that is replaced becomes a
    string.
    """
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return each(text)
    return _LITERAL.sub(lambda hit: _literal(hit[0], each), text)


def _literal(literal: str, each: Callable[[str], str]) -> str:
    value = msgspec.json.decode(literal) if literal[0] == '"' else literal
    after = each(value)
    return literal if after == value else msgspec.json.encode(after).decode()


def _field(body: Body, name: str, visit: Visit) -> Body:
    """A field that is a text, or a list in which texts stand beside token ids."""
    before = body.get(name)
    if isinstance(before, str):
        after: Any = visit(before, "user", 0)
    elif isinstance(before, list):
        after = [visit(item, "user", 0) if isinstance(item, str) else item for item in before]
    else:
        return body
    return body if after == before else body.with_field(name, after)


def _message(raw: msgspec.Raw, index: int, visit: Visit) -> Any:
    turn = msgspec.json.decode(raw)
    if not isinstance(turn, dict):
        return raw
    role = str(turn.get("role", ""))

    def each(value: str) -> str:
        return visit(value, role, index)

    new = {**turn, "content": _content(turn.get("content"), each)} if "content" in turn else dict(turn)
    for name in _REASONING:
        if isinstance(turn.get(name), str):
            new[name] = each(turn[name])
    if isinstance(turn.get("tool_calls"), list):
        new["tool_calls"] = [_call(call, each) for call in turn["tool_calls"]]
    if isinstance(turn.get("function_call"), dict):
        new["function_call"] = _function(turn["function_call"], each)
    return raw if new == turn else new


def _content(content: Any, each: Callable[[str], str]) -> Any:
    if isinstance(content, str):
        return each(content)
    return [_part(part, each) for part in content] if isinstance(content, list) else content


def _part(part: Any, each: Callable[[str], str]) -> Any:
    """A part of a message, OpenAI's or Anthropic's."""
    if isinstance(part, str):
        return each(part)
    if not isinstance(part, dict):
        return part
    kind = part.get("type")
    new = dict(part)
    if kind in _TEXT_PARTS and isinstance(part.get("text"), str):
        new["text"] = each(part["text"])
    elif kind == "refusal" and isinstance(part.get("refusal"), str):
        new["refusal"] = each(part["refusal"])
    elif kind == "thinking" and isinstance(part.get("thinking"), str) and not part.get("signature"):
        new["thinking"] = each(part["thinking"])
    elif kind == "tool_use":
        new["input"] = _leaves(part.get("input"), each)
    elif kind == "tool_result":
        new["content"] = _content(part.get("content"), each)
    elif kind == "document" and isinstance(part.get("source"), dict):
        new["source"] = _source(part["source"], each)
    return new


def _source(source: dict[str, Any], each: Callable[[str], str]) -> dict[str, Any]:
    if source.get("type") == "text" and isinstance(source.get("data"), str):
        return {**source, "data": each(source["data"])}
    return {**source, "content": _content(source["content"], each)} if "content" in source else source


def _leaves(value: Any, each: Callable[[str], str]) -> Any:
    """A decoded JSON value with its texts replaced."""
    return msgspec.json.decode(in_json(msgspec.json.encode(value).decode(), each))


def _call(call: Any, each: Callable[[str], str]) -> Any:
    if not isinstance(call, dict):
        return call
    new = dict(call)
    if isinstance(call.get("function"), dict):
        new["function"] = _function(call["function"], each)
    custom = call.get("custom")
    if isinstance(custom, dict) and isinstance(custom.get("input"), str):
        new["custom"] = {**custom, "input": each(custom["input"])}
    return new


def _function(function: dict[str, Any], each: Callable[[str], str]) -> dict[str, Any]:
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        return {**function, "arguments": in_json(arguments, each)}
    return function
