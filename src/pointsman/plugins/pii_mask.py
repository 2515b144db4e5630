"""``pii_mask``: the model never sees personal data, the client never sees that."""

import asyncio

import msgspec

from pointsman.core.errors import Unavailable
from pointsman.core.guard import GuardOutcome, Outcome
from pointsman.guards.answers import AnswerEditor
from pointsman.guards.masking import mask
from pointsman.guards.reading import Scanner, Wanted
from pointsman.guards.unmasking import unmasking
from pointsman.guards.watching import Report, unreported
from pointsman.plugins.draft import Draft

_GUARD, _ACTION = "pii", "mask"


class PiiMask(msgspec.Struct, frozen=True):
    """Replaces what is ``wanted`` by placeholders, and puts it back into the answer.

    The values live in the answer's filter and end with it.
    """

    scanner: Scanner
    wanted: Wanted
    limit: int = 131_072
    """Most characters of text; a longer request is refused, since unread text must not leave."""
    timeout_s: float = 4.0
    report: Report = unreported
    type: str = "pii_mask"

    async def apply(self, draft: Draft) -> Draft:
        """The masked draft. Raises ``HttpError`` when the text cannot be read: nothing is sent then."""
        try:
            async with asyncio.timeout(self.timeout_s):
                done = await mask(
                    draft.body, draft.request.dialect, self.scanner, self.wanted, limit=self.limit
                )
        except BaseException as error:
            self.report(GuardOutcome(_GUARD, _ACTION, Outcome.FAILED, detail=type(error).__name__))
            if isinstance(error, TimeoutError):
                raise Unavailable("personal data was not found in time", retry_after=1) from error
            raise
        outcome = Outcome.FOUND if done.kinds else Outcome.CLEAN
        self.report(GuardOutcome(_GUARD, _ACTION, outcome, kinds=done.kinds))
        if not len(done.vault):
            return draft
        vault = done.vault

        def unmask() -> AnswerEditor:
            return unmasking(vault)

        note = f"pii mask: {len(vault)} values ({', '.join(done.kinds) or 'look-alikes'})"
        # Nearest to the engine: whoever else reads or keeps the answer has it as the client gets it.
        masked = draft.changed(done.body, note).answered_first_through(unmask)
        return msgspec.structs.replace(masked, unmasked=draft.body)


class NoPiiMask(msgspec.Struct, frozen=True):
    """``pii_mask`` switched off: its decision is exempt from the pii guard of the document."""

    type: str = "pii_mask"

    async def apply(self, draft: Draft) -> Draft:
        """The draft as it is."""
        return draft
