"""Answers that filters work on: how many at once, and those that wait for the data plane to come back."""

import secrets
import time
from collections.abc import Callable

import msgspec

from pointsman.core.answer import AnswerWork
from pointsman.core.request import Head

PATIENCE_S = 10.0
"""Our Envoy comes back within milliseconds of its decision, or not at all: then the client has left."""


class Job(msgspec.Struct, frozen=True):
    """What is to be done with the answer to one request."""

    head: Head
    work: AnswerWork
    listening: bool = False
    """Whether the work changes nothing, so that whatever happens to it must not happen to the answer."""


class Handover:
    """At most ``limit`` answers, waiting ones and running ones together; for use from one event loop.

    ``offer`` keeps a job until the data plane claims it by its token or ``patience_s`` has passed; ``enter``
    takes on one that is at hand. What was claimed or entered must be given back with ``leave``.
    """

    def __init__(
        self, limit: int, *, patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit = limit
        self._patience_s = patience_s
        self._clock = clock
        self._waiting: dict[str, tuple[float, Job]] = {}
        self._running = 0

    @property
    def size(self) -> int:
        """Answers waited for or worked on."""
        return len(self._waiting) + self._running

    def offer(self, job: Job) -> str | None:
        """A token for ``job``, or ``None`` when there is no room."""
        self._expire()
        if self.size >= self.limit:
            return None
        token = secrets.token_urlsafe(16)
        self._waiting[token] = (self._clock() + self._patience_s, job)
        return token

    def claim(self, token: str) -> Job | None:
        """The job, once; ``None`` for a token that is unknown or too late."""
        self._expire()
        _, job = self._waiting.pop(token, (0.0, None))
        if job is not None:
            self._running += 1
        return job

    def enter(self) -> bool:
        """Take a place for a job at hand, or return false when there is none."""
        self._expire()
        if self.size >= self.limit:
            return False
        self._running += 1
        return True

    def leave(self) -> None:
        """Give a place back."""
        self._running -= 1

    def _expire(self) -> None:
        """Jobs wait equally long, so the first ones expire first."""
        now = self._clock()
        while self._waiting and (first := next(iter(self._waiting.items())))[1][0] <= now:
            del self._waiting[first[0]]
