"""One HTTP request's conversation with the data plane, message by message, whatever carries the messages."""

import time
from collections.abc import Callable
from enum import IntEnum, auto

import msgspec
from google.protobuf.message import DecodeError

from pointsman.core import headers as names
from pointsman.core.errors import HttpError, RequestError, Unavailable
from pointsman.core.request import Head
from pointsman.core.router import Router
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward, HeaderEdits, Reply
from pointsman.transports.extproc import forwarding, messages
from pointsman.transports.extproc.admission import Admission
from pointsman.transports.extproc.answering import READABLE_MODES, Answering
from pointsman.transports.extproc.events import ErrorKind, Events, Fate, Quiet
from pointsman.transports.extproc.filtering import Filtering
from pointsman.transports.extproc.forwarding import Answers, Onward
from pointsman.transports.extproc.handover import Handover, Job
from pointsman.transports.extproc.intake import Intake, Progress
from pointsman.transports.extproc.messages import Arrival
from pointsman.transports.extproc.ruling import Bench, BodyTooLarge, Limits
from pointsman.transports.wire import extproc_pb2 as pb

_NOBODY = Arrival(Head("", "", {}))
_RETRY_AFTER_S = 1
_UNREADABLE = (
    "this request's answer must be filtered, and the data plane does not show it to the router; "
    "set response_body_mode to STREAMED"
)


class _Phase(IntEnum):
    """How far the request has come."""

    NEW = auto()
    BODY = auto()
    """Headers are here; the body is awaited."""
    ANSWERED = auto()
    RESPONDED = auto()
    """Response headers are answered."""


