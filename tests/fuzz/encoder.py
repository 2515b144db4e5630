"""An encoder that makes up what it finds, the same for the same text, and at times fails."""

import hashlib
import random
from collections.abc import Mapping

import numpy as np

from pointsman.config.signals import DOMAIN_LABELS
from pointsman.encoder.values import Encoding, Entity, Floats, Peak, Scan

DIMENSION = 384


class FakeEncoder:
    """What the runtime asks of an encoder."""

    identity = "made up"
    dimension = DIMENSION
    labels = DOMAIN_LABELS

    def __init__(self, *, broken: bool, plugged: Mapping[str, tuple[str, ...]]) -> None:
        self.plugged = plugged
        self._broken = broken

    def encode_now(self, text: str) -> Encoding:
        pick = _source(text)
        weights = [pick.random() ** 8 for _ in DOMAIN_LABELS]
        levels = [pick.random() for _ in range(3)]
        return Encoding(
            embedding=self.embed_now(text),
            domains={n: weight / sum(weights) for n, weight in zip(DOMAIN_LABELS, weights, strict=True)},
            jailbreak=pick.random(),
            complexity={
                n: level / sum(levels) for n, level in zip(("easy", "medium", "hard"), levels, strict=True)
            },
            tokens=len(text),
            truncated=False,
        )

    def embed_now(self, text: str) -> Floats:
        vector = np.random.default_rng(_source(text).getrandbits(32)).standard_normal(DIMENSION)
        found: Floats = (vector / np.linalg.norm(vector)).astype(np.float32)
        return found

    async def encode(self, text: str) -> Encoding:
        self._work()
        return self.encode_now(text)

    async def embed(self, text: str) -> Floats:
        self._work()
        return self.embed_now(text)

    async def scan(self, text: str) -> Scan:
        self._work()
        pick = _source(text)
        entities = (Entity("PERSON", 0, min(3, len(text)), pick.random()),) if text else ()
        peak = Peak(pick.random(), 0, len(text))
        return Scan(
            peak,
            entities,
            {each.label: each.score for each in entities},
            len(text),
            sampled=False,
            disguised=False,
        )

    async def classify(self, name: str, text: str) -> Mapping[str, float]:
        self._work()
        share = _source(name + text).random()
        return dict(zip(self.plugged[name], (share, 1 - share), strict=True))

    def close(self) -> None:
        pass

    def _work(self) -> None:
        if self._broken:
            raise RuntimeError("out of order")


def _source(text: str) -> random.Random:
    return random.Random(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())  # noqa: S311  # no secret
