"""What similar past requests say of each model; pure."""

import numpy as np

from pointsman.selection.embedder import Floats
from pointsman.selection.outcomes import Outcomes


class Neighbours:
    """The mean score of each model over the ``k`` most similar requests, and its mean over all as one more.

    That one more vote keeps few neighbours from deciding by chance and speaks alone where none tried a model.
    """

    def __init__(self, outcomes: Outcomes, k: int) -> None:
        self._vectors = outcomes.vectors
        self._k = min(k, len(outcomes.vectors))
        self.models = {name: column for column, name in enumerate(outcomes.models)}
        tried = ~np.isnan(outcomes.scores)
        self._tried = tried.astype(np.float32)
        self._scores = np.where(tried, outcomes.scores, np.float32(0))
        self._means = self._scores.sum(axis=0) / np.maximum(self._tried.sum(axis=0), 1)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._vectors.shape[1])

    @property
    def rows(self) -> int:
        """How many requests are remembered."""
        return len(self._vectors)

    def scores(self, vector: Floats) -> Floats:
        """One score a model, in the order of ``models``."""
        near = self._vectors @ vector
        rows = np.argpartition(-near, self._k - 1)[: self._k] if self._k < len(near) else slice(None)
        votes = self._tried[rows].sum(axis=0)
        found: Floats = (self._scores[rows].sum(axis=0) + self._means) / (votes + 1)
        return found
