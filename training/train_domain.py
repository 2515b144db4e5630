"""Fit the domain head on the shipped engine's own embeddings and write it into the package.

How freely it may fit is chosen on training rows alone: the mean macro-F1 over one random fifth and over
whole sources held out, since questions in the field come from none of the sources. The validation split is
not used here; `report_domain.py` measures on it.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from corpus import DATA, SEED, Corpus, load_corpus
from head import Strength, fit, positions, scores, temperature
from pointsman.encoder.heads import LinearHead
from pointsman.encoder.model_files import SHIPPED

PENALTIES = (3.0, 10.0)
WORD_WEIGHTS = (0.1, 0.15, 0.2, 0.3)
HELD_SOURCES = ("mmlu", "own-templates")
CHOSEN = Strength(inverse_penalty=10.0, word_weight=0.2)
"""What `--search` found; kept here so that an ordinary run is quick."""


def main() -> None:
    """Fit, calibrate and write the head."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder with domain.jsonl.gz")
    parser.add_argument("--out", type=Path, default=SHIPPED / "domain_head.npz")
    parser.add_argument("--search", action="store_true", help="try all strengths first (some minutes)")
    options = parser.parse_args()
    corpus = load_corpus(options.data).split("train")
    strength = search(corpus) if options.search else CHOSEN
    head = replace(fit(corpus, strength), temperature=temperature(corpus, strength))
    save(head, options.out)
    print(f"{options.out}: {len(head.labels)} labels, {strength}, temperature {head.temperature:.3f}")


def search(corpus: Corpus) -> Strength:
    """Try every strength on held-out training rows and give the best."""
    found: dict[Strength, float] = {}
    for penalty in PENALTIES:
        for weight in WORD_WEIGHTS:
            strength = Strength(inverse_penalty=penalty, word_weight=weight)
            parts = [unseen_f1(corpus, held, strength) for held in folds(corpus)]
            found[strength] = float(np.mean(parts))
            print(
                strength, " ".join(f"{part:.4f}" for part in parts), f"mean {found[strength]:.4f}", flush=True
            )
    return max(found, key=lambda strength: found[strength])


def folds(corpus: Corpus) -> list[list[bool]]:
    """Mark the rows to hold out: a random fifth, then each of the held sources whole."""
    fifth = np.random.default_rng(SEED).random(len(corpus.rows)) < 0.2
    return [fifth.tolist(), *([row.source == source for row in corpus.rows] for source in HELD_SOURCES)]


def unseen_f1(corpus: Corpus, held: list[bool], strength: Strength) -> float:
    """Macro-F1 on the marked rows of a head fitted on the others."""
    head = fit(corpus.where([not mark for mark in held]), strength)
    part = corpus.where(held)
    guesses = scores(head, part).argmax(axis=1)
    return float(f1_score(positions(head, part.labels), guesses, average="macro"))


def save(head: LinearHead, path: Path) -> None:
    """Write a head in the form LinearHead.from_npz reads."""
    lexicon = np.zeros((0, len(head.labels))) if head.lexicon is None else head.lexicon
    np.savez_compressed(
        path,
        labels=np.array(head.labels),
        weights=head.weights,
        bias=head.bias,
        temperature=np.float64(head.temperature),
        lexicon=lexicon.astype(np.float16),
    )


if __name__ == "__main__":
    main()
