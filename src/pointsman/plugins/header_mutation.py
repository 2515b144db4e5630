"""``header_mutation``: static edits of the request's headers on their way to the engine."""

from collections.abc import Mapping

import msgspec

from pointsman.plugins.draft import Draft


class HeaderMutation(msgspec.Struct, frozen=True):
    """Sets and removes headers. ``add`` and ``update`` both overwrite: one value reaches the engine."""

    set: Mapping[str, str]
    remove: tuple[str, ...] = ()
    type: str = "header_mutation"

    async def apply(self, draft: Draft) -> Draft:
        """Values are the operator's, never the client's."""
        for name in self.remove:
            draft = draft.without_header(name)
        for name, value in self.set.items():
            draft = draft.with_header(name, value)
        return draft.noted(f"headers: {len(self.set)} set, {len(self.remove)} removed")
