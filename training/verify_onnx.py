"""Compare the shipped int8 graph with its fp32 twin: cosine of the two embeddings of the same text."""

import argparse
from pathlib import Path

import numpy as np

from corpus import CACHE, DATA, DIMENSION, MAX_TOKENS, SEED, Floats, load_rows
from pointsman.encoder.model_files import SHIPPED
from pointsman.encoder.session import Engine
from pointsman.encoder.tokenizer import WordPieces, cut

WORST = 3


def main() -> None:
    """Embed a sample with both graphs and print how far they are apart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with domain.jsonl.gz")
    parser.add_argument("--texts", type=int, default=500, help="how many texts to compare")
    options = parser.parse_args()
    rows = load_rows(options.data)
    chosen = np.random.default_rng(SEED).choice(len(rows), options.texts, replace=False)
    tokenizer = WordPieces((SHIPPED / "tokenizer.json").read_bytes(), max_tokens=MAX_TOKENS)
    passes = [tokenizer.pieces(cut(rows[index].text)).marked for index in chosen]
    int8 = embedded(SHIPPED / "encoder.onnx", passes)
    fp32 = embedded(CACHE / "encoder-fp32.onnx", passes)
    cosine = (int8 * fp32).sum(axis=1)
    print(f"texts {len(passes)}, word pieces {sum(map(len, passes))}")
    print(f"cosine int8 to fp32: min {cosine.min():.4f}, p1 {np.quantile(cosine, 0.01):.4f}", end="")
    print(f", median {np.median(cosine):.4f}; nearest neighbour kept {neighbours_kept(int8, fp32):.3f}")
    for index in cosine.argsort()[:WORST]:
        print(f"  {cosine[index]:.4f} {rows[chosen[index]].lang} {rows[chosen[index]].text[:80]!r}")


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
