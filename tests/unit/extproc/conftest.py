"""A router that says what it is told to, and builders of ext_proc messages."""

import asyncio
from dataclasses import dataclass, field

import pytest

from pointsman.core.errors import HttpError
from pointsman.core.request import Head
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward, Reply, Verdict
from pointsman.dialects.errors import error_reply
from pointsman.transports.extproc.admission import Admission
from pointsman.transports.extproc.events import ErrorKind, Events, Fate
from pointsman.transports.extproc.exchange import Exchange
from pointsman.transports.extproc.handover import Handover
from pointsman.transports.extproc.ruling import Limits
from pointsman.transports.wire import extproc_pb2 as pb

BODY_MODES = pb.ProcessingMode


@dataclass
class ScriptedRouter:
    """Answers every request with ``verdict`` and remembers what it was asked."""

    verdict: Verdict = field(default_factory=lambda: Forward("pool"))
    previewed: Reply | None = None
    hang: bool = False
    defect: Exception | None = None
    refusal_defect: Exception | None = None
    bodies: list[bytes] = field(default_factory=list)
    heads: list[Head] = field(default_factory=list)

    def preview(self, head: Head, *, managed: bool) -> Reply | None:
        """The scripted early answer."""
        del managed
        self.heads.append(head)
        return self.previewed

    async def route(self, head: Head, body: bytes) -> Ruling:
        """The scripted verdict, or hanging, or a defect."""
        self.bodies.append(body)
        if self.hang:
            await asyncio.Event().wait()
        if self.defect is not None:
            raise self.defect
        return Ruling(self.verdict, Trace(request_id=head.request_id))

    def refuse(self, head: Head, error: HttpError) -> Ruling:
        """The common error shape."""
        if self.refusal_defect is not None:
            raise self.refusal_defect
        return Ruling(error_reply(error), Trace(request_id=head.request_id, error=error.message))


@dataclass
class Witness:
    """Remembers every event."""

    rulings: list[Ruling] = field(default_factory=list)
    responses: list[tuple[str, int]] = field(default_factory=list)
    errors: list[ErrorKind] = field(default_factory=list)
    causes: list[BaseException | None] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)

    @property
    def events(self) -> Events:
        """Callbacks that write here."""

        def on_error(kind: ErrorKind, exc: BaseException | None) -> None:
            self.errors.append(kind)
            self.causes.append(exc)

        return Events(
            on_ruling=lambda _head, ruling: self.rulings.append(ruling),
            on_response=lambda request_id, status, _duration: self.responses.append((request_id, status)),
            on_error=on_error,
            on_answer=self.fates.append,
        )


class Say:
    """Builders of ProcessingRequests, as Envoy would send them."""

    @staticmethod
    def headers(
        *pairs: tuple[str, str], method: str = "POST", path: str = "/v1/chat/completions", end: bool = False
    ) -> pb.ProcessingRequest:
        """Request headers."""
        message = pb.ProcessingRequest()
        message.request_headers.end_of_stream = end
        for key, value in ((":method", method), (":path", path), ("x-request-id", "r-1"), *pairs):
            message.request_headers.headers.headers.add(key=key, raw_value=value.encode())
        return message

    @staticmethod
    def body(data: bytes = b"{}", *, end: bool = True) -> pb.ProcessingRequest:
        """One request body message."""
        message = pb.ProcessingRequest()
        message.request_body.body = data
        message.request_body.end_of_stream = end
        return message

    @staticmethod
    def trailers() -> pb.ProcessingRequest:
        """Request trailers."""
        return pb.ProcessingRequest(request_trailers=pb.HttpTrailers())

    @staticmethod
    def response_headers(status: str = "200", **named: str) -> pb.ProcessingRequest:
        """Response headers; ``content_type=...`` and the like add more."""
        message = pb.ProcessingRequest()
        for name, value in named.items():
            message.response_headers.headers.headers.add(key=name.replace("_", "-"), raw_value=value.encode())
        message.response_headers.headers.headers.add(key=":status", raw_value=status.encode())
        return message

    @staticmethod
    def response_body(data: bytes = b"x", *, end: bool = True) -> pb.ProcessingRequest:
        """One response body message."""
        message = pb.ProcessingRequest()
        message.response_body.body = data
        message.response_body.end_of_stream = end
        return message

    @staticmethod
    def response_trailers() -> pb.ProcessingRequest:
        """Response trailers."""
        return pb.ProcessingRequest(response_trailers=pb.HttpTrailers())

    @staticmethod
    def with_modes(
        message: pb.ProcessingRequest, request_body: int, response_body: int = BODY_MODES.NONE
    ) -> pb.ProcessingRequest:
        """``message`` telling the body modes, as the first one of a stream does."""
        message.protocol_config.request_body_mode = request_body
        message.protocol_config.response_body_mode = response_body
        return message


class Kit:
    """What a test of the conversation needs."""

    say = Say
    router = ScriptedRouter

    @staticmethod
    def exchange(
        router: ScriptedRouter,
        *,
        managed: bool = False,
        seen: Witness | None = None,
        admission: Admission | None = None,
        handover: Handover | None = None,
        max_body: int = 1_000_000,
        timeout_s: float = 30,
    ) -> Exchange:
        """An exchange over a scripted router."""
        return Exchange(
            router,
            managed=managed,
            limits=Limits(max_body, timeout_s),
            admission=admission or Admission(8),
            handover=handover or Handover(8),
            events=(seen or Witness()).events,
        )

    @staticmethod
    def converse(exchange: Exchange, *messages: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
        """Feed messages to an exchange; all answers, in order."""

        async def feed() -> list[pb.ProcessingResponse]:
            answers: list[pb.ProcessingResponse] = []
            for message in messages:
                answers.extend(await exchange.feed(message.SerializeToString()))
            return answers

        return asyncio.run(feed())


@pytest.fixture(scope="session")
def kit() -> type[Kit]:
    """Builders and drivers of conversations."""
    return Kit


@pytest.fixture
def witness() -> Witness:
    """Remembers events."""
    return Witness()
