"""How many classifications may run at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from pointsman.core.errors import Unavailable


class Gate:
    """Lets `limit` in and turns the rest away: classification shares its cores with live traffic."""

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1: {limit}")
        self._limit = limit
        self._inside = 0

    @property
    def inside(self) -> int:
        """How many are in."""
        return self._inside

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Hold a place while the block runs. Raises `Unavailable` when there is none."""
        if self._inside >= self._limit:
            message = f"{self._limit} classifications are running, which is the limit; try again"
            raise Unavailable(message, retry_after=1)
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
