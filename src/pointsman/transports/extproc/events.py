"""What the processor reports to the composition root."""

from collections.abc import Callable
from enum import StrEnum

import msgspec

from pointsman.core.request import Head
from pointsman.core.trace import Ruling


class ErrorKind(StrEnum):
    """What went wrong, for counting."""

    DEFECT = "defect"
    """An unexpected exception of ours; the client got a 500."""
    DEADLINE = "deadline"
    """No decision in time; 503."""
    OVERLOAD = "overload"
    """Too many decisions in flight; 429."""
    TOO_LARGE = "too_large"
    """A body over the bound; 413."""
    PROTOCOL = "protocol"
    """A message the data plane should not have sent."""
    ABANDONED = "abandoned"
    """The stream was closed, cancelled or lost before the answer: the client left, or the data plane died
    (gRPC does not always tell these apart)."""


def _ignore(*_: object) -> None:
    """Nobody listens."""


class Events(msgspec.Struct, frozen=True):
    """Callbacks, called on the event loop: they must be quick. One that raises is reported, never fatal."""

    on_ruling: Callable[[Head, Ruling], None] = _ignore
    """Every ruling that answered a request, refusals included."""
    on_response: Callable[[str, int, float], None] = _ignore
    """Foreign data planes only: request id, HTTP status, seconds from request headers to response headers."""
    on_error: Callable[[ErrorKind, BaseException | None], None] = _ignore
    """A kind and, where there was one, the exception with its traceback."""
    on_stream: Callable[[str], None] = _ignore
    """How each stream ended: ``answered``, ``violation`` (of the protocol) or ``abandoned``."""
