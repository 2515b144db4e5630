"""``multi_factor``: quality, latency, cost and load in one score, within service objectives."""

from collections.abc import Mapping, Sequence

import msgspec

from pointsman.config.algorithms import MultiFactor, Slo
from pointsman.config.decisions import Decision
from pointsman.core.errors import Unavailable
from pointsman.core.model import Candidate
from pointsman.fleet.state import Measured
from pointsman.selection.base import Asked, Choice
from pointsman.selection.dependencies import Dependencies
from pointsman.selection.facts import Facts, cheapest, facts_of, require_one_currency
from pointsman.selection.scale import first_best, inverted, normalised


class Measures(msgspec.Struct, frozen=True):
    """One candidate at this moment; ``None`` is not known."""

    quality: float | None = None
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    price: float | None = None
    in_flight: int = 0


class Factors:
    """What is not known neither excludes a candidate nor speaks for or against it."""

    algorithm = "multi_factor"

    def __init__(self, fleet: Measured, facts: Mapping[str, Facts], settings: MultiFactor) -> None:
        self._fleet = fleet
        self._facts = facts
        self._settings = settings

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        """The highest score within the objectives. Raises ``Unavailable`` where none may serve."""
        measured = [self._measure(candidate.target.name) for candidate in candidates]
        within = [index for index, each in enumerate(measured) if meets(each, self._settings.slo)]
        if not within:
            return self._otherwise(candidates, asked)
        scores = scored([measured[index] for index in within], self._settings)
        best = first_best(scores)
        passed = f", {len(candidates) - len(within)} outside the objectives"
        reason = f"score {scores[best]:.2f}{passed if len(within) < len(candidates) else ''}"
        return Choice(candidates[within[best]], reason)

    def _otherwise(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        action = self._settings.on_no_candidates
        if action == "fail":
            raise Unavailable(
                f'no model of the decision "{asked.decision}" meets its objectives now', retry_after=1
            )
        chosen = cheapest(candidates, self._facts) if action == "cheapest" else candidates[0]
        return Choice(chosen, f"none meets the objectives: the {action}")

    def _measure(self, model: str) -> Measures:
        percentile, fact = self._settings.latency_percentile, self._facts[model]
        return Measures(
            quality=fact.quality,
            ttft_ms=self._fleet.ttft_ms(model, percentile),
            tpot_ms=self._fleet.tpot_ms(model, percentile),
            price=fact.price,
            in_flight=self._fleet.in_flight(model),
        )


def meets(measures: Measures, slo: Slo) -> bool:
    """Whether nothing known breaks an objective; one more request must fit under ``max_inflight``."""
    bounds = (
        (measures.ttft_ms, slo.max_ttft_ms),
        (measures.tpot_ms, slo.max_tpot_ms),
        (measures.price, slo.max_cost_per_1m),
        (measures.in_flight + 1, slo.max_inflight),
    )
    return all(value is None or bound is None or value <= bound for value, bound in bounds)


def scored(measured: Sequence[Measures], settings: MultiFactor) -> tuple[float, ...]:
    """Weighted mean of the four factors of each candidate, 0..1."""
    weights = settings.weights
    latency = [each.ttft_ms if settings.latency_metric == "ttft" else each.tpot_ms for each in measured]
    factors = (
        (weights.quality, normalised([each.quality for each in measured])),
        (weights.latency, inverted(normalised(latency))),
        (weights.cost, inverted(normalised([each.price for each in measured]))),
        (weights.load, inverted(normalised([float(each.in_flight) for each in measured]))),
    )
    total = sum(weight for weight, _ in factors) or 1.0
    return tuple(
        sum(weight * values[index] for weight, values in factors) / total for index in range(len(measured))
    )


def multi_factor(decision: Decision, dependencies: Dependencies) -> Factors:
    """The selector. Raises ``ConfigError`` for prices in different currencies."""
    settings = decision.algorithm.multi_factor if decision.algorithm else None
    facts = facts_of(dependencies.candidates, dependencies.settings, dependencies.routing)
    require_one_currency(facts, dependencies.where)
    return Factors(dependencies.fleet, facts, settings or MultiFactor())
