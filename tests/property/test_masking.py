"""Masked data comes back whatever happens on the way, and never leaves."""

import asyncio
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.request import Dialect
from pointsman.dialects import openai_chat
from pointsman.dialects.body import parse_object
from pointsman.guards.masking import mask
from pointsman.guards.placeholders import LONGEST, PATTERN, Vault, masked
from pointsman.guards.reading import Wanted
from pointsman.guards.restoring import Restorer
from pointsman.guards.unmasking import in_quotes, unmasking
from pointsman.pii import Finding, Label

LABELS = ["PERSON", "EMAIL_ADDRESS", "AGE", "US_SSN"]
PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "[PERSON_1]",
            "PERSON_1",
            "[PERSON",
            "_1]",
            "<person 2>",
            "[AGE\\_1]",
            "[[",
            "(AGE-1)",
            "US_SSN_",
            "1",
            "[PERSON_1",
            "P",
            "[",
            "\\",
            "_",
            " ",
            "TEXT_1",
            "[TEXT_1]",
            "【PERSON_1】",
        ]
    ),
)
TEXTS = st.lists(PIECES, max_size=12).map("".join)


class Peak(msgspec.Struct):
    probability: float = 0.0


class Seen(msgspec.Struct):
    jailbreak: Peak
    entities: tuple[Finding, ...] = ()


class Nobody:
    """An encoder that finds nothing: recognisers are left."""

    async def scan(self, text: str) -> Seen:  # noqa: ARG002  # the port's signature
        return Seen(Peak())


def pieces(text: str, cuts: Sequence[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[a:b] for a, b in pairwise(places)]


@st.composite
def found(draw: st.DrawFn) -> tuple[str, list[Finding]]:
    text = draw(TEXTS)
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    labels = st.sampled_from(LABELS)
    return text, [
        Finding(draw(labels), a, b, 1.0, ()) for a, b in zip(places[::2], places[1::2], strict=False)
    ]


@settings(max_examples=400)
@given(found(), st.lists(st.integers(0, 500), max_size=30))
def test_any_text_comes_back_at_any_chunking(case: tuple[str, list[Finding]], cuts: list[int]) -> None:
    """Masked and restored in pieces, a text is what it was, and what is held back is bounded."""
    text, findings = case
    vault = Vault()
    hidden = masked(text, findings, vault)
    restorer = Restorer(vault)

    async def stream() -> str:
        out = []
        for piece in pieces(hidden, cuts):
            out.append(await restorer.feed(piece))
            assert restorer.held <= LONGEST
        return "".join(out) + await restorer.flush()

    assert asyncio.run(stream()) == text
    assert vault.restored(hidden) == text


@settings(max_examples=300)
@given(TEXTS, st.lists(st.integers(0, 500), max_size=30))
def test_streaming_restores_what_restoring_the_whole_does(text: str, cuts: list[int]) -> None:
    """The model may write anything: pieces give what the whole gives, which is the naive replacement."""
    vault = Vault()
    for label, value in (("PERSON", "Ana"), ("AGE", "41"), ("US_SSN", "x"), ("TEXT", "[AGE_9]")):
        vault.placeholder(label, value)
    restorer = Restorer(vault)

    async def stream() -> str:
        out = [await restorer.feed(piece) for piece in pieces(text, cuts)]
        return "".join(out) + await restorer.flush()

    assert asyncio.run(stream()) == PATTERN.sub(lambda hit: vault.value(hit[0]) or hit[0], text)


MAILS = st.from_regex(r"[a-z]{3,8}\.[a-z]{3,8}@(example\.com|firma\.de)", fullmatch=True)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[str]]:
    mails = draw(st.lists(MAILS, min_size=1, max_size=4))
    messages: list[dict[str, Any]] = []
    for mail in mails:
        text = f"{draw(WORDS)} {mail} {draw(WORDS)}"
        arguments = json.dumps({draw(WORDS): text, "n": 1.50, "deep": [None, {"to": mail}]})
        call = {"id": "c", "type": "function", "function": {"name": "send", "arguments": arguments}}
        messages += draw(
            st.sampled_from(
                [
                    [{"role": "user", "content": text}],
                    [{"role": "user", "content": [{"type": "text", "text": text}]}],
                    [{"role": "assistant", "content": None, "tool_calls": [call]}],
                    [{"role": "tool", "tool_call_id": "c", "content": text}],
                    [{"role": "system", "content": text}],
                ]
            )
        )
    return messages, mails


