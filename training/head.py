"""Fitting the domain head: a logistic layer over the embedding and the words, then its temperature."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, diags, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from corpus import DIMENSION, SEED, Corpus
from pointsman.encoder.heads import LinearHead

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Strength:
    """How freely the head may fit."""

    inverse_penalty: float
    """scikit-learn's C: larger fits the training rows more closely."""

    word_weight: float
    """Scale of the word features before fitting: larger trusts words more, embeddings less."""


def fit(corpus: Corpus, strength: Strength) -> LinearHead:
    """Fit an uncalibrated head (temperature one) on all rows of a corpus."""
    rarity = _rarity(corpus.words) * strength.word_weight
    inputs = hstack([csr_matrix(corpus.embeddings), corpus.words @ diags(rarity)]).tocsr()
    model = LogisticRegression(C=strength.inverse_penalty, max_iter=400, tol=1e-3, random_state=SEED)
    model.fit(inputs, corpus.labels)
    return LinearHead(
        labels=tuple(str(label) for label in model.classes_),
        weights=model.coef_[:, :DIMENSION].astype(np.float32),
        bias=model.intercept_.astype(np.float32),
        temperature=1.0,
        # Rounded to what the file will hold, so that everything measured is what ships.
        lexicon=(model.coef_[:, DIMENSION:] * rarity).T.astype(np.float16).astype(np.float32),
    )


def scores(head: LinearHead, corpus: Corpus) -> Scores:
    """Score all rows at once, shape (rows, labels); LinearHead.scores row by row gives the same."""
    lexicon = np.zeros((corpus.words.shape[1], len(head.labels))) if head.lexicon is None else head.lexicon
    return np.asarray(
        corpus.embeddings @ head.weights.T + head.bias + corpus.words @ lexicon, dtype=np.float64
    )


def probabilities(raw: Scores, temperature: float) -> Scores:
    """Turn scores, shape (rows, labels), into probabilities."""
    powers = np.exp((raw - raw.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def positions(head: LinearHead, labels: NDArray[np.str_]) -> NDArray[np.int64]:
    """Give the place of each label among the head's."""
    place = {label: number for number, label in enumerate(head.labels)}
    return np.array([place[label] for label in labels])


def temperature(corpus: Corpus, strength: Strength, *, folds: int = 5) -> float:
    """Find the temperature of least log loss on rows the scoring head has not seen (cross-validation)."""
    unseen: list[tuple[Scores, NDArray[np.int64]]] = []
    splitter = StratifiedKFold(folds, shuffle=True, random_state=SEED)
    for kept, held in splitter.split(corpus.embeddings, corpus.labels):
        head = fit(corpus.where(_mask(corpus, kept)), strength)
        part = corpus.where(_mask(corpus, held))
        unseen.append((scores(head, part), positions(head, part.labels)))
    raw = np.concatenate([part[0] for part in unseen])
    truth = np.concatenate([part[1] for part in unseen])

    def loss(value: float) -> float:
        return float(-np.log(probabilities(raw, value)[np.arange(len(truth)), truth] + 1e-12).mean())

    return float(minimize_scalar(loss, bounds=(0.2, 5.0), method="bounded").x)


def _mask(corpus: Corpus, kept: NDArray[np.int64]) -> list[bool]:
    chosen = np.zeros(len(corpus.rows), dtype=np.bool_)
    chosen[kept] = True
    return [bool(value) for value in chosen]


def _rarity(words: csr_matrix) -> Scores:
    """Inverse document frequency of each clue, shape (clues,)."""
    seen = np.asarray((words > 0).sum(axis=0)).ravel()
    return np.asarray(np.log((1 + words.shape[0]) / (1 + seen)) + 1)
