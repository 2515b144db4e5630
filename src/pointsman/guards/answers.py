"""Taking an answer apart into its lanes, having each worked on, and putting the answer together again."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from pointsman.core import headers as names
from pointsman.core.errors import BadAnswer
from pointsman.core.header_edits import HeaderEdits
from pointsman.dialects import sse
from pointsman.guards.events import DONE, Splitter, named, payload, with_payload
from pointsman.guards.lanes import Lane, Slot, ended, slots_of
from pointsman.guards.response_lanes import cut_response, forget_response_logprobs

LIMIT = 1 << 20
"""Bytes of one event."""
WHOLE_LIMIT = 32 << 20
"""Bytes of an answer that is no stream."""
MOST_LANES = 512
"""Texts that grow in one answer: choices, and tool calls in them."""


class LaneWork(Protocol):
    """What is done to one lane. It may hold back text, which must be bounded."""

    async def feed(self, text: str) -> str:
        """What may be sent now."""

    async def flush(self) -> str:
        """The rest: nothing follows."""


class Cut(Exception):  # no error: the answer ends here, in good order
    """The answer ends here; ``message`` is what the client reads last."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class Treatment(Protocol):
    """What an answer goes through."""

    @property
    def guarding(self) -> bool:
        """Whether what cannot be read must not pass, and only 2xx answers are looked at."""

    @property
    def objected(self) -> bool:
        """Whether something was found that a model should not have said, so far."""

    def lane(self, *, quoted: bool) -> LaneWork:
        """The work on a new lane; ``quoted``: its text is JSON."""

    async def whole(self, document: Any) -> Any:
        """A whole JSON answer, decoded, after the treatment."""

    def last_words(self) -> list[str]:
        """Warnings the client is given with the end of the answer."""

    def finished(self) -> None:
        """The answer ended and nothing was in the way."""


class _Open(msgspec.Struct):
    """A lane that may still grow."""

    work: LaneWork
    event: Callable[[str], dict[str, Any]]


