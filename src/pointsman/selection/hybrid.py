"""``hybrid``: experience, description, worth for the money and price in one score."""

from collections.abc import Mapping, Sequence

from pointsman.config.algorithms import Hybrid, RouterDC
from pointsman.config.decisions import Decision
from pointsman.core.model import Candidate
from pointsman.fleet.state import Measured
from pointsman.selection.base import Asked, Choice
from pointsman.selection.defaults import merged
from pointsman.selection.dependencies import Dependencies
from pointsman.selection.descriptions import Descriptions, describe
from pointsman.selection.facts import Facts, facts_of, require_one_currency
from pointsman.selection.scale import NEUTRAL, first_best, inverted, normalised

Values = Sequence[float | None]


class Blend:
    """The highest score, unless a cheaper candidate is nearly as good."""

    algorithm = "hybrid"

    def __init__(
        self, fleet: Measured, facts: Mapping[str, Facts], descriptions: Descriptions, settings: Hybrid
    ) -> None:
        self._fleet = fleet
        self._facts = facts
        self._descriptions = descriptions
        self._settings = settings

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        """Descriptions are only compared where their weight is not 0."""
        names = [candidate.target.name for candidate in candidates]
        near: Values = (None,) * len(names)
        if self._settings.router_dc_weight:
            near = await self._descriptions.similarities(asked.request.text, candidates)
        prices = [self._facts[name].price for name in names]
        scores = blended(
            [self._fleet.success_share(name) for name in names],
            near,
            [self._facts[name].quality for name in names],
            prices,
            self._settings,
        )
        best = first_best(scores)
        chosen = nearly_as_good(scores, prices, self._settings.quality_gap_threshold)
        cheaper = f", cheaper than {names[best]} at {scores[best]:.2f}" if chosen != best else ""
        return Choice(candidates[chosen], f"score {scores[chosen]:.2f}{cheaper}")


def blended(
    experience: Values, near: Values, quality: Values, prices: Values, settings: Hybrid
) -> tuple[float, ...]:
    """Weighted mean of the four parts; what is not known is neutral."""
    if settings.normalize_scores:
        cheap = inverted(normalised(prices))
        worth = [(good + low) / 2 for good, low in zip(normalised(quality), cheap, strict=True)]
        parts = (normalised(experience), normalised(near), worth, cheap)
    else:
        cheap = tuple(NEUTRAL if price is None else 1 / (1 + price) for price in prices)
        worth = [(good + low) / 2 for good, low in zip(_raw(quality), cheap, strict=True)]
        parts = (_raw(experience), _raw(near), worth, cheap)
    weights = (
        settings.experience_weight,
        settings.router_dc_weight,
        settings.automix_weight,
        settings.cost_weight,
    )
    total = sum(weights) or 1.0
    return tuple(
        sum(weight * part[index] for weight, part in zip(weights, parts, strict=True)) / total
        for index in range(len(prices))
    )


def nearly_as_good(scores: Sequence[float], prices: Values, gap: float) -> int:
    """Index of the cheapest that scores less than ``gap`` below the best; unknown prices never undercut."""
    best = first_best(scores)
    limit = prices[best]
    if limit is None:
        return best
    near = [
        (price, -scores[index], index)
        for index, price in enumerate(prices)
        if price is not None and price < limit and scores[best] - scores[index] < gap
    ]
    return min(near)[2] if near else best


def hybrid(decision: Decision, dependencies: Dependencies) -> Blend:
    """The selector. Raises ``ConfigError`` for prices in different currencies."""
    common = dependencies.settings.global_.router.model_selection
    own = decision.algorithm
    settings = merged(Hybrid, own.hybrid if own else None, common.hybrid)
    facts = facts_of(dependencies.candidates, dependencies.settings, dependencies.routing)
    require_one_currency(facts, dependencies.where)
    words = merged(RouterDC, own.router_dc if own else None, common.router_dc)
    described = facts if settings.router_dc_weight else {}
    return Blend(dependencies.fleet, facts, describe(dependencies.encoder, described, words), settings)


def _raw(values: Values) -> tuple[float, ...]:
    return tuple(NEUTRAL if value is None else min(max(value, 0.0), 1.0) for value in values)
