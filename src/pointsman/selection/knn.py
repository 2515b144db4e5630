"""``knn``: the candidate that did best on similar requests of the user's own."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pointsman.config.algorithms import Knn
from pointsman.config.decisions import Decision
from pointsman.core.errors import ConfigError
from pointsman.core.model import Candidate
from pointsman.core.problem import Problem, Severity
from pointsman.selection.base import Asked, Choice
from pointsman.selection.defaults import merged
from pointsman.selection.dependencies import Dependencies
from pointsman.selection.embedder import Embedder
from pointsman.selection.neighbours import Neighbours
from pointsman.selection.outcomes import Outcomes, OutcomesError

_TRAIN: Final = "write one with: pointsman select-train OUTCOMES.jsonl -o FILE.npz"
_QUICK_ROWS: Final = 10_000
"""Rows searched on the event loop, about 2 ms; more are searched in a thread."""


class Voters:
    """Candidates that the file does not know are not chosen, unless it knows none."""

    algorithm = "knn"

    def __init__(self, encoder: Embedder, neighbours: Neighbours) -> None:
        self._encoder = encoder
        self._neighbours = neighbours

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        """The highest score; the first of equals."""
        columns = self._neighbours.models
        known = [candidate for candidate in candidates if candidate.target.name in columns]
        if not known:
            return Choice(candidates[0], "no outcomes of these models", fallback=True)
        vector = await self._encoder.embed(asked.request.text)
        if self._neighbours.rows > _QUICK_ROWS:
            scores = await asyncio.to_thread(self._neighbours.scores, vector)
        else:
            scores = self._neighbours.scores(vector)
        best = max(known, key=lambda candidate: scores[columns[candidate.target.name]])
        return Choice(best, f"did {scores[columns[best.target.name]]:.2f} on similar requests")


def knn(decision: Decision, dependencies: Dependencies) -> Voters:
    """The selector. Raises ``ConfigError`` without a file, or with one of another encoder."""
    common = dependencies.settings.global_.router.model_selection.ml
    own = decision.algorithm.knn if decision.algorithm else None
    settings = merged(Knn, own, common.knn if common else None)
    where = f"{dependencies.where}.algorithm.knn.pretrained_path"
    if not settings.pretrained_path:
        raise _refused(where, "knn has no file of outcomes to choose by", _TRAIN)
    path = Path(common.models_path if common else "", settings.pretrained_path)
    try:
        outcomes = Outcomes.load(path)
    except OutcomesError as error:
        raise _refused(where, f"{path} {error}", _TRAIN) from error
    if outcomes.encoder != dependencies.encoder.identity:
        message = (
            f"{path} was trained with the encoder {outcomes.encoder}, "
            f"this one is {dependencies.encoder.identity}: their vectors cannot be compared"
        )
        raise _refused(where, message, "train it anew with pointsman select-train")
    return Voters(dependencies.encoder, Neighbours(outcomes, settings.k))


def _refused(where: str, message: str, remedy: str) -> ConfigError:
    return ConfigError([Problem(Severity.ERROR, where, message, remedy)])
