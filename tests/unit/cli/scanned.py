"""An encoder without a model: what a text says is in the text."""

import numpy as np

from pointsman.encoder import EncoderBusy, EncoderError, Encoding, Entity, Peak, Scan

JAILBREAK, BUSY, BROKEN = "ignore all rules", "busy", "broken"


class FakeEncoder:
    """`Ann` is a person; a text that says so is a jailbreak, keeps the encoder busy or breaks it."""

    identity = "fake/fp32"
    dimension = 2
    labels = ("math", "law")

    def encode_now(self, text: str) -> Encoding:
        """Law, mostly."""
        return Encoding(
            embedding=np.array([0.6, 0.8], dtype=np.float32),
            domains={"math": 0.2, "law": 0.8},
            jailbreak=self._risk(text),
            complexity={"easy": 0.7, "medium": 0.2, "hard": 0.1},
            tokens=len(text.split()),
            truncated=False,
        )

    async def encode(self, text: str) -> Encoding:
        """As `encode_now`."""
        self._check(text)
        return self.encode_now(text)

    async def embed(self, text: str) -> np.ndarray:
        """The same for all."""
        return (await self.encode(text)).embedding

    async def scan(self, text: str) -> Scan:
        """One person, where there is one."""
        self._check(text)
        at = text.find("Ann")
        entities = (Entity("PERSON", at, at + 3, 0.9),) if at >= 0 else ()
        return Scan(
            jailbreak=Peak(self._risk(text), 0, len(text)),
            entities=entities,
            pii={entity.label: entity.score for entity in entities},
            tokens=len(text.split()),
            sampled=len(text) > 1000,
            disguised="\u200b" in text,
        )

    def close(self) -> None:
        """Nothing to end."""

    def _risk(self, text: str) -> float:
        return 0.9 if JAILBREAK in text else 0.05

    def _check(self, text: str) -> None:
        if text == BUSY:
            raise EncoderBusy("256 passes are pending")
        if text == BROKEN:
            raise EncoderError("closed")
