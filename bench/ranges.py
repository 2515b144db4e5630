"""What values the shipped encoder yields, so that `check` knows thresholds that all or no texts reach.

``make ranges`` runs it over the texts of the corpora (DATA) and writes ``src/pointsman/decisions/ranges.py``.
"""

import argparse
import asyncio
import gzip
import json
import random
from itertools import islice
from pathlib import Path

import numpy as np

from pointsman.encoder import Encoder

OUT = Path(__file__).parents[1] / "src" / "pointsman" / "decisions" / "ranges.py"
TEXTS = 1000
"""Of each corpus."""
PAGE = '''"""Values that the shipped encoder yields for {count:,} texts; written by ``make ranges``."""

from typing import Final

import msgspec


class Range(msgspec.Struct, frozen=True):
    """Where the values of a measure lie."""

    low: float
    """Nearly every text has at least this: the first percentile."""
    high: float
    """Hardly any text has more than this: the 99th percentile."""


JAILBREAK: Final = Range({jailbreak[0]:.4f}, {jailbreak[1]:.4f})
"""Probability of the window that looks most like a jailbreak, over attacks and harmless texts."""
DOMAIN: Final = Range({domain[0]:.4f}, {domain[1]:.4f})
"""Probability of the most probable domain."""
UNRELATED: Final = Range({unrelated[0]:.4f}, {unrelated[1]:.4f})
"""Cosine of two texts taken at random."""
NEAREST: Final = Range({nearest[0]:.4f}, {nearest[1]:.4f})
"""Cosine of a text and the nearest other one."""
'''


def texts(path: Path) -> list[str]:
    """Some texts of a corpus, the same every time."""
    with gzip.open(path, "rt") as lines:
        found = [json.loads(line) for line in islice(lines, 20_000)]
    read = [str(record.get("text") or record.get("prompt") or "") for record in found]
    return random.Random(7).sample([text for text in read if text.strip()], TEXTS)  # noqa: S311  # no secret


async def probabilities(encoder: Encoder, attacks: list[str]) -> np.ndarray:
    """Of a jailbreak, text by text."""
    return np.array([(await encoder.scan(text)).jailbreak.probability for text in attacks])


def percentiles(values: np.ndarray) -> tuple[float, float]:
    """The first and the 99th."""
    low, high = np.percentile(values, [1, 99])
    return float(low), float(high)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    folder = parser.parse_args().data
    attacks, prompts = texts(folder / "jailbreak.jsonl.gz"), texts(folder / "domain.jsonl.gz")
    encoder = Encoder.load()
    try:
        risks = asyncio.run(probabilities(encoder, attacks))
        tops = np.array([max(encoder.encode_now(text).domains.values()) for text in prompts])
        vectors = np.stack([encoder.embed_now(text) for text in dict.fromkeys(prompts)])
    finally:
        encoder.close()
    cosines = vectors @ vectors.T
    pairs = cosines[np.triu_indices(len(cosines), 1)]
    np.fill_diagonal(cosines, -1)
    OUT.write_text(
        PAGE.format(
            count=len(attacks) + len(prompts),
            jailbreak=percentiles(risks),
            domain=percentiles(tops),
            unrelated=percentiles(pairs),
            nearest=percentiles(cosines.max(axis=1)),
        )
    )


if __name__ == "__main__":
    main()
