from pathlib import Path
from typing import Any

import pytest

from pointsman.config import Settings
from pointsman.core.problem import Severity
from pointsman.signals.untrusted import unheard_identity
from pointsman.transports.envoy.planning import plan_from

ROLES = {
    "signals": {
        "role_bindings": [{"name": "a", "role": "admin", "subjects": [{"kind": "User", "name": "ann"}]}]
    },
    "decisions": [{"name": "d", "rules": {"type": "authz", "name": "admin"}, "modelRefs": [{"model": "m"}]}],
}
UNUSED = {"signals": ROLES["signals"], "decisions": []}


def settings(routing: Any = None, limit: Any = None, *, trusted: bool = False, **more: Any) -> Settings:
    services: dict[str, Any] = {"authz": {"identity": {"user_id_header": "X-User"}}}
    if limit is not None:
        rule = {"name": "few", "match": limit, "requests_per_unit": 1}
        services["ratelimit"] = {"providers": [{"type": "local-limiter", "rules": [rule]}]}
    document = {
        "version": "v0.3",
        "routing": routing or {},
        "global": {"services": services},
        "gateway": {"trust_identity_headers": trusted},
        **more,
    }
    return Settings.model_validate(document)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (settings(ROLES), "the authz conditions"),
        (settings(recipes=[{"name": "r", "routing": ROLES}]), "of the recipe r"),
        (settings(limit={"user": "ann"}), "the rate limit few"),
        (settings(limit={"group": "gold"}), "the rate limit few"),
    ],
)
def test_what_needs_callers_nobody_vouches_for_is_warned_of(document: Settings, named: str) -> None:
    """Roles in use and limits on somebody are named, with the headers that go and the key that keeps them."""
    (problem,) = unheard_identity(document)
    assert problem.severity is Severity.WARNING
    assert problem.path == "gateway.trust_identity_headers"
    assert named in problem.message
    assert "x-user, x-authz-user-groups, x-authz-team-id, x-authz-tenant-id" in problem.message
    assert ("403" in problem.message) == ("authz" in named or "recipe" in named)


@pytest.mark.parametrize(
    "document",
    [
        settings(),
        settings(UNUSED),
        settings(limit={}),
        settings(limit={"user": "*"}),
        settings(limit={"model": "m"}),
        settings(ROLES, {"user": "ann"}, trusted=True),
    ],
)
def test_nothing_is_said_where_nothing_needs_them(document: Settings) -> None:
    """Unused bindings, limits on everyone and a trusted proxy are no reason to warn."""
    assert not unheard_identity(document)


def test_our_own_envoy_is_told_to_remove_them() -> None:
    """The plan names the document's identity headers, in lower case, unless a proxy is trusted."""
    removed = plan_from(settings(), Path("/run")).unheard_headers
    assert removed == ("x-user", "x-authz-user-groups", "x-authz-team-id", "x-authz-tenant-id")
    assert plan_from(settings(trusted=True), Path("/run")).unheard_headers == ()
