"""The original MiniLM in plain numpy, single precision: the reference that embeddings are compared with."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf
from tokenizers import Tokenizer

Floats = NDArray[np.float32]
LAYERS, HEADS, TOKENS = 6, 12, 128


class PlainEncoder:
    """Texts to sentence embeddings, one at a time."""

    def __init__(self, weights: Mapping[str, Floats], tokenizer: Path) -> None:
        self.weights = weights
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(TOKENS)

    def embed(self, texts: list[str]) -> Floats:
        """Shape (texts, 384), unit length; longer texts are cut at 128 word pieces."""
        return np.stack([self._one(encoding.ids) for encoding in self.tokenizer.encode_batch(texts)])

    def _one(self, ids: list[int]) -> Floats:
        stem = "embeddings."
        hidden = self.weights[f"{stem}word_embeddings.weight"][ids]
        hidden = hidden + self.weights[f"{stem}position_embeddings.weight"][: len(ids)]
        hidden = self._norm(
            f"{stem}LayerNorm", hidden + self.weights[f"{stem}token_type_embeddings.weight"][0]
        )
        for number in range(LAYERS):
            hidden = self._layer(f"encoder.layer.{number}.", hidden)
        mean = hidden.mean(0)
        return mean / np.linalg.norm(mean)

    def _layer(self, stem: str, hidden: Floats) -> Floats:
        query, key, value = (
            self._linear(f"{stem}attention.self.{part}", hidden)
            .reshape(len(hidden), HEADS, -1)
            .swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / np.sqrt(query.shape[-1])
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = self._linear(
            f"{stem}attention.output.dense", (weights @ value).swapaxes(0, 1).reshape(hidden.shape)
        )
        hidden = self._norm(f"{stem}attention.output.LayerNorm", hidden + mixed)
        wide = self._linear(f"{stem}intermediate.dense", hidden)
        wide = wide * 0.5 * (1 + erf(wide / np.sqrt(2)))
        narrow = self._linear(f"{stem}output.dense", wide.astype(np.float32))
        return self._norm(f"{stem}output.LayerNorm", hidden + narrow)

    def _linear(self, name: str, hidden: Floats) -> Floats:
        return hidden @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, name: str, hidden: Floats) -> Floats:
        centred = hidden - hidden.mean(-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return centred / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
