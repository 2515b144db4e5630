"""Example texts as a few prototypes, and how near a text is to them.

Examples that say nearly the same become one prototype, the normalised mean of their vectors; while there
are more than ``most``, the two nearest are joined. A text's score is ``best_weight`` times its best
similarity plus the rest times the mean of its ``top`` best.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from pointsman.config.model_catalog import PrototypeScoring
from pointsman.signals.base import Floats


class Scoring(msgspec.Struct, frozen=True):
    """How several examples become one score."""

    clustered: bool = True
    similarity: float = 0.9
    """Cosine from which on examples are one."""
    most: int = 8
    best_weight: float = 0.75
    top: int = 2
    lead: float = 0.0
    """What the best rule must be ahead of the second, where only one may win."""

    @classmethod
    def of(cls, *written: PrototypeScoring | None) -> "Scoring":
        """The first that is written; the defaults are the semantic router's."""
        for each in written:
            if each is not None:
                return cls(
                    clustered=each.enabled,
                    similarity=each.cluster_similarity_threshold,
                    most=each.max_prototypes,
                    best_weight=each.best_weight,
                    top=each.top_m,
                    lead=each.margin_threshold,
                )
        return cls()


class Bank(msgspec.Struct, frozen=True):
    """The vectors of several named sets of examples, kept as one matrix."""

    matrix: Floats
    """Shape (rows, dimension), unit rows, one set after the other."""
    spans: Mapping[str, tuple[int, int]]
    """First row of each set, and one past its last."""

    @classmethod
    def of(cls, sets: Mapping[str, Floats]) -> "Bank":
        """Stack the sets; each has at least one row."""
        if not sets:
            return cls(np.zeros((0, 0), dtype=np.float32), {})
        spans: dict[str, tuple[int, int]] = {}
        row = 0
        for name, vectors in sets.items():
            spans[name] = (row, row + len(vectors))
            row += len(vectors)
        return cls(np.concatenate([*sets.values()]).astype(np.float32), spans)

    def similarities(self, query: Floats) -> dict[str, Floats]:
        """The cosine of a text with each vector of each set."""
        cosines = self.matrix @ query
        return {name: cosines[start:end] for name, (start, end) in self.spans.items()}

    def scores(self, query: Floats, scoring: Scoring) -> dict[str, float]:
        """The score of a text in each set."""
        return {name: score(cosines, scoring) for name, cosines in self.similarities(query).items()}


def score(cosines: Floats, scoring: Scoring) -> float:
    """One number for the similarities with a set's prototypes, from -1 to 1."""
    best = np.sort(cosines)[-scoring.top :]
    return float(scoring.best_weight * best[-1] + (1 - scoring.best_weight) * best.mean())


def prototypes(vectors: Floats, scoring: Scoring) -> Floats:
    """At most ``most`` unit rows that stand for some examples; the examples themselves if not clustered."""
    if not scoring.clustered:
        return vectors
    sums = _alike(vectors, scoring.similarity)
    return _joined(sums, scoring.most)


def _alike(vectors: Floats, similarity: float) -> Floats:
    """The sum of each cluster: an example joins the nearest cluster that is near enough, or begins one."""
    sums: list[Floats] = []
    for vector in vectors:
        cosines = [float(vector @ _unit(each)) for each in sums]
        nearest = max(range(len(sums)), key=cosines.__getitem__, default=-1)
        if nearest >= 0 and cosines[nearest] >= similarity:
            sums[nearest] = sums[nearest] + vector
        else:
            sums.append(vector)
    return np.stack(sums)


def _joined(sums: Floats, most: int) -> Floats:
    """Unit rows, the nearest two joined until there are few enough."""
    sums = sums.copy()
    units = np.stack([_unit(each) for each in sums])
    alive = np.ones(len(units), dtype=bool)
    cosines = units @ units.T
    np.fill_diagonal(cosines, -np.inf)
    for _ in range(len(units) - most):
        first, second = sorted(divmod(int(cosines.argmax()), len(units)))
        sums[first] += sums[second]
        units[first] = _unit(sums[first])
        alive[second] = False
        cosines[second, :] = cosines[:, second] = -np.inf
        row = np.where(alive, units @ units[first], -np.inf)
        row[first] = -np.inf
        cosines[first, :] = cosines[:, first] = row
    return units[alive]


def _unit(vector: Floats) -> Floats:
    length = float(np.linalg.norm(vector))
    # Opposite examples may cancel out; a direction of no length is near nothing.
    return vector / np.float32(length) if length else vector


def leaders(scores: Mapping[str, float], lead: float) -> Sequence[str]:
    """Names by score, best first; none where the best is not ``lead`` ahead of the second."""
    ranked = sorted(scores, key=lambda name: (-scores[name], name))
    if len(ranked) > 1 and scores[ranked[0]] - scores[ranked[1]] < lead:
        return ()
    return ranked
