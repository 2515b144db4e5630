"""Compare the shipped int8 graph with its fp32 twin: cosine of the two embeddings of the same text."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus import CACHE, DATA, DIMENSION, MAX_TOKENS, SEED, Floats, load_rows
from pointsman.encoder.model_files import SHIPPED
from pointsman.encoder.session import Engine
from pointsman.encoder.tokenizer import WordPieces, cut

WORST = 3
TEXTS = 500


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Cosines between int8 and fp32 embeddings of the same texts, and whether neighbours stay neighbours."""

    texts: int
    least: float
    low: float
    """The first percentile."""

    median: float
    neighbours_kept: float
    worst: tuple[str, ...]


def main() -> None:
    """Embed a sample with both graphs and print how far they are apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with domain.jsonl.gz")
    parser.add_argument("--texts", type=int, default=TEXTS, help="how many texts to compare")
    options = parser.parse_args()
    found = fidelity(options.data, SHIPPED / "encoder.onnx", CACHE / "encoder-fp32.onnx", options.texts)
    print(f"cosine int8 to fp32 over {found.texts} texts: min {found.least:.4f}, p1 {found.low:.4f}", end="")
    print(f", median {found.median:.4f}; nearest neighbour kept {found.neighbours_kept:.3f}; worst:")
    for text in found.worst:
        print(f"  {text[:80]!r}")


def fidelity(data: Path, int8: Path, fp32: Path, count: int = TEXTS) -> Fidelity:
    """Compare two graphs on a random sample of the labelled questions."""
    rows = load_rows(data)
    chosen = np.random.default_rng(SEED).choice(len(rows), count, replace=False)
    tokenizer = WordPieces((SHIPPED / "tokenizer.json").read_bytes(), max_tokens=MAX_TOKENS)
    passes = [tokenizer.pieces(cut(rows[index].text)).marked for index in chosen]
    left, right = embedded(int8, passes), embedded(fp32, passes)
    cosine = (left * right).sum(axis=1)
    return Fidelity(
        texts=count,
        least=float(cosine.min()),
        low=float(np.quantile(cosine, 0.01)),
        median=float(np.median(cosine)),
        neighbours_kept=neighbours_kept(left, right),
        worst=tuple(rows[chosen[index]].text for index in cosine.argsort()[:WORST]),
    )


def embedded(graph: Path, passes: list[list[int]]) -> Floats:
    """Embed each text by itself, shape (texts, dimension)."""
    engine = Engine(graph.read_bytes(), dimension=DIMENSION)
    return np.stack([engine.embed(ids) for ids in passes])


def neighbours_kept(left: Floats, right: Floats) -> float:
    """Give the share of texts whose nearest other text is the same in both spaces."""
    nearest = []
    for vectors in (left, right):
        similarity = vectors @ vectors.T
        np.fill_diagonal(similarity, -1)
        nearest.append(similarity.argmax(axis=1))
    return float((nearest[0] == nearest[1]).mean())


if __name__ == "__main__":
    main()
