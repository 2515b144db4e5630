"""A family that the document uses and switches off: its signals fail, so that nothing rests on them."""

from collections.abc import Set as AbstractSet

from pointsman.core.request import ChatRequest
from pointsman.core.signal import Signal, SignalKey


class SwitchedOff:
    """Failed signals that say which key switched them off."""

    immediate = True

    def __init__(self, family: str, keys: AbstractSet[SignalKey], *, by: str) -> None:
        self.family = family
        self.keys = frozenset(keys)
        self._by = by

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """The same for every request."""
        del request
        return tuple(
            Signal(key, matched=False, error=f"not computed: {self._by} is false") for key in self.keys
        )
