"""The request while it is being rewritten: every plugin takes one draft and returns the next."""

from collections.abc import Mapping

import msgspec

from pointsman.core.answer import AnswerWork
from pointsman.core.model import Selection
from pointsman.core.request import ChatRequest
from pointsman.core.signal import SignalSet
from pointsman.core.verdict import HeaderEdits
from pointsman.dialects.anthropic.loss import Loss
from pointsman.dialects.body import Body


class Draft(msgspec.Struct, frozen=True):
    """A request on its way to ``selection``'s model. ``notes`` says what was changed, for people."""

    request: ChatRequest
    body: Body
    selection: Selection
    headers: HeaderEdits = HeaderEdits()
    notes: tuple[str, ...] = ()
    prompted: bool = False
    """Whether a system prompt was injected."""
    edited: bool = False
    """Whether the body differs from the bytes received."""
    received: Mapping[str, str] = {}
    """The client's headers, names in lower case."""
    signals: SignalSet = SignalSet()
    """What is known about the request."""
    answers: tuple[AnswerWork, ...] = ()
    """What must see the answer, the one nearest to the engine first."""
    unmasked: Body | None = None
    """The body before personal data in it was replaced; ``None`` where nothing was."""
    losses: tuple[Loss, ...] = ()
    """What a translation to another API could not carry."""

    def changed(self, body: Body, note: str) -> "Draft":
        """A copy with a new body and a line on what changed."""
        return msgspec.structs.replace(self, body=body, notes=(*self.notes, note), edited=True)

    def noted(self, note: str) -> "Draft":
        """A copy with one more line for people."""
        return msgspec.structs.replace(self, notes=(*self.notes, note))

    def answered_through(self, work: AnswerWork) -> "Draft":
        """A copy whose answer passes one more filter, after those it has."""
        return msgspec.structs.replace(self, answers=(*self.answers, work))

    def answered_first_through(self, work: AnswerWork) -> "Draft":
        """A copy whose answer passes one more filter, before those it has."""
        return msgspec.structs.replace(self, answers=(work, *self.answers))

    def with_header(self, name: str, value: str) -> "Draft":
        """A copy that sets one request header."""
        edits = HeaderEdits({**self.headers.set, name.lower(): value}, self.headers.remove)
        return msgspec.structs.replace(self, headers=edits)

    def without_header(self, name: str) -> "Draft":
        """A copy that removes one request header."""
        edits = HeaderEdits(self.headers.set, (*self.headers.remove, name.lower()))
        return msgspec.structs.replace(self, headers=edits)
