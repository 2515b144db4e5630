"""``on_error: fail``: a choice that fails refuses the request instead of taking the first candidate."""

import asyncio
from collections.abc import Sequence
from typing import Final

from pointsman.core.errors import HttpError, Unavailable
from pointsman.core.model import Candidate
from pointsman.selection.base import Asked, Choice, Selector

_TIMEOUT_S: Final = 0.9
"""A little less than a choice may take, so that this error is the one the client sees."""


class Strict:
    """Another algorithm whose errors are the client's."""

    def __init__(self, inner: Selector, *, timeout_s: float = _TIMEOUT_S) -> None:
        self._inner = inner
        self._timeout_s = timeout_s

    @property
    def algorithm(self) -> str:
        """That of the inner one."""
        return self._inner.algorithm

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        """The inner choice. Raises ``Unavailable`` when that raises or is late."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._inner.choose(candidates, asked)
        except HttpError:
            raise
        except Exception as error:
            message = f'the algorithm "{self.algorithm}" could not choose a model'
            raise Unavailable(message, retry_after=1) from error
