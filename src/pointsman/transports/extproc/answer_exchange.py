"""The second conversation with our own Envoy about one request: its answer, on the way to the client."""

from google.protobuf.message import DecodeError

from pointsman.core import headers as names
from pointsman.core.errors import Unavailable
from pointsman.dialects.failures import failure_reply
from pointsman.transports.extproc import messages
from pointsman.transports.extproc.answering import Answering
from pointsman.transports.extproc.events import ErrorKind, Events, Fate, Quiet
from pointsman.transports.extproc.filtering import Bounds, Filtering
from pointsman.transports.extproc.forwarding import Answers
from pointsman.transports.extproc.handover import Handover
from pointsman.transports.wire import extproc_pb2 as pb


class AnswerExchange:
    """Same use as ``Exchange``.

    It opens with the request's headers, which name the work by its token, so that work nobody knows any more
    stops the request before an engine is asked. The stream must never end well before its answer has: Envoy
    would take that as leave to pass the rest as it is. Whatever goes wrong in the middle therefore ends it
    with ``violation``, which resets the client's stream.
    """

    def __init__(self, handover: Handover, *, bounds: Bounds, events: Events) -> None:
        self.done = False
        self.violation = ""
        self._handover = handover
        self._bounds = bounds
        self._events = Quiet(events)
        self._answering: Answering | None = None

    @property
    def answered(self) -> bool:
        """Whether the whole answer was dealt with."""
        return self.done and not self.violation

    async def feed(self, data: bytes) -> Answers:
        """The answers to one serialised message, in order. Raises nothing but cancellation."""
        if self.done:
            return ()
        try:
            return await self._dispatch(pb.ProcessingRequest.FromString(data))
        except DecodeError as exc:
            return self._violate("not a ProcessingRequest", ErrorKind.PROTOCOL, exc)
        except Exception as exc:  # noqa: BLE001  # a defect of ours costs this answer, never lets it pass
            return self._violate("internal error", ErrorKind.DEFECT, exc)

    def leave(self) -> None:
        """The stream is over."""
        self.done = True
        if self._answering is not None:
            self._answering.leave()
            self._answering = None
            self._handover.leave()

    async def _dispatch(self, message: pb.ProcessingRequest) -> Answers:
        kind = message.WhichOneof("request")
        answering = self._answering
        if kind == "request_headers" and answering is None:
            return self._claim(message.request_headers)
        if answering is None or kind not in {"response_headers", "response_body", "response_trailers"}:
            return self._violate(f"{kind} out of turn", ErrorKind.PROTOCOL)
        if kind == "response_headers":
            answers = await answering.on_headers(message.response_headers, {})
        elif kind == "response_body":
            answers = await answering.on_body(message.response_body)
        else:
            answers = await answering.on_trailers()
        self.done = answering.done
        return answers

    def _claim(self, message: pb.HttpHeaders) -> Answers:
        job = self._handover.claim(messages.header_map(message.headers).get(names.ANSWER, ""))
        if job is None:
            self._events.answer(Fate.UNCLAIMED)
            error = Unavailable("the router lost track of this request; try again", retry_after=1)
            self.done = True
            return (messages.immediate(failure_reply(messages.arrival_of(message).head, error)),)
        filtering = Filtering(
            job,
            self._bounds,
            tell=self._events.answer,
            report=lambda exc: self._events.error(ErrorKind.DEFECT, exc),
        )
        self._answering = Answering(filtering, pb.ProcessingMode.FULL_DUPLEX_STREAMED)
        return (messages.nothing_to_add(),)

    def _violate(self, what: str, kind: ErrorKind, exc: BaseException | None = None) -> Answers:
        self._events.error(kind, exc)
        self.violation = what
        self.done = True
        return ()
