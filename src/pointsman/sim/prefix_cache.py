"""A prefix cache that remembers which prompts it has seen, in blocks, as an engine's KV cache does."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from hashlib import blake2b

BLOCK_TOKENS = 16


class PrefixCache:
    """A bounded set of hashed blocks, each hash covering its whole prefix; least recently used goes first."""

    def __init__(self, capacity_blocks: int) -> None:
        self._capacity = capacity_blocks
        self._blocks: OrderedDict[bytes, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._blocks)

    def match(self, seed: str, tokens: Sequence[str]) -> int:
        """How many leading tokens are cached. At least one token is always left to compute, as in vLLM."""
        matched = 0
        for block in _hashes(seed, tokens, len(tokens) - 1):
            if block not in self._blocks:
                break
            self._blocks.move_to_end(block)
            matched += BLOCK_TOKENS
        return matched

    def store(self, seed: str, tokens: Sequence[str]) -> None:
        """Remember the full blocks of a prompt."""
        # Only as many blocks as fit: the head of a prompt is worth more than its tail.
        for block in _hashes(seed, tokens, min(len(tokens), self._capacity * BLOCK_TOKENS)):
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self._capacity:
            self._blocks.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._blocks.clear()


def _hashes(seed: str, tokens: Sequence[str], limit: int) -> Iterator[bytes]:
    """Hash of every full block within the first `limit` tokens; the seed keeps adapters and salts apart."""
    parent = blake2b(seed.encode(), digest_size=16).digest()
    for start in range(0, limit - BLOCK_TOKENS + 1, BLOCK_TOKENS):
        block = "\0".join(tokens[start : start + BLOCK_TOKENS])
        parent = blake2b(parent + block.encode(), digest_size=16).digest()
        yield parent
