"""What the processor reports to the composition root."""

from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum

import msgspec

from pointsman.core.request import Head
from pointsman.core.trace import Ruling


class Fate(StrEnum):
    """What became of an answer that a filter had to see, for counting."""

    FILTERED = "filtered"
    """It passed its filter to the end."""
    REFUSED = "refused"
    """A filter put an error in its place."""
    FAILED = "failed"
    """A filter raised what it should not: a defect."""
    TIMEOUT = "timeout"
    """A filter took too long."""
    TOO_LARGE = "too_large"
    """A body that has to be read whole is over the bound."""
    UNREADABLE = "unreadable"
    """The engine compressed it although asked not to, or the data plane does not show it to us."""
    ABANDONED = "abandoned"
    """The client left, or the engine or the data plane was lost, before its end."""
    NO_ROOM = "no_room"
    """Too many at once: the request was refused and no engine was asked."""
    UNCLAIMED = "unclaimed"
    """The data plane asked for work nobody knows: the request was refused and no engine was asked."""


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
    on_lost: Callable[[str], None] = _ignore
    """Foreign data planes only: id of a request sent on whose stream ended before its response headers."""
    on_error: Callable[[ErrorKind, BaseException | None], None] = _ignore
    """A kind and, where there was one, the exception with its traceback."""
    on_answer: Callable[[Fate], None] = _ignore
    """What became of each answer that a filter had to see."""
    on_stream: Callable[[str], None] = _ignore
    """How each stream ended: ``answered``, ``violation`` (of the protocol) or ``abandoned``."""


class Quiet:
    """``Events`` that cannot raise: what a listener raises is reported, never fatal."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def answer(self, fate: Fate) -> None:
        """Tell the fate of an answer."""
        try:
            self._events.on_answer(fate)
        except Exception as exc:  # noqa: BLE001  # a broken observer must not break traffic
            self.error(ErrorKind.DEFECT, exc)

    def lost(self, request_id: str) -> None:
        """Tell that the end of a request will not become known."""
        try:
            self._events.on_lost(request_id)
        except Exception as exc:  # noqa: BLE001  # a broken observer must not break traffic
            self.error(ErrorKind.DEFECT, exc)

    def error(self, kind: ErrorKind, exc: BaseException | None = None) -> None:
        """Report; an observer that raises here has nobody left to be reported to."""
        with suppress(Exception):
            self._events.on_error(kind, exc)
