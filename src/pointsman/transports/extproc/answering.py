"""A filtered answer in ext_proc messages, for each way a data plane can hand us a response body."""

from collections.abc import Mapping

from pointsman.core.verdict import HeaderEdits
from pointsman.transports.extproc import messages
from pointsman.transports.extproc.filtering import Filtering, Step
from pointsman.transports.extproc.forwarding import STREAMED_CHUNK, Answers
from pointsman.transports.wire import extproc_pb2 as pb

_MODE = pb.ProcessingMode
READABLE_MODES = frozenset({_MODE.STREAMED, _MODE.BUFFERED, _MODE.FULL_DUPLEX_STREAMED})
"""Response body modes in which we see, and may change, every byte."""


class Answering:
    """The response phases of one request.

    Full duplex: nothing has to be answered until there is something to say, so headers are held back.
    Streamed: every message needs its answer before the next, so headers go at once. Buffered: the data plane
    itself holds the headers until the body is answered, so they are edited then.
    """

    def __init__(self, filtering: Filtering, mode: _MODE.BodySendMode) -> None:
        self._filtering = filtering
        self._mode = mode
        self._extra: Mapping[str, str] = {}
        self._closed = False
        self.done = False
        """Every byte there is has been answered for: the stream may be ended."""

    async def on_headers(self, message: pb.HttpHeaders, extra: Mapping[str, str]) -> Answers:
        """Answer to the response headers; ``extra``: further headers to set."""
        self._extra = extra
        named = messages.header_map(message.headers)
        plain = {name: value for name, value in named.items() if not name.startswith(":")}
        step = await self._filtering.begin(messages.status_of(message), plain, end=message.end_of_stream)
        if step.reply is not None:
            return self._instead(step)
        if message.end_of_stream:
            self.done = True
            return (self._headers(step.edits),)
        if self._mode == _MODE.FULL_DUPLEX_STREAMED:
            return ()
        if self._mode == _MODE.STREAMED:
            return (self._headers(self._filtering.release()),)
        return (self._headers(None),)

    async def on_body(self, message: pb.HttpBody) -> Answers:
        """Answer to a piece of the response body."""
        buffered = self._mode == _MODE.BUFFERED
        end = message.end_of_stream or buffered
        step = await self._filtering.feed(message.body, end=end)
        if step.reply is not None:
            return self._instead(step)
        self.done = end
        if self._mode == _MODE.FULL_DUPLEX_STREAMED:
            return self._duplex(step, last=step.end)
        return (messages.response_body_change(step.body, self._edits(step.edits, step.body)),)

    async def on_trailers(self) -> Answers:
        """Answer to response trailers, which end the body without a word of its own."""
        step = Step() if self._filtering.over else await self._filtering.feed(b"", end=True)
        if step.reply is not None:
            return self._instead(step)
        self.done = True
        answer = messages.response_trailers_answer()
        if self._mode == _MODE.FULL_DUPLEX_STREAMED:
            return (*self._duplex(step, last=False), answer)
        return (answer,)

    def leave(self) -> None:
        """The stream is over."""
        self._filtering.leave()

    def _instead(self, step: Step) -> Answers:
        assert step.reply is not None  # noqa: S101  # callers hold a reply; narrows the type
        self.done = True
        return (messages.immediate(step.reply),)

    def _duplex(self, step: Step, *, last: bool) -> Answers:
        if self._closed:  # a failure said the last word; what still comes of the answer is swallowed
            return ()
        self._closed = step.end
        head = () if step.edits is None else (self._headers(step.edits),)
        starts = range(0, len(step.body), STREAMED_CHUNK) if step.body else range(1 if last else 0)
        pieces = [step.body[start : start + STREAMED_CHUNK] for start in starts]
        return (
            *head,
            *(
                messages.response_streamed(piece, last=last and index == len(pieces) - 1)
                for index, piece in enumerate(pieces)
            ),
        )

    def _headers(self, edits: HeaderEdits | None) -> pb.ProcessingResponse:
        edits = edits or HeaderEdits()
        response = pb.ProcessingResponse()
        common = response.response_headers.response
        common.SetInParent()
        if self._extra or edits.set or edits.remove:
            mutation = messages.answer_mutation_of({**edits.set, **self._extra}, edits.remove)
            common.header_mutation.CopyFrom(mutation)
        return response

    def _edits(self, edits: HeaderEdits | None, body: bytes) -> pb.HeaderMutation | None:
        """Header edits that a buffered body brings with it: its headers are still held."""
        if self._mode != _MODE.BUFFERED or edits is None:
            return None
        return messages.answer_mutation_of({**edits.set, "content-length": str(len(body))}, edits.remove)
