"""``router_dc``: the candidate whose description is nearest to the request in meaning."""

import math
from collections.abc import Sequence

from pointsman.config.algorithms import RouterDC
from pointsman.config.decisions import Decision
from pointsman.core.model import Candidate
from pointsman.selection.base import Asked, Choice
from pointsman.selection.defaults import merged
from pointsman.selection.dependencies import Dependencies
from pointsman.selection.descriptions import Descriptions, describe
from pointsman.selection.facts import facts_of


class NearestDescription:
    """Below the least similarity, or without any description, the first candidate is taken."""

    algorithm = "router_dc"

    def __init__(self, descriptions: Descriptions, settings: RouterDC) -> None:
        self._descriptions = descriptions
        self._settings = settings

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        """The nearest; the reason has its cosine and its share of a softmax over all."""
        near = await self._descriptions.similarities(asked.request.text, candidates)
        described = [(value, -index) for index, value in enumerate(near) if value is not None]
        if not described:
            return Choice(candidates[0], "no candidate has a description", fallback=True)
        best, index = max(described)
        least = self._settings.min_similarity
        if best < least:
            return Choice(candidates[0], f"nearest description {best:.2f} < {least:g}", fallback=True)
        share = softmax([value for value, _ in described], best, self._settings.temperature)
        return Choice(candidates[-index], f"description {best:.2f}, share {share:.2f}")


def softmax(values: Sequence[float], one: float, temperature: float) -> float:
    """The share of ``one``, the greatest of ``values``; a lower temperature decides more."""
    return 1.0 / sum(math.exp((value - one) / temperature) for value in values)


def router_dc(decision: Decision, dependencies: Dependencies) -> NearestDescription:
    """The selector; descriptions are encoded now."""
    common = dependencies.settings.global_.router.model_selection.router_dc
    settings = merged(RouterDC, decision.algorithm.router_dc if decision.algorithm else None, common)
    facts = facts_of(dependencies.candidates, dependencies.settings, dependencies.routing)
    return NearestDescription(describe(dependencies.encoder, facts, settings), settings)
