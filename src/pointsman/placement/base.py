"""The parts a policy is made of: filters leave endpoints out, scorers grade the rest, a picker chooses."""

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from pointsman.core.endpoint import Endpoint, Role
from pointsman.fleet.load import IDLE, EndpointLoad


class Asked(msgspec.Struct, frozen=True):
    """What a placement may depend on, beside the endpoints."""

    model: str = ""
    """The name the engine is asked for: the base model or an adapter."""
    base: str = ""
    """The model an adapter adapts; empty where ``model`` is no adapter."""
    session: str = ""
    """What keeps a session together; empty where the request does not say."""
    keys: tuple[int, ...] = ()
    """The prompt's blocks; see ``prompt_keys``."""
    tokens: int = 0
    """Estimated length of the prompt."""
    usual_tokens: float = 0.0
    """Mean length of lately placed prompts; 0 before the first."""
    role: Role = Role.BOTH
    """``PREFILL`` or ``DECODE`` where the fleet separates them."""
    subset: frozenset[str] = frozenset()
    """Addresses the caller restricts the choice to; empty for no restriction."""


class View(msgspec.Struct, frozen=True):
    """One endpoint at the moment of the choice."""

    endpoint: Endpoint
    load: EndpointLoad = IDLE
    cached: int = 0
    """Tokens of the prompt that its cache is expected to have."""
    spare: float = math.inf
    """Age of what the rest of the prompt would push out of its cache, in prompts placed since it was used;
    infinite where there is room."""

    @property
    def address(self) -> str:
        """``host:port``."""
        return self.endpoint.address


Scores = Sequence[float]


class Filter(Protocol):
    """Leaves out endpoints that must not, or rather should not, serve a request."""

    def __call__(self, asked: Asked, views: Sequence[View]) -> Sequence[View]:
        """Those that may serve it, in the order given. None at all is an answer, too."""


class Scorer(Protocol):
    """Grades endpoints. Pure: the same views get the same scores."""

    @property
    def name(self) -> str:
        """What the grade is about, one word."""

    def __call__(self, asked: Asked, views: Sequence[View]) -> Scores:
        """For each view a score between 0 and 1, the higher the better."""


class Picker(Protocol):
    """Orders endpoints by their total score, best first."""

    def __call__(self, asked: Asked, views: Sequence[View], totals: Scores) -> Sequence[int]:
        """Indexes of ``views``, the one to use first, then its fallbacks. ``views`` is never empty."""


class Weighed(msgspec.Struct, frozen=True):
    """A scorer and how much its word counts."""

    scorer: Scorer
    weight: float = 1.0


class Profile(msgspec.Struct, frozen=True):
    """Filters, then scorers, then a picker: one choice of one endpoint."""

    filters: tuple[Filter, ...]
    scorers: tuple[Weighed, ...]
    picker: Picker

    def choose(self, asked: Asked, views: Sequence[View]) -> "Choice | None":
        """The order to try endpoints in; ``None`` when no endpoint may serve the request."""
        for each in self.filters:
            views = each(asked, views)
            if not views:
                return None
        parts: dict[str, Scores] = {}
        totals = [0.0] * len(views)
        for weighed in self.scorers:
            scores = parts[weighed.scorer.name] = weighed.scorer(asked, views)
            weight = weighed.weight
            totals = [total + weight * score for total, score in zip(totals, scores, strict=True)]
        return Choice(tuple(views), self.picker(asked, views, totals), totals, parts)


class Choice(msgspec.Struct, frozen=True):
    """What a profile made of its endpoints. Indexes refer to ``views``."""

    views: tuple[View, ...]
    order: Sequence[int]
    totals: Scores
    parts: Mapping[str, Scores]

    @property
    def first(self) -> View:
        """The endpoint to use."""
        return self.views[self.order[0]]
