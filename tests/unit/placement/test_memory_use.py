"""What indexes take is what they say they take."""

import random
import tracemalloc

import pytest

from pointsman.fleet.kv_decode import BlockStored
from pointsman.placement.kv_index import KvIndex
from pointsman.placement.prefix_index import BlockIndex

BLOCKS = 16


@pytest.mark.parametrize("prompts", [1375, 1500, 2750])
def test_the_prefix_index_takes_no_more_than_it_says(prompts: int) -> None:
    """Right after its tables have grown, and when they are full."""
    tracemalloc.start()
    index = BlockIndex()
    for number in range(prompts):
        index.learn(tuple(hash((number, block)) for block in range(BLOCKS)), "abcd"[number % 4])
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(index) == prompts * BLOCKS
    assert index.bytes / 2 < used <= index.bytes


@pytest.mark.parametrize("prompts", [1375, 1500, 2750])
def test_the_kv_index_takes_no_more_than_it_says(prompts: int) -> None:
    """The same for what engines tell."""
    rng = random.Random(1)  # noqa: S311  # names of blocks
    tracemalloc.start()
    index = KvIndex()
    for number in range(prompts):
        names = tuple(rng.getrandbits(64) for _ in range(BLOCKS))
        tokens = tuple(range(number, number + 16 * BLOCKS))
        index.apply("abcd"[number % 4], 0, [BlockStored(names, None, tokens, 16)])
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(index) == prompts * BLOCKS
    assert index.bytes / 2 < used <= index.bytes
