"""One limit: whom it concerns and how much it allows."""

import msgspec

from pointsman.core.request import Identity
from pointsman.quota.window import SLOTS

SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
EVERYONE = frozenset({"", "*"})


class Rule(msgspec.Struct, frozen=True):
    """A limit for each user on each model that it concerns; empty or ``*`` concerns all."""

    name: str
    unit: str = "minute"
    requests: int | None = None
    """Most requests in a unit of time; ``None`` counts none."""
    tokens: int | None = None
    """Most tokens in a unit of time."""
    user: str = ""
    group: str = ""
    model: str = ""
    """Name of the model that was selected."""

    @property
    def unit_s(self) -> float:
        """Length of the window, seconds."""
        return SECONDS[self.unit]

    def slot(self, now: float) -> int:
        """The slot that is running at a moment."""
        return int(now * SLOTS // self.unit_s)

    def begins(self, slot: int) -> float:
        """The moment a slot begins, on the same clock."""
        return slot * self.unit_s / SLOTS

    def __str__(self) -> str:
        bounds = ((self.requests, "requests"), (self.tokens, "tokens"))
        allowed = " and ".join(f"{most} {what}" for most, what in bounds if most is not None)
        return f"{self.name}: at most {allowed} per {self.unit}"

    def concerns(self, identity: Identity, model: str) -> bool:
        """Whether it counts this request."""
        return (
            (self.user in EVERYONE or self.user == identity.user)
            and (self.group in EVERYONE or self.group in identity.groups)
            and (self.model in EVERYONE or self.model == model)
        )
