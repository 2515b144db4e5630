"""One decision under the transport's bounds: admission, deadline, and defects turned into a reply."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import msgspec

from pointsman.core.errors import HttpError, Overloaded, RequestError, Unavailable
from pointsman.core.request import Head
from pointsman.core.router import Router
from pointsman.core.trace import Ruling, Trace
from pointsman.dialects.failures import failure_reply
from pointsman.transports.extproc.admission import Admission
from pointsman.transports.extproc.events import ErrorKind, Events
from pointsman.transports.extproc.filtering import Bounds

_RETRY_AFTER_S = 1


class Limits(msgspec.Struct, frozen=True):
    """Bounds on one request."""

    max_body_bytes: int = 32 * 1024 * 1024
    decision_timeout_s: float = 5.0
    answer: Bounds = Bounds()


class BodyTooLarge(RequestError):
    """The body is over the bound (413)."""

    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"request body is larger than the limit of {limit} bytes")


class Bench:
    """Asks the router and always has a ruling to give, whatever the router does."""

    def __init__(self, router: Router, *, limits: Limits, admission: Admission, events: Events) -> None:
        self.router = router
        self.limits = limits
        self._admission = admission
        self._events = events

    async def rule(self, head: Head, body: bytes, settle: Callable[[Ruling], Ruling]) -> Ruling:
        """The router's ruling as ``settle`` leaves it, or the refusal for what kept it from ruling.

        Only cancellation raises.
        """
        if not self._admission.enter():
            limit = self._admission.limit
            error = Overloaded(f"{limit} decisions are in flight already", retry_after=_RETRY_AFTER_S)
            return self.refuse(head, ErrorKind.OVERLOAD, error)
        try:
            ruling = await self._within_deadline(head, body)
        finally:
            self._admission.leave()
        ruling = settle(ruling)
        self._tell(head, ruling)
        return ruling

    async def _within_deadline(self, head: Head, body: bytes) -> Ruling:
        limit = self.limits.decision_timeout_s
        deadline = asyncio.timeout(limit)
        try:
            async with deadline:
                return await self.router.route(head, body)
        except Exception as exc:  # noqa: BLE001  # one request's defect must not reach another's
            if not (isinstance(exc, TimeoutError) and deadline.expired()):
                return self._broken(head, exc)
            self.report(ErrorKind.DEADLINE, exc)
            error = Unavailable(f"no routing decision within {limit:g} s", retry_after=_RETRY_AFTER_S)
            return self.refusal(head, error)

    def refuse(
        self, head: Head, kind: ErrorKind, error: HttpError, cause: BaseException | None = None
    ) -> Ruling:
        """The refusal for ``error``, reported as ``kind``."""
        self.report(kind, cause)
        ruling = self.refusal(head, error)
        self._tell(head, ruling)
        return ruling

    def defect(self, head: Head, exc: BaseException) -> Ruling:
        """The refusal for an unexpected exception: a 500 that keeps the details to our own log."""
        ruling = self._broken(head, exc)
        self._tell(head, ruling)
        return ruling

    def _broken(self, head: Head, exc: BaseException) -> Ruling:
        self.report(ErrorKind.DEFECT, exc)
        return self.refusal(head, HttpError("internal error"))

    def refusal(self, head: Head, error: HttpError) -> Ruling:
        """The router's refusal, told to nobody yet."""
        try:
            return self.router.refuse(head, error)
        except Exception as exc:  # noqa: BLE001  # the client still gets the answer, in the common shape
            self.report(ErrorKind.DEFECT, exc)
            return Ruling(failure_reply(head, error), Trace(request_id=head.request_id, error=error.message))

    def _tell(self, head: Head, ruling: Ruling) -> None:
        try:
            self._events.on_ruling(head, ruling)
        except Exception as exc:  # noqa: BLE001  # a broken observer must not break traffic
            self.report(ErrorKind.DEFECT, exc)

    def responded(self, request_id: str, status: int, duration_s: float) -> None:
        """Report response headers seen on a foreign data plane."""
        try:
            self._events.on_response(request_id, status, duration_s)
        except Exception as exc:  # noqa: BLE001  # a broken observer must not break traffic
            self.report(ErrorKind.DEFECT, exc)

    def report(self, kind: ErrorKind, exc: BaseException | None = None) -> None:
        """Report ``kind``; an observer that raises here has nobody left to be reported to."""
        with suppress(Exception):
            self._events.on_error(kind, exc)
