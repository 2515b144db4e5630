"""Answers checked on their way."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.errors import HttpError
from pointsman.core.guard import GuardOutcome, Outcome
from pointsman.guards.answers import AnswerEditor
from pointsman.guards.reading import Wanted
from pointsman.guards.watching import Check, Watching
from pointsman.pii import Finding

WINDOW = 80


class Peak(msgspec.Struct):
    probability: float


class Seen(msgspec.Struct):
    jailbreak: Peak
    entities: tuple[Finding, ...] = ()


class Reader:
    """Takes the word EVIL for an attack, and can be out of order."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken

    async def scan(self, text: str) -> Seen:
        if self.broken:
            raise RuntimeError("no")
        return Seen(Peak(1.0 if "EVIL" in text else 0.0))


def editor(told: list[GuardOutcome], action: str = "block", **fields: Any) -> AnswerEditor:
    fields = {"scanner": Reader(), "window": WINDOW, **fields}
    check = Check(
        "response_pii" if "wanted" in fields else "response_jailbreak", action, report=told.append, **fields
    )
    return AnswerEditor(Watching(check))


def chunk(text: str, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None, **fields}
    document = {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}
    return b"data: " + msgspec.json.encode(document) + b"\n\n"


END = chunk("", finish_reason="stop") + b"data: [DONE]\n\n"


async def streamed(work: AnswerEditor, *pieces: bytes) -> list[bytes]:
    await work.start(200, {"content-type": "text/event-stream"})
    out = [await work.feed(piece, end=False) for piece in pieces]
    return [*out, await work.feed(b"", end=True)]


def text_of(stream: bytes) -> str:
    events = [line[6:] for line in stream.decode().split("\n\n") if line.startswith("data: {")]
    choices = [json.loads(event)["choices"] for event in events]
    return "".join(choice["delta"].get("content") or "" for each in choices for choice in each)


async def whole(work: AnswerEditor, text: str) -> bytes:
    await work.start(200, {"content-type": "application/json"})
    message = {"role": "assistant", "content": text}
    return await work.feed(msgspec.json.encode({"choices": [{"index": 0, "message": message}]}), end=True)


def test_a_whole_answer_with_a_finding_is_refused() -> None:
    """A 403 of its own type, before any byte was sent."""
    told: list[GuardOutcome] = []
    with pytest.raises(HttpError) as caught:
        asyncio.run(whole(editor(told), "This is EVIL."))
    assert (caught.value.status, caught.value.type) == (403, "content_filter")
    assert [each.outcome for each in told] == [Outcome.FOUND]


def test_a_stream_is_cut_where_the_finding_stands() -> None:
    """What went before was read; then come the reason and the end, and nothing of what the engine says next."""
    told: list[GuardOutcome] = []
    words = [chunk(f"word{number} ") for number in range(100)]
    out = asyncio.run(streamed(editor(told), *words, chunk("EVIL plans "), *words, END))
    stream = b"".join(out)
    assert b"EVIL" not in stream
    assert b'"finish_reason":"content_filter"' in stream
    assert stream.endswith(b"data: [DONE]\n\n")
    assert stream.count(b"[DONE]") == 1
    assert text_of(stream).startswith("word0 word1 ")
    assert [each.outcome for each in told] == [Outcome.FOUND]


def test_the_hold_back_is_bounded() -> None:
    """Even a text without a space waits for no more than twice the window."""
    told: list[GuardOutcome] = []
    pieces = [chunk("xyz") for _ in range(300)]

    async def held() -> int:
        work = editor(told)
        await work.start(200, {"content-type": "text/event-stream"})
        most = sent = 0
        for number, piece in enumerate(pieces, 1):
            sent += len(text_of(await work.feed(piece, end=False)))
            most = max(most, 3 * number - sent)
        return most

    assert asyncio.run(held()) <= 2 * WINDOW + 3


@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_checked_does_not_pass(stream: bool) -> None:
    """A scanner out of order, and an answer that is no JSON, end in an error."""
    told: list[GuardOutcome] = []
    work = editor(told, scanner=Reader(broken=True))
    checked: Any = streamed(work, chunk("a " * 100), END) if stream else whole(work, "a")
    with pytest.raises(HttpError):
        asyncio.run(checked)
    assert [each.outcome for each in told] == [Outcome.FAILED]
    with pytest.raises(HttpError):
        asyncio.run(streamed(editor(told), b"data: {nope\n\n"))


def test_telling_holds_nothing_back_and_warns_at_the_end() -> None:
    """With header, events pass as they came, and one more says what was found."""
    told: list[GuardOutcome] = []
    pieces = (chunk("EVIL plans"), END)
    out = asyncio.run(streamed(editor(told, "header"), *pieces))
    assert out[0] == pieces[0]
    warning = json.loads(out[1].split(b"\n\n")[1].removeprefix(b"data: "))
    assert (warning["choices"], warning["x_vsr_response_warnings"]) == ([], ["response_jailbreak"])
    assert out[1].endswith(b"data: [DONE]\n\n")


def test_a_whole_answers_warning_is_a_header_too() -> None:
    """Headers of an answer that is read whole still wait: the warning stands there and in the body."""
    work = editor([], "header")
    body = msgspec.json.decode(asyncio.run(whole(work, "EVIL")))
    assert body["x_vsr_response_warnings"] == ["response_jailbreak"]
    assert work.late().set == {"x-vsr-response-warnings": "response_jailbreak"}


def test_an_engines_error_passes() -> None:
    """Only 2xx answers are checked."""

    async def passed() -> bytes:
        work = editor([])
        await work.start(500, {"content-type": "text/plain"})
        return await work.feed(b"EVIL", end=True)

    assert asyncio.run(passed()) == b"EVIL"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["call ", "ana@example.com", ". ", "x", " and then ", "\n"]), max_size=60),
    st.data(),
)
def test_no_address_passes_however_the_stream_is_cut(words: list[str], data: st.DataObject) -> None:
    """Masked in a stream of any tokens is masked in the whole: no address is left, all else is."""
    text = "".join(words)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=40).map(sorted))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    wanted = Wanted(frozenset({"EMAIL_ADDRESS"}))
    told: list[GuardOutcome] = []
    out = asyncio.run(streamed(editor(told, "mask", wanted=wanted), *map(chunk, pieces), END))
    said = text_of(b"".join(out))
    whole_answer = msgspec.json.decode(asyncio.run(whole(editor([], "mask", wanted=wanted), text)))
    expected = whole_answer["choices"][0]["message"]["content"]
    assert " ana@example.com " not in f" {said} "
    assert said.count("[EMAIL_ADDRESS]") == expected.count("[EMAIL_ADDRESS]")
    assert len(told) == 1
