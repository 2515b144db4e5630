"""``response_cache``: the answer that was given to the same question, or nearly the same, is given again."""

import asyncio
import math
import time
import unicodedata
from collections.abc import Awaitable, Callable, Mapping
from typing import Self, TypeVar

import msgspec

from pointsman.cache.admission import Refusal
from pointsman.cache.answers import Answers
from pointsman.cache.controls import HEADER, Controls, controls_of
from pointsman.cache.flights import Flight
from pointsman.cache.news import Kind, News, Tell, untold
from pointsman.cache.question import Question, question_of
from pointsman.cache.recorder import Recording
from pointsman.cache.replay import Form, Replay, replay, tells_usage
from pointsman.cache.scope import Scope, Sharing, sharing
from pointsman.cache.veto import Check, differ, marks_of
from pointsman.core import headers as names
from pointsman.core.answer import AnswerWork, chained
from pointsman.core.request import ChatRequest, Dialect
from pointsman.plugins.draft import Draft
from pointsman.plugins.encoder import TextEncoder
from pointsman.stores.entry import Entry, Meaning, Near

T = TypeVar("T")

MOST_CANDIDATES = 8
"""Similar questions whose words are compared."""
LONGEST_QUESTION = 500
"""Characters of a question that can hit by meaning: of a longer one the encoder may not read all."""
_CREDENTIALS = ("authorization", "x-api-key", "api-key")
_CIRCUMSTANCES = (
    "openai-organization",
    "openai-project",
    "openai-beta",
    "anthropic-beta",
    "anthropic-version",
)
_NONE = "none"


class Rules(msgspec.Struct, frozen=True):
    """What the document says."""

    mode: str = "semantic"
    scope: Scope = Scope.USER
    anonymous: bool = True
    """Whether requests of nobody known share answers."""
    threshold: float = 0.8
    """Least cosine of a hit."""
    check: Check = Check.STRICT
    ttl_s: float = 3600.0
    """0 keeps answers until they must leave."""
    stored: bool = True
    """Whether answers of this decision may be kept."""
    header: str = HEADER
    directives: frozenset[str] = frozenset()
    """What clients may ask for in the header."""
    max_ttl_s: float | None = None
    """Longest time a client may ask for; ``None`` is the time of the document."""
    largest: int = 262_144
    """Bytes of an answer."""
    timeout_s: float = 0.25
    """For the store and the encoder, together, before the request goes on without them."""
    wait_s: float = 0.25
    """How long a request waits for another one with the same question."""


class Asking(msgspec.Struct, frozen=True):
    """A request that may have been answered before."""

    request: ChatRequest
    """As the client sent it."""
    draft: Draft
    """As the model would get it."""
    recipe: str = ""
    path: str = ""
    """Request path with its query."""
    guarded: bool = False
    """Whether a guard found something in the request, or could not look."""
    created: int = 0
    """Unix time for an answer given again."""


