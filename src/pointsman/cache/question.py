"""What makes two requests the same: everything that can change the answer, and apart from it the question.

Everything is taken from the request as the model would get it, after every rewrite: what no one thought of
is in the key as well. Left out are ``stream`` and ``stream_options``: an answer can be replayed either way.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from pointsman.dialects.body import Body

_REPLAYABLE: Final = frozenset({"stream", "stream_options", "messages"})
_DIGEST: Final = 32


class Question(msgspec.Struct, frozen=True):
    """A request as a cache sees it."""

    partition: bytes
    """Digest of everything but the question."""
    digest: bytes
    """Digest of the question."""
    text: str = ""
    """The question, the last text of the user; empty where it cannot be told apart from the rest."""


def question_of(body: Body, apart: Iterable[str]) -> Question | None:
    """Read a chat request; ``apart`` are all circumstances outside of it that can change the answer.

    ``None`` for a conversation that cannot be read.
    """
    try:
        messages = msgspec.json.decode(bytes(body.fields["messages"]))
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(messages, list) or not messages:
        return None
    texts = _texts(messages[-1])
    told = hashlib.blake2b(digest_size=_DIGEST)
    for each in apart:
        _add(told, each.encode("utf-8", "surrogatepass"))
    for name in sorted(body.fields.keys() - _REPLAYABLE):
        _add(told, name.encode("utf-8", "surrogatepass"))
        _add(told, _canonical(bytes(body.fields[name])))
    if texts is None:
        _add(told, b"whole")
        _add(told, _canonical(bytes(body.fields["messages"])))
        return Question(told.digest(), b"")
    _add(told, b"texts")
    _add(told, msgspec.json.encode([*messages[:-1], _without_texts(messages[-1])], order="sorted"))
    asked = hashlib.blake2b(digest_size=_DIGEST)
    for text in texts:
        _add(asked, text.encode("utf-8", "surrogatepass"))
    return Question(told.digest(), asked.digest(), "\n".join(texts).strip())


def fingerprint(*values: Any) -> str:
    """A digest of plain data, the same for the same data in every process."""
    told = hashlib.blake2b(digest_size=_DIGEST)
    for value in values:
        _add(told, msgspec.json.encode(value, order="sorted", enc_hook=str))
    return told.hexdigest()


def _texts(message: Any) -> list[str] | None:
    """The texts of a last message that is the user's and nothing but text."""
    if not isinstance(message, dict) or message.get("role") != "user":
        return None
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    if not isinstance(content, list) or not content:
        return None
    texts = [
        text
        for part in content
        if isinstance(part, dict) and part.get("type") == "text" and isinstance(text := part.get("text"), str)
    ]
    return texts if len(texts) == len(content) else None


def _without_texts(message: dict[str, Any]) -> dict[str, Any]:
    content = message["content"]
    if isinstance(content, str):
        return {**message, "content": ""}
    return {**message, "content": [{**part, "text": ""} for part in content]}


def _canonical(raw: bytes) -> bytes:
    """JSON without what does not matter in it: spaces and the order of keys."""
    try:
        return msgspec.json.encode(msgspec.json.decode(raw), order="sorted")
    except (ValueError, OverflowError, RecursionError):
        return raw  # numbers beyond what can be read are compared as they are written


def _add(told: "hashlib.blake2b", data: bytes) -> None:
    """With its length, so that no two sequences run together into the same bytes."""
    told.update(len(data).to_bytes(8, "big"))
    told.update(data)
