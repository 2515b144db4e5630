"""Roles that the caller holds, by the identity that the gateway before us puts in headers.

A role is held by the users and groups that some binding of it lists. Without a user id nothing is known about
the caller: the signal fails, so that neither the role nor its opposite holds. Whether such a request is
served at all is decided before any signal (``global.services.authz.fail_open``).
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from pointsman.config.signals import Signals
from pointsman.core.request import ChatRequest, Identity
from pointsman.core.signal import Signal, SignalKey

FAMILY: Final = "authz"
UNKNOWN: Final = "no user id in the request"


class RoleBinding(msgspec.Struct, frozen=True):
    """Who holds a role."""

    role: str
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def key(self) -> SignalKey:
        """The signal that conditions refer to."""
        return SignalKey(FAMILY, self.role)


class AuthzEvaluator:
    """All roles in use."""

    family = FAMILY
    immediate = True

    def __init__(self, bindings: Sequence[RoleBinding]) -> None:
        self._bindings = tuple(bindings)
        self.keys = frozenset(binding.key for binding in bindings)

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """One signal for each role, with a confidence of 1 where it is held; ``detail`` names no user."""
        if not request.identity.user:
            return tuple(Signal(key, matched=False, error=UNKNOWN) for key in sorted(self.keys))
        held = dict.fromkeys(sorted(self.keys), "")
        for binding in self._bindings:
            held[binding.key] = held[binding.key] or _how(binding, request.identity)
        return tuple(
            Signal(key, bool(how), confidence=float(bool(how)), detail=how) for key, how in held.items()
        )


def needed(used: AbstractSet[SignalKey]) -> bool:
    """Whether any signal in use depends on who asks."""
    return any(key.family == FAMILY for key in used)


def build(signals: Signals, used: AbstractSet[SignalKey], where: str) -> AuthzEvaluator:  # noqa: ARG001  # one shape for all families
    """The evaluator of the bindings of roles in use."""
    bindings = (
        RoleBinding(
            rule.role,
            users=frozenset(subject.name for subject in rule.subjects if subject.kind == "User"),
            groups=frozenset(subject.name for subject in rule.subjects if subject.kind == "Group"),
        )
        for rule in signals.role_bindings
    )
    return AuthzEvaluator([binding for binding in bindings if binding.key in used])


def _how(binding: RoleBinding, identity: Identity) -> str:
    """By what the caller holds a role; empty where it does not."""
    if identity.user in binding.users:
        return "user"
    return next((f"group {group}" for group in identity.groups if group in binding.groups), "")
