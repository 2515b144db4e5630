"""Whole answers translated on their way: the two directions as answer filters.

Each reads JSON or an event stream, successes and errors alike. An answer that is not of its API raises
``UpstreamFault``, which becomes an error in the client's shape; a stream that goes wrong ends in an error
event.
"""

from collections.abc import Callable, Mapping

from pointsman.core.header_edits import HeaderEdits
from pointsman.dialects.anthropic.answer_to_chat import answer_to_chat
from pointsman.dialects.anthropic.chat_to_answer import chat_to_answer
from pointsman.dialects.anthropic.chat_to_stream import ChatToStream
from pointsman.dialects.anthropic.errors import (
    TranslatedError,
    chat_error_to_messages,
    messages_error_to_chat,
)
from pointsman.dialects.anthropic.stream import StreamTranslation
from pointsman.dialects.anthropic.stream_to_chat import StreamToChat

Whole = Callable[[bytes], bytes]
Failure = Callable[[int, bytes], TranslatedError]


class _Translating:
    """An ``AnswerFilter``: what kind of answer it is shows with its status and headers."""

    def __init__(self, whole: Whole, failure: Failure, stream: Callable[[], StreamTranslation]) -> None:
        self._whole = whole
        self._failure = failure
        self._make_stream = stream
        self._stream: StreamTranslation | None = None
        self._status = 200
        self._collected = bytearray()

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:
        """Errors may change their status; whatever is no stream will be JSON."""
        self._status = status
        good = 200 <= status < 300
        if good and headers.get("content-type", "").strip().lower().startswith("text/event-stream"):
            self._stream = self._make_stream()
            return HeaderEdits()
        kind = {"content-type": "application/json"}
        if good:
            return HeaderEdits(kind)
        return HeaderEdits({**kind, ":status": str(self._failure(status, b"").status)})

    async def feed(self, data: bytes, *, end: bool) -> bytes:
        """Translate what can be translated now; the transport bounds what is no stream."""
        if self._stream is not None:
            return self._stream.feed(data) + (self._stream.finish() if end else b"")
        self._collected += data
        if not end:
            return b""
        raw = bytes(self._collected)
        self._collected.clear()
        return self._whole(raw) if 200 <= self._status < 300 else self._failure(self._status, raw).body


class ChatToMessages(_Translating):
    """An OpenAI engine's answer for an Anthropic client."""

    def __init__(self) -> None:
        super().__init__(lambda raw: chat_to_answer(raw).body, chat_error_to_messages, ChatToStream)


class MessagesToChat(_Translating):
    """An Anthropic provider's answer for an OpenAI client; ``created`` in Unix seconds.

    ``usage``: whether a stream ends with a chunk that has the token counts.
    """

    def __init__(self, *, created: int, usage: bool) -> None:
        super().__init__(
            lambda raw: answer_to_chat(raw, created=created).body,
            messages_error_to_chat,
            lambda: StreamToChat(created=created, usage=usage),
        )
