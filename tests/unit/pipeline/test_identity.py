"""Requests whose decisions depend on who asks."""

import asyncio
from typing import Any

import msgspec
import pytest

from pointsman.config import parse
from pointsman.core.request import Head
from pointsman.core.signal import SignalKey
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward, Reply
from pointsman.pipeline import Pipeline
from pointsman.runtime import build

DOCUMENT = """
version: v0.3
providers:
  defaults: {default_model: small}
  models:
    - {name: small, backend_refs: [{endpoint: "127.0.0.1:9"}]}
    - {name: large, backend_refs: [{endpoint: "127.0.0.1:9"}]}
routing:
  signals:
    role_bindings:
      - {name: team, role: premium, subjects: [{kind: Group, name: gold}, {kind: User, name: ann}]}
      - {name: guests, role: premium, subjects: [{kind: User, name: gus}]}
  decisions:
    - {name: premium, rules: {type: authz, name: premium}, modelRefs: [{model: large}]}
    - {name: others, rules: {operator: NOT, conditions: [{type: authz, name: premium}]}, modelRefs: [{model: small}], priority: -1}
"""
CLOSED = "global: {services: {authz: {identity: {user_id_header: X-Who, user_groups_header: X-In}}}}"
OPEN = "global: {services: {authz: {fail_open: true}}}"


def pipeline(more: str) -> Pipeline:
    runtime = build(parse(DOCUMENT + more, {}), {})
    runtime.close()
    return runtime.pipeline


def ask(router: Pipeline, model: str = "MoM", **headers: str) -> Ruling:
    body = msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": "hi"}]})
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(router.route(Head("POST", "/v1/chat/completions", names), body))


def decided(ruling: Ruling) -> Any:
    assert isinstance(ruling.verdict, Forward)
    assert ruling.trace.match is not None
    return ruling.trace.match.decision and ruling.trace.match.decision.name


@pytest.fixture(scope="module")
def closed() -> Pipeline:
    return pipeline(CLOSED)


@pytest.fixture(scope="module")
def opened() -> Pipeline:
    return pipeline(OPEN)


@pytest.mark.parametrize(
    ("headers", "decision"),
    [
        ({"x_who": "ann"}, "premium"),
        ({"x_who": "gus"}, "premium"),
        ({"x_who": "bob", "x_in": "staff, gold"}, "premium"),
        ({"x_who": "bob", "x_in": "staff"}, "others"),
        ({"x_who": "bob", "x_authz_user_groups": "gold"}, "others"),
    ],
)
def test_roles_are_read_from_the_headers_the_document_names(
    closed: Pipeline, headers: dict[str, str], decision: str
) -> None:
    """A role is held by the users and groups of any of its bindings, as the named headers say."""
    assert decided(ask(closed, **headers)) == decision


@pytest.mark.parametrize("headers", [{}, {"x_who": "  "}, {"x_in": "gold"}])
def test_a_request_that_does_not_say_who_asks_is_refused(closed: Pipeline, headers: dict[str, str]) -> None:
    """Where decisions depend on roles, a missing user id is a 403 that names the header."""
    ruling = ask(closed, **headers)
    assert isinstance(ruling.verdict, Reply)
    assert ruling.verdict.status == 403
    error = msgspec.json.decode(ruling.verdict.body)["error"]
    assert (error["type"], error["code"]) == ("permission_error", 403)
    assert "x-who" in error["message"]
    assert not ruling.trace.signals


def test_open_means_routed_without_a_role(opened: Pipeline) -> None:
    """With fail_open the request is served, and neither a role nor its opposite holds."""
    ruling = ask(opened)
    assert decided(ruling) is None
    assert ruling.trace.signals.get(SignalKey("authz", "premium")).error


def test_models_named_by_the_client_need_no_identity(closed: Pipeline) -> None:
    """No decision is asked about a model that the client names, so nothing depends on who asks."""
    assert isinstance(ask(closed, model="small").verdict, Forward)


def test_a_document_without_roles_needs_no_identity() -> None:
    """Bindings that no decision uses refuse nobody."""
    text = DOCUMENT.replace("type: authz, name: premium", "type: keyword, name: hi").replace(
        "  signals:", "  signals:\n    keywords: [{name: hi, keywords: [hi]}]"
    )
    runtime = build(parse(text, {}), {})
    runtime.close()
    assert decided(ask(runtime.pipeline)) == "premium"
