"""The two things a plugin can be: an early answer, or a rewrite of the request."""

from typing import Protocol, runtime_checkable

from pointsman.core.request import ChatRequest
from pointsman.plugins.draft import Draft


@runtime_checkable
class EarlyAnswer(Protocol):
    """Answers instead of a model."""

    @property
    def type(self) -> str:
        """The plugin's name in the document."""

    async def answer(self, request: ChatRequest) -> str | None:
        """The answer's text, or ``None`` to let the request go on."""


@runtime_checkable
class Rewrite(Protocol):
    """Changes the request before it is forwarded."""

    @property
    def type(self) -> str:
        """The plugin's name in the document."""

    async def apply(self, draft: Draft) -> Draft:
        """The draft with this plugin's change."""
