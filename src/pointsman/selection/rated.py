"""``static`` where a domain rates its models: the best rated of the domain at hand."""

from collections.abc import Mapping, Sequence

from pointsman.config.decisions import Decision
from pointsman.core.model import Candidate
from pointsman.core.signal import SignalSet
from pointsman.selection.base import Asked, Choice
from pointsman.selection.dependencies import Dependencies

_FAMILY = "domain"


class Rated:
    """The best rated candidate of the most certain domain that matched and rates any; else the first.

    Where no domain that rates matched, the rule named like the decision speaks.
    """

    algorithm = "static"

    def __init__(self, ratings: Mapping[str, Mapping[str, float]]) -> None:
        self._ratings = ratings

    async def choose(self, candidates: Sequence[Candidate], asked: Asked) -> Choice:
        """Candidates without a rating lose to those with one; the first of equals wins."""
        for domain in (*_matched(asked.signals), asked.decision):
            scores = self._ratings.get(domain, {})
            rated = [candidate for candidate in candidates if candidate.target.name in scores]
            if rated:
                best = max(rated, key=lambda candidate: scores[candidate.target.name])
                return Choice(best, f"rated {scores[best.target.name]:g} for {domain}")
        return Choice(candidates[0])


def rated(decision: Decision, dependencies: Dependencies) -> Rated | None:
    """The selector where some domain rates a candidate of the decision."""
    names = {candidate.target.name for candidate in dependencies.candidates}
    ratings = {
        rule.name: {score.model: score.score for score in rule.model_scores}
        for rule in dependencies.routing.signals.domains
        if any(score.model in names for score in rule.model_scores)
    }
    del decision
    return Rated(ratings) if ratings else None


def _matched(signals: SignalSet) -> list[str]:
    """Names of the domains that matched, the most certain first."""
    found = [signal for signal in signals if signal.key.family == _FAMILY and signal.matched]
    return [signal.key.name for signal in sorted(found, key=lambda signal: -signal.confidence)]
