"""Who shares answers."""

from enum import StrEnum

import msgspec

from pointsman.core.request import Identity

ANONYMOUS = "anonymous"


class Scope(StrEnum):
    """The group within which an answer is given again."""

    USER = "user"
    TEAM = "team"
    TENANT = "tenant"
    GLOBAL = "global"


class Sharing(msgspec.Struct, frozen=True):
    """The group of one request."""

    name: str
    """What clients are told: the scope, or ``anonymous``."""
    members: tuple[str, ...]
    """What names the group; no two groups have the same."""

    @property
    def personal(self) -> bool:
        """Whether nobody else is in it."""
        return self.name == Scope.USER


def sharing(scope: Scope, identity: Identity, *, anonymous: bool) -> Sharing | None:
    """The group of who asks; ``None`` where that is not known and ``anonymous`` requests share nothing.

    A user is one within a tenant, a team too. Requests without the identity the scope needs share among
    themselves, within what is known of their tenant and team.
    """
    team = identity.team or (identity.groups[0] if identity.groups else "")
    match scope:
        case Scope.GLOBAL:
            return Sharing(scope, (scope,))
        case Scope.TENANT if identity.tenant:
            return Sharing(scope, (scope, identity.tenant))
        case Scope.TEAM if team:
            return Sharing(scope, (scope, identity.tenant, team))
        case Scope.USER if identity.user:
            return Sharing(scope, (scope, identity.tenant, identity.user))
    if not anonymous:
        return None
    return Sharing(ANONYMOUS, (ANONYMOUS, scope, identity.tenant, team if scope is Scope.USER else ""))