@settings(max_examples=150, deadline=None)
@given(conversations())
def test_no_value_leaves_and_the_request_stays_valid(
    case: tuple[list[dict[str, Any]], list[str]],
) -> None:
    """No address is in the masked body, which is a chat request with the same turns; restored it is the old."""
    messages, mails = case
    raw = msgspec.json.encode({"model": "m", "messages": messages, "temperature": 0.10})
    body = parse_object(raw)
    done = asyncio.run(
        mask(body, Dialect.OPENAI_CHAT, Nobody(), Wanted(frozenset({Label.EMAIL_ADDRESS})), limit=10**6)
    )
    out = done.body.encode()
    assert not any(mail.encode() in out for mail in mails)
    request = openai_chat.understand(out)
    assert [message.role for message in request.messages] == [message["role"] for message in messages]
    for message in msgspec.json.decode(out)["messages"]:
        for call in message.get("tool_calls") or ():
            assert json.loads(call["function"]["arguments"])["n"] == 1.5
    # An answer that repeats the request word for word gives the client its own words.
    whole = unmasking(done.vault)

    async def answered() -> bytes:
        await whole.start(200, {"content-type": "application/json"})
        choices = [{"index": 0, "message": each} for each in msgspec.json.decode(out)["messages"]]
        return await whole.feed(msgspec.json.encode({"choices": choices}), end=True)

    back = [choice["message"] for choice in msgspec.json.decode(asyncio.run(answered()))["choices"]]
    assert parsed(back) == parsed(messages)


def parsed(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The turns with tool arguments as values: JSON may spell a character in several ways."""
    for message in messages:
        for call in message.get("tool_calls") or ():
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return messages


@settings(max_examples=150, deadline=None)
@given(
    TEXTS.map(lambda text: text.encode("utf-8", "replace").decode()),
    TEXTS.map(lambda text: text.encode("utf-8", "replace").decode()),
    st.lists(st.integers(0, 40), max_size=12),
    st.lists(st.integers(0, 3000), max_size=30),
)
def test_a_stream_comes_back_however_tokens_and_bytes_are_cut(
    content: str, argument: str, tokens: list[int], cuts: list[int]
) -> None:
    """Content and tool arguments of a stream add up to the unmasked texts; arguments are valid JSON."""
    vault = Vault()
    secret = 'A "quoted"\nname'
    hidden = masked(f"{secret}{content}", [Finding("PERSON", 0, len(secret), 1.0, ())], vault)
    said = masked(argument, [], vault) + "[PERSON_1]"
    quoted = json.dumps({"q": said}, ensure_ascii=False)
    events = [
        {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]}
    ]
    events += [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces(hidden, tokens)]
    events += [
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}}]}
        for piece in pieces(quoted, tokens)
    ]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    raw = b"".join(b"data: " + msgspec.json.encode(event) + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
    editor = unmasking(vault)

    async def stream() -> bytes:
        await editor.start(200, {"content-type": "text/event-stream"})
        out = [await editor.feed(raw[a:b], end=False) for a, b in pairwise(places)]
        return b"".join(out) + await editor.feed(b"", end=True)

    text = arguments = ""
    lines = asyncio.run(stream()).decode().split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    for line in lines[:-2]:
        delta = json.loads(line.removeprefix("data: "))["choices"][0]["delta"]
        text += delta.get("content") or ""
        arguments += "".join(call["function"]["arguments"] for call in delta.get("tool_calls", ()))
    assert text == secret + content
    assert json.loads(arguments) == {"q": argument + secret}


@given(st.text())
def test_a_value_within_json_is_written_as_json_does(value: str) -> None:
    """Put between quotes it is a JSON string of the value."""
    plain = value.encode("utf-8", "replace").decode()
    assert json.loads(f'"{in_quotes(value)}"') == plain