class Recalled(msgspec.Struct, frozen=True):
    """What the cache says: an answer, or how to keep the model's."""

    headers: Mapping[str, str] = {}
    """For the client, whatever answers."""
    similarity: float = 0.0
    """Of the nearest question; 1 for the same one."""
    reply: Replay | None = None
    note: str = ""
    """What happened, for people."""
    recording: Recording | None = None

    def recorded(self, draft: Draft) -> Draft:
        """The draft whose answer is listened to after everything that changes it."""
        if self.recording is None:
            return draft.noted(self.note) if self.note else draft
        work = msgspec.structs.replace(self.recording, inner=chained(draft.answers))
        return msgspec.structs.replace(draft.noted(self.note), answers=(work,))

    def told(self, *, debug: bool) -> Mapping[str, str]:
        """Headers for the client; ``debug``: asked for more."""
        if not debug or not self.headers:
            return self.headers
        return {**self.headers, names.CACHE_SIMILARITY: f"{self.similarity:.4f}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Nobody waits for a request that did not get on its way."""
        if error is not None and self.recording is not None:
            self.recording.ended()


class _Found(msgspec.Struct, frozen=True):
    """How a look at the cache ended."""

    entry: Entry | None = None
    similarity: float = 0.0
    how: str = ""
    flight: Flight | None = None


class ResponseCache(msgspec.Struct, frozen=True):
    """Answers a decision's requests from the cache, and keeps the answers of its models.

    It never makes a request fail: what the store or the encoder cannot say in time is a miss.
    """

    answers: Answers
    encoder: TextEncoder
    engine: str
    """Identity of the encoder: vectors of another one are never compared with its own."""
    rules: Rules = Rules()
    decision: str = ""
    fingerprint: str = ""
    """Of everything in the document that can change an answer."""
    tell: Tell = untold
    now: Callable[[], float] = time.time
    type: str = "response_cache"

    async def recall(self, asking: Asking) -> Recalled:
        """Look for an answer; without one, see that the model's is kept."""
        controls = self._controls(asking)
        group = sharing(self.rules.scope, asking.request.identity, anonymous=self.rules.anonymous)
        reason = _bypassed(asking, controls, group)
        question = None if reason or group is None else self._question(asking, group)
        if question is None or group is None:
            reason = reason or "unreadable"
            self._say(Kind.BYPASS, reason)
            return Recalled({names.CACHE_SCOPE: _NONE}, note=f"cache: not asked ({reason})")
        headers = {names.CACHE_SCOPE: group.name}
        form = _form(asking)
        found = await self._find(question, form, controls)
        if found.entry is None:
            self._say(Kind.MISS)
            recording = self._recording(question, controls, found.flight)
            return Recalled(headers, found.similarity, None, "cache: miss", recording)
        self._say(Kind.HIT, found.how)
        await self._within(self.answers.store.used(found.entry))
        return Recalled(
            {**headers, names.CACHE_HIT: "true"},
            found.similarity,
            replay(found.entry.answer, form, created=asking.created),
            f"cache: hit ({found.how}, {found.similarity:.3f})",
        )

    def _controls(self, asking: Asking) -> Controls:
        if not self.rules.directives:
            return Controls(write=self.rules.stored)
        asked = controls_of(asking.draft.received.get(self.rules.header, ""), self.rules.directives)
        return asked if self.rules.stored else msgspec.structs.replace(asked, write=False)

    def _question(self, asking: Asking, group: Sharing) -> Question | None:
        draft, target = asking.draft, asking.draft.selection.candidate.target
        received = draft.received
        own = any(name in target.headers for name in _CREDENTIALS)
        apart = (
            "answers/1",
            *(str(len(group.members)), *group.members),
            asking.recipe,
            self.decision,
            self.fingerprint,
            asking.request.dialect,
            draft.request.dialect,
            asking.path.partition("?")[2],
            asking.request.model,
            target.name,
            target.wire_name,
            target.provider,
            *(received.get(name, "") for name in _CIRCUMSTANCES),
            # Who may ask the engine is the engine's to say, unless we ask it with a key of our own.
            *("" if own else received.get(name, "") for name in _CREDENTIALS),
        )
        return question_of(draft.unmasked or draft.body, apart)

    async def _find(self, question: Question, form: Form, controls: Controls) -> _Found:
        """Look, wait for a request on its way with the same question, look again, start on the way."""
        flights, key = self.answers.flights, (question.partition, question.digest)
        found = await self._exact(question, form, controls)
        if found.entry is not None:
            return found
        running = flights.running(key) if controls.read and self.rules.wait_s > 0 else None
        if running is not None:
            ended = await running.wait(self.rules.wait_s)
            self._say(Kind.WAITED, "ended" if ended else "in_vain")
            found = await self._exact(question, form, controls)
            if found.entry is not None:
                return found
        flight = flights.start(key, instead=running) if controls.read and controls.write else None
        try:
            found = await self._similar(question, form, controls)
        except BaseException:
            if flight is not None:
                flight.end()
            raise
        if found.entry is not None and flight is not None:
            flight.end()
            return found
        return msgspec.structs.replace(found, flight=flight)

    async def _exact(self, question: Question, form: Form, controls: Controls) -> _Found:
        if not controls.read:
            return _Found()
        entry = await self._within(self.answers.store.exact(question.partition, question.digest))
        if entry is None or not self._fits(entry, form, controls):
            return _Found()
        return _Found(entry, 1.0, "exact")

    async def _similar(self, question: Question, form: Form, controls: Controls) -> _Found:
        if not controls.read or not self._comparable(question):
            return _Found()
        nearest = await self._within(self._nearest(question))
        if not nearest:
            return _Found()
        best = nearest[0].similarity
        asked = marks_of(question.text)
        for near in nearest:
            if near.similarity < self.rules.threshold:
                break
            if not self._fits(near.entry, form, controls):
                continue
            veto = differ(asked, marks_of(near.entry.text), self.rules.check)
            if veto is None:
                return _Found(near.entry, near.similarity, "semantic")
            self._say(Kind.VETO, veto)
        return _Found(similarity=best)

    async def _nearest(self, question: Question) -> tuple[Near, ...]:
        meaning = await self._meaning(question)
        return await self.answers.store.nearest(question.partition, meaning, most=MOST_CANDIDATES)

    async def _meaning(self, question: Question) -> Meaning:
        return Meaning(self.engine, await self.encoder.embed(question.text))

    def _comparable(self, question: Question) -> bool:
        read = unicodedata.normalize("NFKC", question.text) if self.rules.mode != "exact" else ""
        return 0 < len(read) <= LONGEST_QUESTION

    def _fits(self, entry: Entry, form: Form, controls: Controls) -> bool:
        if controls.max_age_s is not None and self.now() - entry.created >= controls.max_age_s:
            return False
        return not form.counted or tells_usage(entry.answer)

    def _recording(self, question: Question, controls: Controls, flight: Flight | None) -> Recording | None:
        ended = flight.end if flight is not None else _nothing
        ttl_s = self._ttl_s(controls)
        if not controls.write or ttl_s <= 0:
            self._say(Kind.REFUSED, Refusal.ASKED)
            ended()
            return None

        async def keep(answer: bytes) -> None:
            await self._within(self._keep(question, answer, ttl_s))

        return Recording(
            keep, lambda refusal: self._say(Kind.REFUSED, refusal), ended, limit=self.rules.largest
        )

    def _ttl_s(self, controls: Controls) -> float:
        usual = self.rules.ttl_s or math.inf
        if controls.ttl_s is None:
            return usual
        return min(controls.ttl_s, usual if self.rules.max_ttl_s is None else self.rules.max_ttl_s)

    async def _keep(self, question: Question, answer: bytes, ttl_s: float) -> None:
        comparable = self._comparable(question)
        now = self.now()
        entry = Entry(
            partition=question.partition,
            question=question.digest,
            text=question.text if comparable else "",
            answer=answer,
            created=now,
            expires=now + ttl_s,
            meaning=await self._meaning(question) if comparable else None,
        )
        left = await self.answers.store.put(entry)
        self._say(Kind.STORED)
        for reason, count in left.items():
            if count:
                self.tell(News(Kind.LEFT, self.decision, reason, count))

    async def _within(self, work: Awaitable[T]) -> T | None:
        """What comes of it in time; a failure is counted and costs nothing but the hit."""
        try:
            async with asyncio.timeout(self.rules.timeout_s):
                return await work
        except TimeoutError:
            self._say(Kind.FAILED, "timeout")
        except Exception:  # noqa: BLE001  # whatever a store does, the request goes on
            self._say(Kind.FAILED, "error")
        return None

    def _say(self, kind: Kind, detail: str = "") -> None:
        self.tell(News(kind, self.decision, str(detail)))


def only_listening(answers: tuple[AnswerWork, ...]) -> bool:
    """Whether nothing but a cache sees the answer, which may pass without it."""
    return len(answers) == 1 and isinstance(answers[0], Recording) and answers[0].inner is None


def _bypassed(asking: Asking, controls: Controls, group: Sharing | None) -> str:
    """Why the cache is not asked; empty when it is."""
    draft = asking.draft
    if not controls.read and not controls.write:
        return "asked"
    if draft.request.dialect is not Dialect.OPENAI_CHAT:
        return "protocol"
    if group is None:
        return "anonymous"
    if asking.guarded:
        return "guarded"
    if draft.unmasked is not None and not group.personal:
        return "personal"
    return ""


def _form(asking: Asking) -> Form:
    messages = asking.request.dialect is Dialect.ANTHROPIC_MESSAGES
    stream = asking.request.stream
    options = asking.draft.body.get("stream_options") if stream else None
    usage = messages or (isinstance(options, dict) and options.get("include_usage") is True)
    return Form(stream=stream, usage=usage, messages=messages)


def _nothing() -> None:
    """Nobody waits."""