class Exchange:
    """Feed it every message in order; send what it returns; when ``done``, end the stream.

    A managed data plane is done with us once the request is answered, so that our death never cuts a running
    answer; a foreign one once its response headers are. Where a filter must see the answer, a managed data
    plane comes back with it in an ``AnswerExchange``; on a foreign one the answer passes here, to its end.
    Every message gets one answer, with two exceptions: full-duplex bodies are answered when there is
    something to say, and violations of the protocol end the stream with ``violation`` saying why.
    """

    def __init__(
        self,
        router: Router,
        *,
        managed: bool,
        limits: Limits,
        admission: Admission,
        handover: Handover,
        events: Events,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.done = False
        self.violation = ""
        self._bench = Bench(router, limits=limits, admission=admission, events=events)
        self._events = Quiet(events)
        self._handover = handover
        self._answering: Answering | None = None
        self._managed = managed
        self._clock = clock
        self._phase = _Phase.NEW
        self._arrival = _NOBODY
        self._arrived_at = 0.0
        self._config: pb.ProtocolConfiguration | None = None
        self._intake = Intake(limits.max_body_bytes, None)
        self._forward: Forward | None = None
        self._passing = False

    async def feed(self, data: bytes) -> Answers:
        """``receive`` for a serialised message; bytes that are no message end the stream."""
        try:
            message = pb.ProcessingRequest.FromString(data)
        except DecodeError as exc:
            return self._violate("not a ProcessingRequest", exc)
        return await self.receive(message)

    async def receive(self, message: pb.ProcessingRequest) -> Answers:
        """The answers to one message, in order. Raises nothing but cancellation."""
        if self.done:
            return ()
        try:
            if message.HasField("protocol_config"):
                self._config = message.protocol_config
            return await self._dispatch(message)
        except Exception as exc:  # noqa: BLE001  # a defect of ours costs this request, never the server
            if self._answering is not None:
                # A stream that ends well lets the rest of the answer pass as it is.
                return self._violate("internal error", exc)
            if self._phase >= _Phase.ANSWERED:
                self._bench.report(ErrorKind.DEFECT, exc)
                self.done = True
                return ()
            return self._reply_with(self._bench.defect(self._arrival.head, exc))

    @property
    def answered(self) -> bool:
        """Whether the request got its answer; what a foreign data plane asks later is a courtesy."""
        return self.done or self._phase >= _Phase.ANSWERED

    def leave(self) -> None:
        """The stream is over: as it should be after the answer, counted before it."""
        if not self.answered:
            self._bench.report(ErrorKind.ABANDONED)
        if self._forward is not None and not self._managed and self._phase is not _Phase.RESPONDED:
            self._forward = None
            self._events.lost(self._arrival.head.request_id)
        self.done = True
        if self._answering is not None:
            self._answering.leave()
            self._answering = None
            self._handover.leave()

    async def _dispatch(self, message: pb.ProcessingRequest) -> Answers:
        kind = message.WhichOneof("request")
        if kind == "request_headers":
            return await self._on_request_headers(message.request_headers)
        if kind == "request_body":
            return await self._on_request_body(message.request_body)
        if kind == "request_trailers":
            return await self._on_request_trailers()
        if kind is None:
            return self._violate("a message of an unknown kind")
        return await self._on_response(message)

    @property
    def _response_duplex(self) -> bool:
        config = self._config
        return config is not None and config.response_body_mode == pb.ProcessingMode.FULL_DUPLEX_STREAMED

    async def _on_request_headers(self, message: pb.HttpHeaders) -> Answers:
        if self._phase is not _Phase.NEW:
            return self._violate("request headers came twice")
        self._arrived_at = self._clock()
        self._arrival = messages.arrival_of(message)
        mode = self._config.request_body_mode if self._config is not None else None
        self._intake = Intake(self._bench.limits.max_body_bytes, mode)
        self._phase = _Phase.BODY
        reply = self._bench.router.preview(self._arrival.head, managed=self._managed)
        if reply is not None:
            return self._reply(messages.immediate(reply))
        return await self._on_accepted_headers(ended=message.end_of_stream)

    async def _on_accepted_headers(self, *, ended: bool) -> Answers:
        head = self._arrival.head
        foreign_path = not head.route_path.startswith("/v1/") or (ended and head.method != "POST")
        if foreign_path and not self._managed:
            return self._pass(ended=ended)
        if ended:
            ruling = await self._bench.rule(head, b"", self._settle)
            return self._answer(ruling, forwarding.headers_answer)
        if messages.number(head.headers.get("content-length", "")) > self._bench.limits.max_body_bytes:
            return self._too_large()
        if self._intake.duplex:
            return ()  # headers and body are answered together, once the decision is made
        # Filters after us in a foreign data plane may read the response; compressed it means nothing to them.
        return (messages.passed(self._arrival, {} if self._managed else {"accept-encoding": "identity"}),)

    def _pass(self, *, ended: bool) -> Answers:
        """Let a request go on that is another service's; its stream ends here, unless it is ours to echo."""
        self._phase = _Phase.ANSWERED
        self._passing = not ended
        self.done = not (self._intake.duplex or self._response_duplex)
        return (messages.passed(self._arrival, {}),)

    async def _on_request_body(self, message: pb.HttpBody) -> Answers:
        if self._passing and self._intake.duplex:
            self._passing = not message.end_of_stream
            return (messages.streamed(message.body, last=message.end_of_stream),)
        if self._phase is _Phase.NEW:
            return self._headerless()
        if self._phase is not _Phase.BODY:
            return self._violate("a request body after the request was answered")
        progress = self._intake.add(message)
        if progress is Progress.TOO_LARGE:
            return self._too_large()
        if progress is Progress.MORE:
            return () if self._intake.duplex else (messages.swallowed(),)
        return await self._decide(trailers=False)

    async def _on_request_trailers(self) -> Answers:
        if self._phase is _Phase.NEW:
            return self._headerless()
        if self._phase is not _Phase.BODY:
            self._passing = False
            return (messages.request_trailers_answer(),)
        if self._intake.duplex:
            return await self._decide(trailers=True)
        # Held-back chunks cannot be put back into an answer to trailers.
        error = RequestError("request trailers after a streamed body are not supported")
        return self._refuse(ErrorKind.PROTOCOL, error)

    async def _decide(self, *, trailers: bool) -> Answers:
        held = self._intake.in_pieces
        body = self._intake.body
        self._intake.release()
        ruling = await self._bench.rule(self._arrival.head, body, self._settle)

        def shape(onward: Onward) -> Answers:
            if self._intake.duplex:
                return forwarding.duplex_answer(onward, body, trailers=trailers)
            return forwarding.body_answer(onward, body if held else None)

        return self._answer(ruling, shape)

    def _settle(self, ruling: Ruling) -> Ruling:
        """Make sure that the answer will pass its filter, if it has one; otherwise refuse the request."""
        forward = ruling.verdict
        if not isinstance(forward, Forward) or forward.answer is None:
            return ruling
        job = Job(self._arrival.head, forward.answer, forward.listening)
        if self._managed:
            token = self._handover.offer(job)
            if token is None:
                return self._no_filter(ruling, Fate.NO_ROOM, _full(self._handover.limit))
            # Compressed, an answer could not be read.
            return _replaced(ruling, forward, {names.ANSWER: token, "accept-encoding": "identity"})
        mode = self._config.response_body_mode if self._config is not None else None
        if mode not in READABLE_MODES:
            return self._no_filter(ruling, Fate.UNREADABLE, Unavailable(_UNREADABLE))
        if not self._handover.enter():
            return self._no_filter(ruling, Fate.NO_ROOM, _full(self._handover.limit))
        filtering = Filtering(
            job,
            self._bench.limits.answer,
            tell=self._events.answer,
            report=lambda exc: self._bench.report(ErrorKind.DEFECT, exc),
        )
        self._answering = Answering(filtering, mode)
        return _replaced(ruling, forward, {"accept-encoding": "identity"})

    def _no_filter(self, ruling: Ruling, fate: Fate, error: HttpError) -> Ruling:
        self._events.answer(fate)
        if isinstance(ruling.verdict, Forward) and ruling.verdict.listening:
            return Ruling(msgspec.structs.replace(ruling.verdict, answer=None), ruling.trace)
        refused = self._bench.refusal(self._arrival.head, error)
        return Ruling(refused.verdict, msgspec.structs.replace(ruling.trace, error=error.message))

    def _answer(self, ruling: Ruling, shape: Callable[[Onward], Answers]) -> Answers:
        """Turn a ruling into messages; ``shape`` fits a forward to what is being answered."""
        verdict = ruling.verdict
        if not isinstance(verdict, Forward):
            return self._reply_with(ruling)
        answers = shape(Onward(verdict, self._arrival, self._managed))
        if self._managed:
            forwarding.attach_outcome(answers[0], ruling)
        self._forward = msgspec.structs.replace(verdict, body=None)  # not kept while the answer runs
        self._phase = _Phase.ANSWERED
        self.done = self._managed
        return answers

    def _reply_with(self, ruling: Ruling) -> Answers:
        """Answer with a ruling that is a reply."""
        assert isinstance(ruling.verdict, Reply)  # noqa: S101  # callers hold a reply; narrows the type
        response = messages.immediate(ruling.verdict)
        if self._managed:
            forwarding.attach_outcome(response, ruling)
        return self._reply(response)

    def _reply(self, response: pb.ProcessingResponse) -> Answers:
        self._phase = _Phase.ANSWERED
        self.done = True
        return (response,)

    def _refuse(self, kind: ErrorKind, error: HttpError) -> Answers:
        return self._reply_with(self._bench.refuse(self._arrival.head, kind, error))

    def _too_large(self) -> Answers:
        return self._refuse(ErrorKind.TOO_LARGE, BodyTooLarge(self._bench.limits.max_body_bytes))

    def _headerless(self) -> Answers:
        """Without its headers no request can be routed: refused in words for whoever configured that."""
        error = Unavailable("the data plane sends no request headers; set request_header_mode to SEND")
        return self._refuse(ErrorKind.PROTOCOL, error)

    def _violate(self, what: str, exc: BaseException | None = None) -> Answers:
        self._bench.report(ErrorKind.PROTOCOL, exc)
        self.violation = what
        self.done = True
        return ()

    async def _on_response(self, message: pb.ProcessingRequest) -> Answers:
        if self._answering is not None:
            return await self._on_filtered_response(self._answering, message)
        if message.HasField("response_headers"):
            return self._on_response_headers(message.response_headers)
        if message.HasField("response_body"):
            return (messages.response_body_answer(message.response_body, duplex=self._response_duplex),)
        return (messages.response_trailers_answer(),)

    def _on_response_headers(self, message: pb.HttpHeaders) -> Answers:
        """Response headers, also of answers the data plane made itself before or instead of asking us."""
        headers = self._contract_headers(message)
        # A duplex stream has to be echoed to its end, and a data plane too old to name its modes is served to
        # its end too; from every other one we part here, which also keeps it from buffering the response.
        duplex = self._response_duplex
        self.done = self._config is not None and not duplex
        return (messages.response_headers_answer(headers, release_body=not duplex),)

    async def _on_filtered_response(self, answering: Answering, message: pb.ProcessingRequest) -> Answers:
        if message.HasField("response_headers"):
            extra = self._contract_headers(message.response_headers)
            answers = await answering.on_headers(message.response_headers, extra)
        elif message.HasField("response_body"):
            answers = await answering.on_body(message.response_body)
        else:
            answers = await answering.on_trailers()
        self.done = answering.done
        return answers

    def _contract_headers(self, message: pb.HttpHeaders) -> dict[str, str]:
        """What we add to response headers, once."""
        headers: dict[str, str] = {}
        repeated = self._phase is _Phase.RESPONDED
        self._phase = _Phase.RESPONDED
        if repeated:
            self._bench.report(ErrorKind.PROTOCOL)
        elif self._forward is not None:
            status = messages.status_of(message)
            headers.update(self._forward.response_headers)
            if 200 <= status < 300:
                headers.update(self._forward.success_headers)
            self._bench.responded(self._arrival.head.request_id, status, self._clock() - self._arrived_at)
        return headers


def _replaced(ruling: Ruling, forward: Forward, headers: dict[str, str]) -> Ruling:
    """The same ruling with more request headers."""
    edits = HeaderEdits({**forward.headers.set, **headers}, forward.headers.remove)
    return Ruling(msgspec.structs.replace(forward, headers=edits), ruling.trace)


def _full(limit: int) -> Unavailable:
    return Unavailable(f"{limit} answers are being filtered already", retry_after=_RETRY_AFTER_S)
