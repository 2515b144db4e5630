"""An error in the shape of the API a client speaks, as a reply and as the end of a stream."""

from pointsman.core.errors import HttpError
from pointsman.core.request import Dialect, Head
from pointsman.core.verdict import Reply
from pointsman.dialects import sse
from pointsman.dialects.anthropic import errors as anthropic
from pointsman.dialects.anthropic.events import named_event
from pointsman.dialects.endpoints import dialect_of
from pointsman.dialects.errors import error_reply


def failure_reply(head: Head, error: HttpError) -> Reply:
    """``error`` for the client of this request."""
    if dialect_of(head) is Dialect.ANTHROPIC_MESSAGES:
        return anthropic.error_reply(error)
    return error_reply(error)


def failure_events(head: Head, error: HttpError) -> bytes:
    """``error`` for a client in the middle of an event stream, and the end of that stream."""
    if dialect_of(head) is Dialect.ANTHROPIC_MESSAGES:
        return named_event(anthropic.error_document(anthropic.error_type(error.status), error.message))
    # An event of its own first: the stream may have been left in the middle of one.
    return b"\n\n" + sse.event(error_reply(error).body) + sse.DONE
