"""The model that is trained: MiniLM's six layers, and a head for each task on what they give.

Plain torch, so that nothing but the weights has to travel.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from student_labels import LAYERS, SEQUENCE_LABELS, TAGS

WIDTH, HEADS, INNER = 384, 12, 1536
INSIDE = {"domain": 160, "jailbreak": 64, "complexity": 32, "pii": 128}
"""Hidden units of each head: what they read per text comes from memory, not from the cache."""


class Layer(nn.Module):
    """One transformer layer, post-norm as BERT has it."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.mixed, self.norm1 = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH, eps=1e-12)
        self.wide, self.narrow = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm2, self.dropout = nn.LayerNorm(WIDTH, eps=1e-12), nn.Dropout(dropout)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """``hidden`` (batch, tokens, width), ``mask`` (batch, 1, 1, tokens) true where a token is."""
        split = [
            part(hidden).unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        ]
        rate = self.dropout.p if self.training else 0.0
        attended = functional.scaled_dot_product_attention(*split, attn_mask=mask, dropout_p=rate)
        hidden = self.norm1(hidden + self.dropout(self.mixed(attended.transpose(1, 2).flatten(2))))
        return self.norm2(hidden + self.dropout(self.narrow(functional.gelu(self.wide(hidden)))))


class Head(nn.Module):
    """Two linear layers with a GELU between."""

    def __init__(self, inputs: int, inner: int, labels: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(inputs, inner), nn.Linear(inner, labels)
        self.dropout = nn.Dropout(0.1)

    def forward(self, features: Tensor) -> Tensor:
        """Logits."""
        return self.second(self.dropout(functional.gelu(self.first(features), approximate="tanh")))


class Student(nn.Module):
    """Encoder and heads."""

    def __init__(self, words: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.words = nn.Embedding(words, WIDTH)
        self.places = nn.Parameter(torch.zeros(512, WIDTH))
        self.norm, self.dropout = nn.LayerNorm(WIDTH, eps=1e-12), nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(LAYERS))
        self.heads = nn.ModuleDict(
            {name: Head(3 * WIDTH, INSIDE[name], len(labels)) for name, labels in SEQUENCE_LABELS.items()}
        )
        self.heads["pii"] = Head(WIDTH, INSIDE["pii"], len(TAGS))

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states (batch, tokens, width) and the mask of real tokens (batch, tokens)."""
        mask = ids != 0
        hidden = self.dropout(self.norm(self.words(ids) + self.places[: ids.shape[1]]))
        for layer in self.layers:
            hidden = layer(hidden, mask[:, None, None, :])
        return hidden, mask

    def logits(self, name: str, hidden: Tensor, mask: Tensor) -> Tensor:
        """A sequence head on first, mean and maximum."""
        return self.heads[name](features(hidden, mask))


def mean(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean over real tokens."""
    weight = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weight).sum(1) / weight.sum(1)


def features(hidden: Tensor, mask: Tensor) -> Tensor:
    """What a sequence head reads, (batch, 3 * width)."""
    highest = hidden.masked_fill(~mask.unsqueeze(-1), -1e4).amax(1)
    return torch.cat([hidden[:, 0], mean(hidden, mask), highest], dim=-1)


def embedding(hidden: Tensor, mask: Tensor) -> Tensor:
    """The sentence embedding, unit length."""
    return functional.normalize(mean(hidden, mask).float(), dim=-1)


def original(folder: Path, *, dropout: float, words: int | None = None) -> Student:
    """The original weights; further words begin as the mean of those there are, with a little noise."""
    weights: Mapping[str, np.ndarray] = np.load(folder / "start.npz")
    table = torch.tensor(weights["table"].astype(np.float32) * weights["scale"])
    student = Student(words or len(table), dropout)
    more = student.words.num_embeddings - len(table)
    if more:
        known = table[999:]
        noise = torch.randn(more, WIDTH, generator=torch.Generator().manual_seed(1)) * known.std(0) * 0.5
        table = torch.cat([table, known.mean(0) + noise])
    state = {"words.weight": table}
    names = {"norm": "embeddings.LayerNorm"}
    for number in range(LAYERS):
        stem = f"encoder.layer.{number}."
        parts = {
            "query": "attention.self.query",
            "key": "attention.self.key",
            "value": "attention.self.value",
            "mixed": "attention.output.dense",
            "norm1": "attention.output.LayerNorm",
            "wide": "intermediate.dense",
            "narrow": "output.dense",
            "norm2": "output.LayerNorm",
        }
        names |= {f"layers.{number}.{ours}": stem + theirs for ours, theirs in parts.items()}
    for ours, theirs in names.items():
        for kind in ("weight", "bias"):
            state[f"{ours}.{kind}"] = torch.tensor(weights[f"{theirs}.{kind}"].astype(np.float32))
    places = weights["embeddings.position_embeddings.weight"].astype(np.float32)
    state["places"] = torch.tensor(
        places + weights["embeddings.token_type_embeddings.weight"][0].astype(np.float32)
    )
    missing = student.load_state_dict(state, strict=False)
    if not all(key.startswith("heads.") for key in missing.missing_keys):
        raise SystemExit(f"weights are missing: {missing}")
    return student


def vocabulary_size(folder: Path) -> int:
    """How many words the extended tokenizer has."""
    return len(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])
