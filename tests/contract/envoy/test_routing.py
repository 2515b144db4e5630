"""A decision, and nothing else, brings a request to a pool."""

import asyncio
import json
from typing import Any

import pytest
from envoy_lab import Lab, eventually

from pointsman.core import headers as names
from pointsman.transports.envoy.plan import Limits
from pointsman.transports.wire import contract

pytestmark = pytest.mark.envoy

_FORGED = [
    *((name, "main") for name in names.INTERNAL_REQUEST_HEADERS),
    ("X-Pointsman-POOL", "main"),
    ("x-pointsman-pool", "main"),
    ("x-pointsman-anything", "1"),
    ("X-VSR-Looper-Whatever", "1"),
    ("x-envoy-retry-on", "5xx"),
    ("x-envoy-upstream-rq-timeout-ms", "1"),
]


def _unshaped(body: Any, status: int, kind: str) -> str:
    """What is wrong with an OpenAI error body; empty when nothing is."""
    if not isinstance(body, dict) or set(body) != {"error"}:
        return f"not an error object: {body!r}"
    error = body["error"]
    if set(error) != {"message", "type", "param", "code"} or not error["message"]:
        return f"wrong fields: {error!r}"
    return "" if (error["code"], error["type"]) == (status, kind) else f"wrong code or type: {error!r}"


def test_the_decided_pool_serves_the_request_and_the_pool_header_stays_inside() -> None:
    """The router's pool header selects the cluster; the engine sees the logical model, not the pool."""

    async def body() -> None:
        async with Lab() as lab:
            one, two = lab.backends
            assert await lab.update(lab.pool("main", one), lab.pool("other/model", two))
            assert (await lab.ask(pool="main"))[1] == {"backend": "b0"}
            assert (await lab.ask(pool="other/model"))[1] == {"backend": "b1"}
            seen = {name.lower(): value for name, value in two.seen[-1]["headers"].items()}
            assert seen[names.SELECTED_MODEL] == "logical"
            assert [name for name in seen if name.startswith(("x-pointsman", "x-envoy"))] == []

    asyncio.run(body())


def test_a_clients_copies_of_internal_headers_have_no_effect() -> None:
    """In any case and number, forged headers do not reach the router, nor choose a pool when it is down."""

    async def body() -> None:
        async with Lab() as lab:
            status, error, _ = await lab.ask(pool=None, headers=_FORGED)
            assert status == 503
            assert not _unshaped(error, 503, "service_unavailable")
            assert "could not decide" in error["error"]["message"]
            head = lab.decider.heads[-1]
            assert not {name.lower() for name, _ in _FORGED} & head.keys()
            await lab.decider.stop()
            assert (await lab.ask(pool="main", headers=_FORGED))[0] == 503
            assert not any(backend.seen for backend in lab.backends)

    asyncio.run(body())


def test_the_router_is_told_that_the_data_plane_is_managed() -> None:
    """Our Envoy adds the metadata by which the server knows that it may end the stream after its answer."""

    async def body() -> None:
        async with Lab() as lab:
            await lab.ask()
            assert lab.decider.metadata[-1][contract.DATA_PLANE] == contract.MANAGED

    asyncio.run(body())


def test_a_router_that_answers_too_late_leaves_the_request_undecided() -> None:
    """After the decision timeout a request takes the fallback: a 503, unless the operator chose a pool."""

    async def body() -> None:
        late = {"decide": {"pool": "main", "delay_s": 5}}
        async with Lab(limits=Limits(decision_timeout_s=0.3)) as lab:
            status, error, headers = await lab.ask(late)
            assert status == 503
            assert not _unshaped(error, 503, "service_unavailable")
            assert headers["retry-after"] == "1"
        async with Lab(limits=Limits(decision_timeout_s=0.3), default_pool="main") as lab:
            assert (await lab.ask(late))[0] == 200

    asyncio.run(body())


def test_the_routers_own_replies_pass_unchanged() -> None:
    """Envoy's error texts never replace a reply the router made, whatever its status."""

    async def body() -> None:
        async with Lab() as lab:
            for status in (200, 400, 404, 413, 429, 503):
                got, reply, _ = await lab.ask({"decide": {"reply": status}})
                assert (got, reply) == (status, {"error": {"message": "mine"}})

    asyncio.run(body())


