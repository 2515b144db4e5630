"""Collecting a request body that may arrive in pieces."""

from enum import Enum, auto

from pointsman.transports.wire import extproc_pb2 as pb

_DUPLEX = pb.ProcessingMode.FULL_DUPLEX_STREAMED


class Progress(Enum):
    """What a body message means for the request."""

    COMPLETE = auto()
    """The whole body is here."""
    MORE = auto()
    """More is to come."""
    TOO_LARGE = auto()
    """Over the bound, or over what the data plane is willing to buffer."""


class Intake:
    """The body of one request, at most ``limit`` bytes of it.

    ``mode`` is the data plane's request body mode where it told us (``protocol_config``), else ``None``: then
    a message without ``end_of_stream`` is taken as the first of several.
    """

    def __init__(self, limit: int, mode: pb.ProcessingMode.BodySendMode | None) -> None:
        self._limit = limit
        self._mode = mode
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def duplex(self) -> bool:
        """Whether the body is streamed in both directions."""
        return self._mode == _DUPLEX

    @property
    def body(self) -> bytes:
        """Everything received so far."""
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0] if self._pieces else b""

    @property
    def in_pieces(self) -> bool:
        """Whether earlier pieces were held back, so that the data plane no longer has them."""
        return len(self._pieces) > 1

    def release(self) -> None:
        """Forget the body; the stream may live on for as long as the answer takes to begin."""
        self._pieces.clear()

    def add(self, message: pb.HttpBody) -> Progress:
        """Take one message."""
        self._size += len(message.body)
        if self._size > self._limit:
            self._pieces.clear()
            return Progress.TOO_LARGE
        self._pieces.append(message.body)
        # With trailers to come, a buffered body is complete although the stream does not end with it.
        if message.end_of_stream or self._mode == pb.ProcessingMode.BUFFERED:
            return Progress.COMPLETE
        if self._mode == pb.ProcessingMode.BUFFERED_PARTIAL:
            return Progress.TOO_LARGE
        return Progress.MORE
