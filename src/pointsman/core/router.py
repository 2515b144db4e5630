"""The port a transport talks to: one decision per request, wherever the request came from."""

from typing import Protocol

from pointsman.core.errors import HttpError
from pointsman.core.request import Head
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Reply


class Router(Protocol):
    """Decides requests. Implementations are immutable and safe to call concurrently."""

    def preview(self, head: Head, *, managed: bool) -> Reply | None:
        """Answer from the request line alone, or ``None`` when the body is needed.

        Covers ``GET /v1/models`` and wrong paths or methods. ``managed`` is true behind our own Envoy,
        where every path is ours; a foreign data plane may serve other paths, which then pass (``None``
        with no body to come means: continue untouched).
        """

    async def route(self, head: Head, body: bytes) -> Ruling:
        """Decide one request. Errors of the caller come back as a ``Reply``; only defects raise."""

    def refuse(self, head: Head, error: HttpError) -> Ruling:
        """The reply for an error a transport met (overload, deadline, a defect), in the client's shape."""
