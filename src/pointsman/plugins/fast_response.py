"""``fast_response``: a canned answer, in the client's dialect, without a model."""

import msgspec

from pointsman.core.request import ChatRequest


class FastResponse(msgspec.Struct, frozen=True):
    """Answers every request of its decision with ``message``."""

    message: str
    type: str = "fast_response"

    async def answer(self, request: ChatRequest) -> str | None:  # noqa: ARG002  # the port is shared with caches
        """The configured text."""
        return self.message
