"""The fleet rule: a candidate that nothing can serve now loses to the next."""

from collections.abc import Sequence

from pointsman.core.model import Candidate
from pointsman.fleet.state import FleetState, Status


def serving(candidates: Sequence[Candidate], fleet: FleetState) -> tuple[Candidate, ...]:
    """The candidates that can take a request; failing that, those that work; failing that, all.

    Order is kept. With every candidate down the request still goes to one: the data plane's own retries know
    better than a view that may be seconds old, and its error is the honest one.
    """
    states = [fleet.status(candidate.target.provider) for candidate in candidates]
    for wanted in ({Status.OK}, {Status.OK, Status.SATURATED}):
        found = tuple(c for c, state in zip(candidates, states, strict=True) if state in wanted)
        if found:
            return found
    return tuple(candidates)
