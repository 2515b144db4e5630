"""Answers of OpenAI's Responses API on their way through guards."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import HttpError
from pointsman.core.guard import GuardOutcome
from pointsman.dialects import openai_responses
from pointsman.guards.answers import AnswerEditor
from pointsman.guards.placeholders import Vault
from pointsman.guards.unmasking import unmasking
from pointsman.guards.watching import Check, Watching
from pointsman.pii import Finding

MAIL = "ana@example.com"
STREAM = {"content-type": "text/event-stream"}
JSON = {"content-type": "application/json"}


class Peak(msgspec.Struct):
    probability: float


class Seen(msgspec.Struct):
    jailbreak: Peak
    entities: tuple[Finding, ...] = ()


class Reader:
    """Takes the word EVIL for an attack."""

    async def scan(self, text: str) -> Seen:
        return Seen(Peak(1.0 if "EVIL" in text else 0.0))


def events(text: str, cuts: list[str]) -> bytes:
    """A stream as an engine writes it, its text in these pieces."""
    whole = openai_responses.answer(text, stream=True, created=1, headers={}).body
    found = []
    for event in whole.split(b"\n\n"):
        if b"response.output_text.delta" not in event:
            found.append(event)
            continue
        document = json.loads(event.partition(b"data: ")[2])
        found += [b"event: x\ndata: " + json.dumps({**document, "delta": cut}).encode() for cut in cuts]
    return b"\n\n".join(found)


def through(work: AnswerEditor, raw: bytes, headers: dict[str, str], step: int = 1 << 20) -> bytes:
    async def run() -> bytes:
        await work.start(200, headers)
        pieces = [raw[place : place + step] for place in range(0, len(raw), step)]
        out = [await work.feed(piece, end=piece is pieces[-1]) for piece in pieces]
        return b"".join(out)

    return asyncio.run(run())


def documents(raw: bytes) -> list[dict[str, Any]]:
    return [
        json.loads(line.removeprefix(b"data: ")) for line in raw.split(b"\n") if line.startswith(b"data: {")
    ]


def deltas(raw: bytes) -> str:
    return "".join(each["delta"] for each in documents(raw) if each["type"].endswith(".delta"))


def vault() -> tuple[Vault, str]:
    kept = Vault()
    return kept, kept.placeholder("EMAIL_ADDRESS", MAIL)


@given(st.lists(st.integers(0, 60), max_size=4), st.integers(3, 400))
def test_masked_values_come_back_in_pieces_and_in_the_whole(places: list[int], step: int) -> None:
    """However a stream is cut, its pieces say the value, and so does every event that repeats them."""
    kept, placeholder = vault()
    text = f"Write to {placeholder} today, {placeholder}."
    edges = sorted({0, len(text), *(place for place in places if place < len(text))})
    cuts = [text[start:end] for start, end in pairwise(edges)]
    out = through(unmasking(kept), events(text, cuts), STREAM, step)
    said = f"Write to {MAIL} today, {MAIL}."
    assert deltas(out) == said
    last = documents(out)[-1]["response"]["output"][0]["content"][0]["text"]
    done = next(each for each in documents(out) if each["type"] == "response.output_text.done")
    assert (last, done["text"]) == (said, said)


def test_masked_values_come_back_in_a_whole_answer() -> None:
    """Texts and arguments of calls, the latter as the JSON they are."""
    kept, placeholder = vault()
    call = {"type": "function_call", "name": "mail", "arguments": json.dumps({"to": placeholder})}
    document = json.loads(openai_responses.answer(placeholder, stream=False, created=1, headers={}).body)
    document["output"].append(call)
    out = json.loads(through(unmasking(kept), json.dumps(document).encode(), JSON))
    assert out["output"][0]["content"][0]["text"] == MAIL
    assert json.loads(out["output"][1]["arguments"]) == {"to": MAIL}


def guard(action: str = "block", **fields: Any) -> AnswerEditor:
    told: list[GuardOutcome] = []
    check = Check("response_jailbreak", action, report=told.append, scanner=Reader(), window=80, **fields)
    return AnswerEditor(Watching(check))


def test_an_attack_in_a_whole_answer_is_withheld() -> None:
    """The texts of a response are read like those of a chat."""
    raw = openai_responses.answer("this is EVIL", stream=False, created=1, headers={}).body
    with pytest.raises(HttpError, match="withheld"):
        through(guard(), raw, JSON)


def test_an_attack_in_a_stream_ends_it_in_good_order() -> None:
    """Nothing of it passes; the last event says that the response is incomplete, and why."""
    out = through(guard(), events("so EVIL", ["so ", "EVIL"]), STREAM)
    assert b"EVIL" not in out
    last = documents(out)[-1]
    assert last["type"] == "response.incomplete"
    assert last["response"]["incomplete_details"] == {"reason": "content_filter"}


def test_an_attack_that_only_the_closing_events_say_is_caught() -> None:
    """Engines say a text twice; both are read."""
    assert b"EVIL" not in through(guard(), events("so EVIL", ["so fine"]), STREAM)


def test_a_clean_stream_passes_byte_for_byte_in_the_end() -> None:
    """What is read and clean arrives whole, in pieces and in the closing events."""
    out = through(guard(), events("a fine day. " * 20, ["a fine day. "] * 20), STREAM)
    assert deltas(out) == "a fine day. " * 20
    assert documents(out)[-1]["type"] == "response.completed"
