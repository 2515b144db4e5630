"""Who asks: read from the headers that the gateway before us sets after it has checked."""

from collections.abc import Mapping

import msgspec

from pointsman.core.request import Identity


class IdentityHeaders(msgspec.Struct, frozen=True):
    """Names of the headers, in lower case."""

    user: str = "x-authz-user-id"
    groups: str = "x-authz-user-groups"
    team: str = "x-authz-team-id"
    tenant: str = "x-authz-tenant-id"
    session: str = "x-session-id"

    @property
    def asserted(self) -> tuple[str, ...]:
        """What only a trusted proxy may say: who the caller is, and what they belong to.

        The session is the client's own choice and gives no rights.
        """
        return (self.user, self.groups, self.team, self.tenant)

    def read(self, headers: Mapping[str, str]) -> Identity:
        """What a request's headers say; groups are separated by commas."""
        groups = headers.get(self.groups, "")
        return Identity(
            user=headers.get(self.user, "").strip(),
            groups=tuple(group for part in groups.split(",") if (group := part.strip())),
            team=headers.get(self.team, "").strip(),
            tenant=headers.get(self.tenant, "").strip(),
            session=headers.get(self.session, "").strip(),
        )
