"""Words of scripts written without spaces, found without a dictionary.

The encoder's vocabulary lacks most Chinese characters and reads them as unknown. A subject still shows in
which characters and which pairs of neighbours occur, so those are hashed into a fixed number of buckets
("hashing trick", Weinberger et al. 2009, arXiv 0902.2206).
"""

import re
import zlib
from itertools import pairwise

BUCKETS = 1 << 15

_RUNS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
"""Kana, Han and Hangul."""


def gram_buckets(text: str) -> set[int]:
    """Give the bucket (0 to BUCKETS - 1) of every such character and pair of neighbours in a text."""
    if text.isascii():
        return set()
    found: set[str] = set()
    for run in _RUNS.findall(text):
        found.update(run)
        found.update(map("".join, pairwise(run)))
    return {zlib.crc32(gram.encode()) % BUCKETS for gram in found}
