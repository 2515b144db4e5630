"""The simulated engine's prefix cache against a naive one that compares whole prefixes."""

from hypothesis import given
from hypothesis import strategies as st

from pointsman.sim.prefix_cache import BLOCK_TOKENS, Chain, PrefixCache

# few distinct blocks, so that prompts share prefixes and collide in the budget
BLOCKS = st.lists(st.sampled_from("abc"), max_size=5)
REMAINDER = st.integers(min_value=0, max_value=BLOCK_TOKENS - 1)


class Naive:
    """Prefixes in a list, the next to be evicted first."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.prefixes: list[str] = []

    def match(self, prompt: list[str]) -> int:
        usable = [prefix for prefix in _prefixes(prompt) if len(prefix) < len(prompt)]
        missing = [index for index, prefix in enumerate(usable) if prefix not in self.prefixes]
        return BLOCK_TOKENS * (missing[0] if missing else len(usable))

    def use(self, prompt: list[str]) -> None:
        held: list[str] = []
        for prefix in _prefixes(prompt):
            if prefix in self.prefixes:
                self.prefixes.remove(prefix)
            elif len(self.prefixes) + len(held) >= self.capacity:
                if not self.prefixes:
                    break
                self.prefixes.pop(0)
            held.append(prefix)
        self.prefixes += reversed(held)


def _prefixes(prompt: list[str]) -> list[str]:
    return ["".join(prompt[:end]) for end in range(BLOCK_TOKENS, len(prompt) + 1, BLOCK_TOKENS)]


@given(st.lists(st.tuples(BLOCKS, REMAINDER), max_size=30), st.integers(min_value=1, max_value=10))
def test_it_hits_as_a_naive_cache_does(prompts: list[tuple[list[str], int]], capacity: int) -> None:
    """Whatever is asked in whatever order, the cached tokens are those of the naive cache."""
    cache, naive = PrefixCache(capacity), Naive(capacity)
    for blocks, rest in prompts:
        prompt = [token for block in blocks for token in block * BLOCK_TOKENS] + ["z"] * rest
        chain = Chain(prompt)
        assert cache.match(chain) == naive.match(prompt)
        cache.release(cache.hold(chain))
        naive.use(prompt)
        assert len(cache) == len(naive.prefixes)