def test_response_headers_come_from_the_decision_and_depend_on_the_status() -> None:
    """Decision headers are on every answer, success headers on 2xx only, unsafe and absent values on none."""

    async def body() -> None:
        metadata = {
            contract.RESPONSE_HEADERS: {"x-vsr-schema-version": "2", "x-bad": "a\r\nb", "x-number": 3},
            contract.SUCCESS_HEADERS: {"x-vsr-selected-model": "m"},
        }
        script = {"decide": {"pool": "main", "metadata": metadata}}
        async with Lab(replicas=1, retries=0) as lab:
            _, _, good = await lab.ask(script)
            lab.backends[0].status = 500
            status, text, failed = await lab.ask(script)
            await lab.backends[0].stop()
            gone, error, refused = await lab.ask(script)
        assert good["x-vsr-schema-version"] == failed["x-vsr-schema-version"] == "2"
        assert refused["x-vsr-schema-version"] == "2"
        assert good["x-vsr-selected-model"] == "m"
        assert (status, text) == (500, "engine says no")
        assert "x-vsr-selected-model" not in failed.keys() | refused.keys()
        assert not {"x-bad", "x-number"} & good.keys()
        assert gone == 503
        assert not _unshaped(error, 503, "service_unavailable")
        assert good["server"] == "pointsman"
        assert "x-request-id" in good

    asyncio.run(body())


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1/models", {"under_score": "1"}, 400),
        ("GET", "/v1/models", {"upgrade": "websocket", "connection": "upgrade"}, 403),
        ("GET", "/v1/models", {"x-long": "x" * 8000, **{f"x-{n}": "y" * 8000 for n in range(9)}}, 431),
    ],
)
def test_requests_that_envoy_refuses_are_answered_in_the_openai_shape(
    method: str, path: str, headers: dict[str, str], status: int
) -> None:
    """What Envoy finds malformed is an ``invalid_request_error`` with Envoy's status."""

    async def body() -> None:
        async with Lab(replicas=1) as lab, lab.session.request(method, path, headers=headers) as response:
            assert response.status == status
            assert response.headers["content-type"] == "application/json"
            assert not _unshaped(json.loads(await response.text()), status, "invalid_request_error")

    asyncio.run(body())


def test_a_body_over_the_limit_is_a_413_in_the_openai_shape_and_one_below_passes() -> None:
    """The body limit is the plan's, and the answer names it."""

    async def body() -> None:
        async with Lab(replicas=1, limits=Limits(max_body_bytes=2 << 20)) as lab:
            status, error, _ = await lab.ask({"pad": "x" * (3 << 20)})
            assert status == 413
            assert not _unshaped(error, 413, "invalid_request_error")
            assert str(2 << 20) in error["error"]["message"]
            assert (await lab.ask({"pad": "x" * 1_900_000}))[0] == 200
            assert len(lab.backends[0].seen[-1]["body"]) > 1_900_000

    asyncio.run(body())


def test_the_router_may_rewrite_body_path_and_headers() -> None:
    """A new body of another length, a new path and removed credentials reach the engine as decided."""

    async def body() -> None:
        async with Lab(replicas=1) as lab:
            new = json.dumps({"model": "other", "pad": "y" * 500})
            decide = {
                "pool": "main",
                "body": new,
                "set": {":path": "/v1/other", "content-length": str(len(new)), "x-set": "1"},
                "remove": ["authorization"],
            }
            assert (await lab.ask({"decide": decide}, headers={"authorization": "Bearer x"}))[0] == 200
            seen = lab.backends[0].seen[-1]
            assert (seen["path"], seen["body"]) == ("/v1/other", new.encode())
            assert seen["headers"]["x-set"] == "1"
            assert "Authorization" not in seen["headers"]

    asyncio.run(body())


def test_outcomes_tell_how_each_request_ended() -> None:
    """The access log carries id, pool, model, replica, durations and the decision's metadata to Python."""

    async def body() -> None:
        async with Lab(replicas=1) as lab:
            _, _, headers = await lab.ask({"decide": {"pool": "main", "metadata": {"decision": "d1"}}})
            await lab.ask(pool=None, params={"secret": "1"})
            await eventually(lambda: len(lab.outcomes) == 2, "two outcomes")
            served, refused = sorted(lab.outcomes, key=lambda outcome: outcome.status)
            assert served.request_id == headers["x-request-id"] == lab.decider.heads[0]["x-request-id"]
            assert (served.status, served.pool, served.model, served.attempts) == (200, "main", "logical", 1)
            assert served.endpoint == f"127.0.0.1:{lab.backends[0].port}"
            assert served.completed
            assert 0 < (served.ttfb_ms or 0) <= served.duration_ms
            assert served.metadata["decision"] == "d1"
            assert (refused.status, refused.pool, refused.endpoint) == (503, "", "")
            assert (refused.method, refused.path) == ("POST", "/v1/chat/completions")
            assert refused.undecided
            assert not served.undecided
            assert not refused.completed

    asyncio.run(body())
