"""What the router tells the data plane to do with a request: send it on, or answer it."""

from collections.abc import Mapping

import msgspec

from pointsman.core.answer import AnswerWork
from pointsman.core.header_edits import HeaderEdits

__all__ = ["Forward", "HeaderEdits", "Reply", "Verdict"]


class Forward(msgspec.Struct, frozen=True):
    """Send the request on."""

    pool: str
    """The provider model whose endpoints serve it; an empty string leaves routing to the data plane."""
    body: bytes | None = None
    """The new body; ``None`` forwards the received bytes untouched."""
    headers: HeaderEdits = HeaderEdits()
    path: str | None = None
    destinations: tuple[str, ...] = ()
    """Endpoints of the pool in the order to try them; empty leaves the choice to the data plane."""
    clear_route: bool = True
    """Whether a foreign data plane should choose its route anew, by the headers set here."""
    response_headers: Mapping[str, str] = {}
    """Headers for the client on any answer (``x-vsr-schema-version``, ``x-vsr-response-path``)."""
    success_headers: Mapping[str, str] = {}
    """Headers for the client on a 2xx answer (``x-vsr-selected-*``)."""
    answer: AnswerWork | None = None
    """What must see the answer; ``None``, as usual, keeps every byte of it away from this process."""
    listening: bool = False
    """Whether ``answer`` changes nothing: where nobody can listen, the answer passes all the same."""


class Reply(msgspec.Struct, frozen=True):
    """Answer the client now, without a model."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Verdict = Forward | Reply
