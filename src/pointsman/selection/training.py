"""Judging outcomes before they are used: what choosing by neighbours would have gained; pure."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from pointsman.selection.embedder import Floats
from pointsman.selection.neighbours import Neighbours
from pointsman.selection.outcomes import Outcomes

Bools = NDArray[np.bool_]


class Gain(msgspec.Struct, frozen=True):
    """A way of choosing, judged on requests it has not seen."""

    name: str
    score: float
    """Mean score of the models chosen, 0..1."""
    accuracy: float
    """Share of requests whose chosen model did as well as any."""
    price: float | None = None
    """Mean price of the models chosen, where prices are known."""


def held_out(texts: Sequence[str], share: float) -> Bools:
    """Which rows are kept for judging: always the same for a text, whatever else is in the file."""
    limit = int(share * 2**32)
    digests = (hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4) for text in texts)
    return np.array([int.from_bytes(digest.digest(), "big") < limit for digest in digests], dtype=bool)


def judge(
    outcomes: Outcomes, test: Bools, ks: Sequence[int], prices: Mapping[str, float] | None = None
) -> tuple[Gain, ...]:
    """Random, best single, each ``k`` and oracle, on the rows of ``test`` that every model was tried on.

    Empty where one of the two parts has no such row.
    """
    complete = ~np.isnan(outcomes.scores).any(axis=1)
    seen, unseen = ~test, test & complete
    if not seen.any() or not unseen.any():
        return ()
    past = msgspec.structs.replace(outcomes, vectors=outcomes.vectors[seen], scores=outcomes.scores[seen])
    judged = _Judged(outcomes, unseen, prices)
    rows = judged.scores.shape[0]
    means = np.nan_to_num(np.nanmean(_with_a_row(past.scores), axis=0))
    single = int(np.argmax(means))
    gains = [
        judged.average("random model"),
        judged.gain(f"best single: {outcomes.models[single]}", np.full(rows, single)),
    ]
    for k in (k for k in ks if k <= int(seen.sum())):
        neighbours = Neighbours(past, k)
        votes = (neighbours.scores(vector) for vector in outcomes.vectors[unseen])
        picks = np.array([int(np.argmax(vote)) for vote in votes])
        gains.append(judged.gain(f"knn, k = {k}", picks))
    gains.append(judged.gain("oracle", _best_and_cheapest(judged)))
    return tuple(gains)


class _Judged:
    """The rows choices are judged on."""

    def __init__(self, outcomes: Outcomes, rows: Bools, prices: Mapping[str, float] | None) -> None:
        self.scores = outcomes.scores[rows]
        self.best = self.scores.max(axis=1)
        self.prices = None if prices is None else np.array([prices[name] for name in outcomes.models])

    def gain(self, name: str, picks: NDArray[np.int_]) -> Gain:
        chosen = self.scores[np.arange(len(picks)), picks]
        price = None if self.prices is None else float(self.prices[picks].mean())
        return Gain(name, float(chosen.mean()), float((chosen >= self.best).mean()), price)

    def average(self, name: str) -> Gain:
        """What a model drawn at random gets on average."""
        as_good = (self.scores >= self.best[:, None]).mean()
        price = None if self.prices is None else float(self.prices.mean())
        return Gain(name, float(self.scores.mean()), float(as_good), price)


def _best_and_cheapest(judged: _Judged) -> NDArray[np.int_]:
    """Of the models that did best on a request, the cheapest."""
    prices = np.zeros(judged.scores.shape[1]) if judged.prices is None else judged.prices
    best: NDArray[np.int_] = np.argmin(
        np.where(judged.scores >= judged.best[:, None], prices, np.inf), axis=1
    )
    return best


def _with_a_row(scores: Floats) -> Floats:
    """A model never tried has a mean of 0, without a warning about it."""
    return np.where(np.isnan(scores).all(axis=0), np.float32(0), scores)
