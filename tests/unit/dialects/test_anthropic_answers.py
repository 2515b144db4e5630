"""Whole answers translated by filters, in any pieces."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.answer import AnswerFilter, chained
from pointsman.core.errors import HttpError
from pointsman.core.header_edits import HeaderEdits
from pointsman.dialects.anthropic.answers import ChatToMessages, MessagesToChat
from pointsman.dialects.anthropic.messages import answer as messages_answer
from pointsman.dialects.openai_chat import answer as chat_answer

_EVENTS = {"content-type": "text/event-stream"}
_JSON = {"content-type": "application/json"}


def _back() -> MessagesToChat:
    return MessagesToChat(created=7, usage=False)


def _through(
    work: AnswerFilter, body: bytes, headers: dict[str, str], status: int = 200, cut: int = 0
) -> tuple[HeaderEdits, bytes]:
    async def run() -> tuple[HeaderEdits, bytes]:
        edits = await work.start(status, headers)
        first = await work.feed(body[:cut], end=False)
        return edits, first + await work.feed(body[cut:], end=True)

    return asyncio.run(run())


@given(st.integers(0, 2000))
def test_a_stream_there_and_back_says_the_same(cut: int) -> None:
    """Wherever it is cut, a chat stream through both filters still says its text and ends."""
    body = chat_answer("one two three", stream=True, created=7, headers={}).body
    work = chained((ChatToMessages, _back))
    assert work is not None
    _, text = _through(work(), body, _EVENTS, cut=cut)
    events = [json.loads(line[6:]) for line in text.decode().splitlines() if line.startswith("data: {")]
    said = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    assert (said, text.endswith(b"data: [DONE]\n\n")) == ("one two three", True)


@pytest.mark.parametrize("cut", [0, 10])
def test_a_document_is_translated_whole(cut: int) -> None:
    """Both directions make the other API's document, as JSON."""
    chat = chat_answer("hello", stream=False, created=7, headers={}).body
    edits, message = _through(ChatToMessages(), chat, _JSON, cut=cut)
    assert edits.set == {"content-type": "application/json"}
    assert json.loads(message)["content"] == [{"type": "text", "text": "hello"}]
    original = messages_answer("hello", stream=False, created=7, headers={}).body
    _, document = _through(_back(), original, _JSON, cut=cut)
    found = json.loads(document)
    assert (found["choices"][0]["message"]["content"], found["created"]) == ("hello", 7)


@pytest.mark.parametrize(("status", "told"), [(400, "400"), (500, "500"), (503, "529")])
def test_an_engines_error_becomes_anthropics(status: int, told: str) -> None:
    """Shape and, where the APIs differ, status are the client's; the engine's words stay."""
    error = json.dumps({"error": {"message": "no", "type": "x", "code": status}}).encode()
    edits, body = _through(ChatToMessages(), error, _JSON, status)
    assert edits.set[":status"] == told
    assert (json.loads(body)["type"], json.loads(body)["error"]["message"]) == ("error", "no")


@pytest.mark.parametrize(("status", "told"), [(401, "401"), (529, "503")])
def test_a_providers_error_becomes_openais(status: int, told: str) -> None:
    """An error in plain text becomes one in OpenAI's shape, too."""
    edits, body = _through(_back(), b"busy", {"content-type": "text/plain"}, status)
    assert edits.set == {"content-type": "application/json", ":status": told}
    assert json.loads(body)["error"]["message"] == "busy"


@pytest.mark.parametrize("work", [ChatToMessages, _back])
def test_what_is_no_answer_raises(work: Any) -> None:
    """A 2xx that is not of the engine's API never reaches the client as if it were."""
    with pytest.raises(HttpError) as caught:
        _through(work(), b"<html>", _JSON)
    assert caught.value.status == 502


def test_a_changed_status_is_seen_by_the_next_filter() -> None:
    """In a row of filters each sees the status the one before it made."""

    class Witness:
        seen = 0

        async def start(self, status: int, headers: Any) -> HeaderEdits:  # noqa: ARG002  # the port has them
            Witness.seen = status
            return HeaderEdits()

        async def feed(self, data: bytes, *, end: bool) -> bytes:  # noqa: ARG002  # same
            return data

    work = chained((ChatToMessages, Witness))
    assert work is not None
    edits, _ = _through(work(), b"{}", _JSON, 503)
    assert (Witness.seen, edits.set[":status"]) == (529, "529")
