"""``response_jailbreak`` and ``response_pii``: what a model says is read before the client gets it."""

import msgspec

from pointsman.guards.answers import AnswerEditor
from pointsman.guards.watching import Check, Watching
from pointsman.plugins.draft import Draft


class ResponseGuard(msgspec.Struct, frozen=True):
    """Has the answer checked."""

    check: Check

    @property
    def type(self) -> str:
        """The plugin's name in the document."""
        return self.check.guard

    async def apply(self, draft: Draft) -> Draft:
        """The same request; its answer passes the check before anything else sees it."""
        check = self.check

        def watch() -> AnswerEditor:
            return AnswerEditor(Watching(check))

        return draft.noted(f"{check.guard}: the answer is checked").answered_first_through(watch)