class AnswerEditor:
    """An ``AnswerFilter`` that applies one treatment."""

    def __init__(self, treatment: Treatment) -> None:
        self._treatment = treatment
        self._passing = False
        self._stream = False
        self._whole = bytearray()
        self._splitter = Splitter(LIMIT)
        self._lanes: dict[Lane, _Open] = {}
        self._model: dict[str, Any] = {}
        self._response: dict[str, Any] = {}
        self._over = False

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:
        """Nothing is known yet that a header could tell, except that the length will differ."""
        self._passing = self._treatment.guarding and not 200 <= status < 300
        self._stream = headers.get("content-type", "").strip().lower().startswith("text/event-stream")
        return HeaderEdits() if self._passing else HeaderEdits(remove=("content-length",))

    @property
    def altered(self) -> bool:
        """Whether the treatment found something to object to."""
        return self._treatment.objected

    def late(self) -> HeaderEdits:
        """Warnings of a whole answer, whose headers may still be held back."""
        warnings = [] if self._passing else self._treatment.last_words()
        return HeaderEdits({names.RESPONSE_WARNINGS: ",".join(warnings)}) if warnings else HeaderEdits()

    async def feed(self, data: bytes, *, end: bool) -> bytes:
        """Take the next piece. Raises ``HttpError`` when a guard refuses an answer or cannot read it."""
        if self._passing:
            return data
        if not self._stream:
            return await self._collected(data, end=end)
        out: list[bytes] = []
        try:
            for event in self._splitter.feed(data):
                if self._over:
                    return b"".join(out)
                out.append(await self._event(event))
            if end and not self._over:
                out += [await self._closing(), self._unread(self._splitter.rest())]
                self._over = True
                self._treatment.finished()
        except Cut as cut:
            self._over = True
            self._lanes.clear()
            out.append(self._ending(cut.message))
        return b"".join(out)

    async def _collected(self, data: bytes, *, end: bool) -> bytes:
        if len(self._whole) + len(data) > WHOLE_LIMIT:
            raise BadAnswer(f"the model's answer is larger than {WHOLE_LIMIT} bytes")
        self._whole += data
        if not end:
            return b""
        raw = bytes(self._whole)
        self._whole.clear()
        try:
            document = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            document = None
        if document is None:
            return self._unread(raw)
        after = await self._treatment.whole(document)
        warnings = self._treatment.last_words()
        self._treatment.finished()
        if warnings and isinstance(after, dict):
            after = {**after, "x_vsr_response_warnings": warnings}
        return raw if after is document else msgspec.json.encode(after)

    def _unread(self, raw: bytes) -> bytes:
        """Bytes that are no answer we know; a guard does not let them pass."""
        if self._treatment.guarding and raw.strip():
            raise BadAnswer("the model's answer cannot be read, so it cannot be checked")
        return raw

    async def _event(self, event: bytes) -> bytes:
        data = payload(event)
        if data is None:
            return event if not self._splitter.overflow else self._unread(event)
        if data == DONE:
            return await self._closing() + self._warned() + event
        try:
            document = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            document = None
        if not isinstance(document, dict):
            return self._unread(event)
        return await self._edited(event, document)

    async def _edited(self, event: bytes, document: dict[str, Any]) -> bytes:
        self._remember(document)
        out: list[bytes] = []
        changed = dropped = False
        slots = {slot.lane: slot for slot in slots_of(document)}
        for slot in slots.values():
            before = slot.text
            opened = self._opened(slot)
            out += [await self._flushed(lane) for lane in self._beside(slot.lane)]
            slot.container[slot.field] = after = await opened.work.feed(before)
            changed |= after != before
            dropped |= bool(before) and not after and slot.alone
        for group in ended(document):
            for lane in [lane for lane in self._lanes if lane[0] == group]:
                rest = await self._closed(lane)
                if lane in slots:
                    slots[lane].container[slots[lane].field] += rest[0]
                    changed |= bool(rest[0])
                elif rest[0]:
                    out.append(_written(rest[1](rest[0])))
        if changed and self._treatment.guarding:
            _forget_logprobs(document)
        if document.get("type") == "message_stop":
            out.append(await self._closing())
        if not (dropped and len(slots) == 1):
            out.append(with_payload(event, msgspec.json.encode(document)) if changed else event)
        return b"".join(out)

    def _remember(self, document: dict[str, Any]) -> None:
        """What further events of this answer need."""
        if "choices" in document:
            self._model = {
                key: document[key] for key in ("id", "object", "created", "model") if key in document
            }
        if isinstance(document.get("response"), dict):
            self._response = document["response"]

    def _opened(self, slot: Slot) -> _Open:
        opened = self._lanes.get(slot.lane)
        if opened is None:
            if len(self._lanes) >= MOST_LANES:
                raise BadAnswer(f"the model's answer has more than {MOST_LANES} texts at once")
            opened = self._lanes[slot.lane] = _Open(self._treatment.lane(quoted=slot.quoted), slot.event)
        opened.event = slot.event
        return opened

    def _beside(self, lane: Lane) -> list[Lane]:
        """Lanes of the same group: text moves on from one to the next, and its order is kept."""
        return [other for other in self._lanes if other[0] == lane[0] and other != lane]

    async def _flushed(self, lane: Lane) -> bytes:
        text, event = await self._closed(lane)
        return _written(event(text)) if text else b""

    async def _closed(self, lane: Lane) -> tuple[str, Callable[[str], dict[str, Any]]]:
        opened = self._lanes[lane]
        text = await opened.work.flush()
        del self._lanes[lane]
        return text, opened.event

    async def _closing(self) -> bytes:
        """What all lanes held back."""
        return b"".join([await self._flushed(lane) for lane in list(self._lanes)])

    def _warned(self) -> bytes:
        warnings = self._treatment.last_words()
        if not warnings:
            return b""
        document = {**self._model, "choices": [], "x_vsr_response_warnings": warnings}
        return sse.event(msgspec.json.encode(document))

    def _ending(self, message: str) -> bytes:
        """The end of a stream that is cut, in the format it has."""
        if self._response:
            return _written(cut_response(self._response, message))
        if not self._model:
            return b"".join(map(_written, _anthropic_end(message)))
        text = self._model.get("object") == "text_completion"
        said = {"text": message} if text else {"delta": {"content": message}}
        choice = {"index": 0, **said, "finish_reason": "content_filter", "logprobs": None}
        return _written({**self._model, "choices": [choice]}) + sse.DONE


def _anthropic_end(message: str) -> list[dict[str, Any]]:
    index = 1 << 10
    return [
        {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": message}},
        {"type": "content_block_stop", "index": index},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "refusal", "stop_sequence": None},
            "usage": {"output_tokens": 0},
        },
        {"type": "message_stop"},
    ]


def _written(document: dict[str, Any]) -> bytes:
    return named(document) + sse.event(msgspec.json.encode(document))


def _forget_logprobs(document: dict[str, Any]) -> None:
    """Token by token they say what is held back."""
    forget_response_logprobs(document)
    for choice in document.get("choices") or ():
        if isinstance(choice, dict) and choice.get("logprobs"):
            choice["logprobs"] = None


async def each_slot(document: Any, work: Callable[[Slot], Awaitable[str]]) -> Any:
    """A whole answer with each text replaced by what ``work`` gives; the same object when nothing differs."""
    if not isinstance(document, dict):
        return document
    changed = False
    for slot in list(slots_of(document)):
        before = slot.text
        after = await work(slot)
        changed |= after != before
        slot.container[slot.field] = after
    return {**document} if changed else document
