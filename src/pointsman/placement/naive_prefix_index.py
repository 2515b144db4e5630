"""The simplest prefix index there is: the oracle that tests and benchmarks hold the fast one against."""

from collections.abc import Iterable, Sequence


class NaivePrefixIndex:
    """Every endpoint's blocks in a plain list, the least recent first; matched by walking the prompt.

    With ``blocks`` as the bound of each endpoint. It has no bound over all.
    """

    def __init__(self, *, blocks: int) -> None:
        self._blocks = blocks
        self._seen: dict[str, list[int]] = {}

    def match(self, keys: Sequence[int], addresses: Sequence[str]) -> list[int]:
        """Count until the first key that is missing."""
        return [self._matched(keys, self._seen.get(address, [])) for address in addresses]

    def learn(self, keys: Sequence[int], address: str) -> None:
        """Append, the beginning of the prompt last; cut what is too much."""
        kept = keys[: self._blocks]
        older = [key for key in self._seen.get(address, []) if key not in kept]
        self._seen[address] = [*older, *reversed(kept)][-self._blocks :]

    def keep(self, addresses: Iterable[str]) -> None:
        """Forget endpoints that are not among these."""
        kept = set(addresses)
        self._seen = {address: blocks for address, blocks in self._seen.items() if address in kept}

    def forget(self, address: str) -> None:
        """Drop the endpoint's list."""
        self._seen.pop(address, None)

    @staticmethod
    def _matched(keys: Sequence[int], blocks: list[int]) -> int:
        for index, key in enumerate(keys):
            if key not in blocks:
                return index
        return len(keys)
