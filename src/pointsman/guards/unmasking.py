"""The way back of masked data: placeholders in an answer become the values they stand for."""

from typing import Any

import msgspec

from pointsman.guards.answers import AnswerEditor, LaneWork
from pointsman.guards.lanes import slots_of
from pointsman.guards.placeholders import Vault
from pointsman.guards.restoring import Restorer


class Unmasking:
    """A ``Treatment`` with the vault of one request."""

    guarding = False
    objected = False

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def lane(self, *, quoted: bool) -> LaneWork:
        """Restores one lane; within JSON a value is written as JSON strings write it."""
        return Restorer(self._vault, in_quotes if quoted else None)

    async def whole(self, document: Any) -> Any:
        """Every string of the answer, tool arguments as what they are: JSON within JSON."""
        changed = False
        if isinstance(document, dict):
            for slot in slots_of(document):
                if slot.quoted:
                    restorer = Restorer(self._vault, in_quotes)
                    after = await restorer.feed(slot.text) + await restorer.flush()
                    changed |= after != slot.text
                    slot.container[slot.field] = after
        after = self._everywhere(document)
        return document if after == document and not changed else after

    def last_words(self) -> list[str]:
        """Nothing to warn of."""
        return []

    def finished(self) -> None:
        """Nothing to count."""

    def _everywhere(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._vault.restored(value)
        if isinstance(value, list):
            return [self._everywhere(item) for item in value]
        if isinstance(value, dict):
            return {self._everywhere(key): self._everywhere(item) for key, item in value.items()}
        return value


def in_quotes(value: str) -> str:
    """A value as the inside of a JSON string."""
    return msgspec.json.encode(value.encode("utf-8", "replace").decode()).decode()[1:-1]


def unmasking(vault: Vault) -> AnswerEditor:
    """The answer filter for one masked request."""
    return AnswerEditor(Unmasking(vault))
