"""Who asks, through the real Envoy: a client that connects directly cannot say it is somebody."""

from collections.abc import Callable
from typing import Any

import pytest

from support.gateway import Gateway

pytestmark = pytest.mark.envoy

WHO = {"X_Authz_User_Id": "ann", "X_Authz_User_Groups": "gold"}


def _members_only(trusted: bool | None) -> Callable[[dict[str, Any]], None]:
    """A decision for the group gold, and no requests at all for the user mallory."""

    def change(settings: dict[str, Any]) -> None:
        routing = settings["routing"]
        routing["signals"]["role_bindings"] = [
            {"name": "paying", "role": "premium", "subjects": [{"kind": "Group", "name": "gold"}]}
        ]
        routing["decisions"].append(
            {
                "name": "members",
                "priority": 1000,
                "rules": {"type": "authz", "name": "premium"},
                "modelRefs": [{"model": "base-model", "lora_name": "general-expert"}],
            }
        )
        rule = {"name": "never", "match": {"user": "mallory"}, "requests_per_unit": 0, "unit": "day"}
        services = settings.setdefault("global", {}).setdefault("services", {})
        services["ratelimit"] = {"providers": [{"type": "local-limiter", "rules": [rule]}]}
        services["authz"] = {"fail_open": True}
        if trusted is not None:
            settings["gateway"] = {"trust_identity_headers": trusted}

    return change


def test_a_client_cannot_say_who_it_is(own_gateway: Callable[..., Gateway]) -> None:
    """By default identity headers mean nothing, reach no engine, and the log says so at the start."""
    gateway = own_gateway(_members_only(None))
    answer, received = gateway.echo("hello there", **WHO)
    assert answer.headers["x-vsr-selected-decision"] != "members"
    assert not [name for name in received["headers"] if name.lower().startswith("x-authz-")]
    assert gateway.chat("hello", "base-model", x_authz_user_id="mallory").status == 200
    (warning,) = gateway.process.lines("not as meant")
    assert warning["path"] == "gateway.trust_identity_headers"


def test_a_trusted_proxy_says_who_asks(own_gateway: Callable[..., Gateway]) -> None:
    """With ``trust_identity_headers`` the same requests hold their role and meet their limit."""
    gateway = own_gateway(_members_only(trusted=True))
    answer = gateway.chat("hello there", **WHO)
    assert answer.headers["x-vsr-selected-decision"] == "members"
    assert gateway.chat("hello", "base-model", x_authz_user_id="mallory").status == 429
    assert gateway.chat("hello", "base-model", x_authz_user_id="alice").status == 200
    assert not gateway.process.lines("not as meant")
