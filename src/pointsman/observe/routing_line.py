"""The line that scripts around the production stack's router read: which request went to which engine.

``Routing request <id> with session id <session> to <url> at <time>, process time = <seconds>``: its wording
is theirs, times are Unix time and seconds. Envoy chooses the engine and tells when the request has ended, so
that is when the line is written; what it says is about the moment of the decision.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec

from pointsman.core.errors import RequestError
from pointsman.core.request import Head
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward
from pointsman.dialects.body import parse_object
from pointsman.observe.journal import Entry
from pointsman.observe.summary import decision_us

NO_SESSION = "None"
MAX_SESSION = 200
"""Longest session id written, characters; a client may send any."""


class _Decided(msgspec.Struct, frozen=True):
    session: str
    at: float
    process_s: float


class RoutingLines:
    """Remembers when each request was decided, until it is known where it went; at most ``limit`` of them."""

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        session_key: str = "",
        urls: Mapping[str, str] | None = None,
        limit: int = 16_384,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._write = write
        self._key = session_key
        self._urls = urls or {}
        self._limit = limit
        self._now = now
        self._waiting: OrderedDict[str, _Decided] = OrderedDict()

    @property
    def pending(self) -> int:
        """How many requests are remembered."""
        return len(self._waiting)

    def ruled(self, head: Head, ruling: Ruling) -> None:
        """Take a ruling about a request; one that answers itself goes nowhere."""
        trace = ruling.trace
        if not isinstance(ruling.verdict, Forward) or not trace.request_id:
            return
        if len(self._waiting) >= self._limit:
            self._waiting.popitem(last=False)
        process_s = decision_us(trace) / 1e6
        self._waiting[trace.request_id] = _Decided(self._session(head, ruling), self._now(), process_s)

    def ended(self, entry: Entry) -> None:
        """Write the line of a request that an engine was chosen for."""
        decided = self._waiting.pop(entry.request_id, None)
        endpoint = entry.outcome.endpoint if entry.outcome else ""
        if decided is None or not endpoint:
            return
        url = self._urls.get(endpoint, f"http://{endpoint}")
        self._write(
            f"Routing request {entry.request_id} with session id {decided.session} to {url} "
            f"at {decided.at}, process time = {decided.process_s:.4f}"
        )

    def _session(self, head: Head, ruling: Ruling) -> str:
        """The session by header, else by field of the body; on one line and without a space."""
        if not self._key:
            return NO_SESSION
        found = head.headers.get(self._key.lower(), "")
        if not found and ruling.trace.request is not None:
            found = _in_body(ruling.trace.request.raw, self._key)
        kept = "".join("_" if char.isspace() or not char.isprintable() else char for char in found)
        return kept[:MAX_SESSION] or NO_SESSION


def _in_body(raw: bytes, field: str) -> str:
    try:
        value = parse_object(raw).get(field)
    except RequestError:
        return ""
    return value if isinstance(value, str) else ""
