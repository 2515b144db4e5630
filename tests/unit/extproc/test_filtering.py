"""One answer through its filter, without a data plane."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.errors import RequestError
from pointsman.core.request import Head
from pointsman.core.verdict import HeaderEdits
from pointsman.transports.extproc.events import Fate
from pointsman.transports.extproc.filtering import Bounds, Filtering, Step
from pointsman.transports.extproc.handover import Job

_CHAT = Head("POST", "/v1/chat/completions", {})
_EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
_JSON = {"content-type": "application/json"}


class _Filter:
    """Doubles every byte; ``plan`` says what happens at the headers (0) and at each piece."""

    def __init__(self, plan: Mapping[int, Any]) -> None:
        self._plan = plan
        self._turn = 0
        self.pieces: list[tuple[bytes, bool]] = []

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:  # noqa: ARG002  # the port
        await self._next()
        return HeaderEdits({"x-seen": str(status)}, ("x-gone",))

    async def feed(self, data: bytes, *, end: bool) -> bytes:
        self.pieces.append((data, end))
        out = await self._next()
        return bytes(byte for byte in data for _ in range(2)) if out is None else out

    async def _next(self) -> bytes | None:
        turn, self._turn = self._turn, self._turn + 1
        what = self._plan.get(turn)
        if isinstance(what, Exception):
            raise what
        if what == "hang":
            await asyncio.Event().wait()
        return what


class _Bench:
    """A filtering with everything it tells."""

    def __init__(self, plan: Mapping[int, Any] | None = None, head: Head = _CHAT, **bounds: Any) -> None:
        self.filter = _Filter(plan or {})
        self.fates: list[Fate] = []
        self.defects: list[BaseException] = []
        self.filtering = Filtering(
            Job(head, lambda: self.filter),
            Bounds(**bounds),
            tell=self.fates.append,
            report=self.defects.append,
        )

    def run(
        self, headers: Mapping[str, str], *pieces: bytes, status: int = 200, whole: bool = True
    ) -> list[Step]:
        """Everything the answer makes; ``whole``: the last piece ends it."""

        async def feed() -> list[Step]:
            steps = [await self.filtering.begin(status, headers, end=False)]
            for index, piece in enumerate(pieces):
                end = whole and index == len(pieces) - 1
                steps.append(await self.filtering.feed(piece, end=end))
            return steps

        return asyncio.run(feed())


def test_headers_wait_for_the_first_byte() -> None:
    """A stream's headers go with its first output, without the length; later pieces bring none."""
    bench = _Bench({1: b""})
    begun, silent, first, last = bench.run(_EVENTS, b"a", b"b", b"c")
    assert (begun, silent) == (Step(), Step())
    assert first.edits == HeaderEdits({"x-seen": "200"}, ("x-gone", "content-length"))
    assert (first.body, last) == (b"bb", Step(None, b"cc", end=True))
    assert bench.fates == [Fate.FILTERED]


@given(st.binary(max_size=50), st.lists(st.integers(0, 50), max_size=6))
def test_json_reaches_the_filter_in_one_piece(body: bytes, cuts: list[int]) -> None:
    """However the engine's bytes are cut, a filter sees a document whole and once."""
    marks = sorted(min(cut, len(body)) for cut in cuts)
    pieces = [body[start:end] for start, end in zip([0, *marks], [*marks, len(body)], strict=True)]
    bench = _Bench()
    *_, last = bench.run(_JSON, *pieces)
    assert bench.filter.pieces == [(body, True)]
    assert (last.body, last.end) == (bytes(byte for byte in body for _ in range(2)), True)


def test_a_document_over_the_bound_is_given_up() -> None:
    """At the bound it passes, one byte over it is a 502, and what still comes is swallowed."""
    assert _Bench(max_bytes=4).run(_JSON, b"12", b"34")[-1].body == b"11223344"
    bench = _Bench(max_bytes=4)
    *_, failed, after = bench.run(_JSON, b"123", b"45", b"6")
    assert failed.reply is not None
    assert (failed.reply.status, after, bench.fates) == (502, Step(end=True), [Fate.TOO_LARGE])


def test_a_stream_has_no_bound_of_its_own() -> None:
    """Only what is held back is bounded; an event stream passes."""
    assert _Bench(max_bytes=4).run(_EVENTS, b"123", b"456")[-1].body == b"445566"


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("headers", [_JSON, _EVENTS])
def test_a_failure_before_the_first_byte_has_a_status(headers: Mapping[str, str], turn: int) -> None:
    """A defect is a 502 that names no details; the details go to our own log."""
    bench = _Bench({turn: ValueError("secret")})
    step = next(step for step in bench.run(headers, b"x") if step.reply)
    assert step.reply is not None
    assert (step.reply.status, b"secret" in step.reply.body) == (502, False)
    assert (bench.fates, [str(each) for each in bench.defects]) == ([Fate.FAILED], ["secret"])


def test_a_filter_that_refuses_is_quoted() -> None:
    """An ``HttpError`` reaches the client as it is and is no defect."""
    bench = _Bench({1: RequestError("not this")})
    *_, step = bench.run(_JSON, b"x")
    assert step.reply is not None
    assert (step.reply.status, json.loads(step.reply.body)["error"]["message"]) == (400, "not this")
    assert (bench.fates, bench.defects) == ([Fate.REFUSED], [])


