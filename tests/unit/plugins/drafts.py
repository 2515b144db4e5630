"""Drafts and encoders for the tests of plugins."""

import asyncio
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from pointsman.core.model import Candidate, Selection, Target
from pointsman.core.signal import SignalSet
from pointsman.dialects import openai_chat
from pointsman.dialects.body import parse_object
from pointsman.plugins.base import Rewrite
from pointsman.plugins.draft import Draft
from pointsman.plugins.encoder import Floats, Scan

DIMENSION = 512


def function(name: str, description: str = "") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description}}


def draft(headers: Mapping[str, str] | None = None, signals: SignalSet | None = None, **fields: Any) -> Draft:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    raw = msgspec.json.encode(body)
    return Draft(
        openai_chat.understand(raw),
        parse_object(raw),
        Selection(Candidate(Target("m", "m", "m")), "single"),
        received=headers or {},
        signals=signals or SignalSet(),
    )


def applied(plugin: Rewrite, to: Draft) -> Draft:
    return asyncio.run(plugin.apply(to))


def body_of(found: Draft) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(found.body.encode())
    return decoded


class WordEncoder:
    """Vectors that count words, so that a shared word is a shared meaning."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken

    async def scan(self, text: str) -> Scan:
        raise NotImplementedError(text)

    async def embed(self, text: str) -> Floats:
        if self.broken:
            raise RuntimeError("no room")
        return self.embed_now(text)

    def embed_now(self, text: str) -> Floats:
        vector = np.zeros(DIMENSION, np.float32)
        for word in text.lower().replace(":", " ").replace(",", " ").replace(".", " ").split():
            vector[zlib.crc32(word.encode()) % DIMENSION] += 1
        return np.asarray(vector / (np.linalg.norm(vector) or 1), np.float32)