def test_a_failure_halfway_is_an_event_and_the_end() -> None:
    """In the middle of a stream the error is an event; every later byte is swallowed."""
    bench = _Bench({2: ValueError("x")})
    *_, failed, after = bench.run(_EVENTS, b"a", b"b", b"c")
    error, done = failed.body.strip().split(b"\n\n")
    assert json.loads(error.removeprefix(b"data: "))["error"]["code"] == 502
    assert (done, failed.end, after) == (b"data: [DONE]", True, Step(end=True))


@pytest.mark.parametrize("turn", [0, 1])
def test_a_filter_that_hangs_is_given_up(turn: int) -> None:
    """Each call has its time; one over it is a 502 and no defect."""
    bench = _Bench({turn: "hang"}, timeout_s=0.01)
    step = next(step for step in bench.run(_JSON, b"x") if step.reply)
    assert step.reply is not None
    assert (step.reply.status, bench.fates, bench.defects) == (502, [Fate.TIMEOUT], [])


def test_a_filters_own_timeout_is_a_defect() -> None:
    """A ``TimeoutError`` that is not our deadline's is the filter's own fault."""
    bench = _Bench({1: TimeoutError("its own")})
    bench.run(_JSON, b"x")
    assert bench.fates == [Fate.FAILED]


@pytest.mark.parametrize(
    ("coding", "fate"), [("gzip", Fate.UNREADABLE), ("Identity", Fate.FILTERED), ("", Fate.FILTERED)]
)
def test_a_compressed_answer_does_not_pass(coding: str, fate: Fate) -> None:
    """What cannot be read cannot be checked; an engine asked for plain bytes has no reason to compress."""
    bench = _Bench()
    bench.run({**_JSON, "content-encoding": coding}, b"x")
    assert bench.fates == [fate]


def test_bytes_before_their_headers_do_not_pass() -> None:
    """A data plane that skips the headers phase gets an error, never the bytes."""
    bench = _Bench()
    step = asyncio.run(bench.filtering.feed(b"x", end=True))
    assert step.reply is not None
    assert (step.reply.status, step.body) == (502, b"")


def test_an_answer_without_a_body_may_get_one() -> None:
    """A filter that has something to say about an empty answer says it, under the answer's status."""
    bench = _Bench({1: b"{}"})
    step = asyncio.run(bench.filtering.begin(404, _JSON, end=True))
    assert step.reply is not None
    assert (step.reply.status, step.reply.body) == (404, b"{}")
    assert step.reply.headers == {"content-type": "application/json", "x-seen": "404"}


def test_an_answer_that_ends_early_is_abandoned() -> None:
    """A stream that is closed before its end is counted once, as abandoned."""
    bench = _Bench()
    bench.run(_EVENTS, b"a", whole=False)
    bench.filtering.leave()
    bench.filtering.leave()
    assert bench.fates == [Fate.ABANDONED]


def test_anthropic_clients_get_their_own_errors() -> None:
    """Reply and event have the shape of the API the client speaks."""
    head = msgspec.structs.replace(_CHAT, path="/v1/messages")
    step = next(step for step in _Bench({0: ValueError("x")}, head).run(_JSON) if step.reply)
    assert step.reply is not None
    assert json.loads(step.reply.body)["type"] == "error"
    *_, failed = _Bench({2: ValueError("x")}, head).run(_EVENTS, b"a", b"b")
    assert failed.body.strip().startswith(b"event: error\ndata: ")


class _Deaf:
    """A listener that breaks at a given piece."""

    def __init__(self, at: int) -> None:
        self._left = at

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:  # noqa: ARG002  # the port
        return HeaderEdits()

    async def feed(self, data: bytes, *, end: bool) -> bytes:  # noqa: ARG002  # the port
        self._left -= 1
        if self._left < 0:
            raise ValueError("a defect")
        return data


@pytest.mark.parametrize(
    ("headers", "bounds", "at", "fate"),
    [
        (_EVENTS, Bounds(), 1, Fate.FAILED),
        (_EVENTS, Bounds(), 9, Fate.FILTERED),
        (_JSON, Bounds(), 0, Fate.FAILED),
        (_JSON, Bounds(max_bytes=5), 9, Fate.TOO_LARGE),
        ({**_JSON, "content-encoding": "gzip"}, Bounds(), 9, Fate.UNREADABLE),
    ],
)
def test_an_answer_that_is_only_listened_to_always_passes(
    headers: dict[str, str], bounds: Bounds, at: int, fate: Fate
) -> None:
    """Whatever happens to a listener, the client gets every byte, once and in order."""
    fates: list[Fate] = []
    job = Job(_CHAT, lambda: _Deaf(at), listening=True)
    filtering = Filtering(job, bounds, tell=fates.append, report=lambda _: None)

    async def run() -> None:
        pieces = [b"one ", b"two ", b"three"]
        steps = [await filtering.begin(200, headers, end=False)]
        steps += [await filtering.feed(piece, end=piece == pieces[-1]) for piece in pieces]
        assert b"".join(step.body for step in steps) == b"".join(pieces)
        assert [step.edits is not None for step in steps].count(True) == 1
        assert all(step.reply is None for step in steps)
        assert steps[-1].end
        assert fates == [fate]

    asyncio.run(run())
