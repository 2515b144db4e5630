import asyncio
import gzip
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.observe import Redactor, configure_logs
from pointsman.transports.api import Limits
from pointsman.transports.api.planned import PLANNED
from pointsman.transports.api.table import ROUTES

from .backend import FakeBackend, call, drive

INTENT = "/api/v1/classify/intent"
POSTS = [route.path for route in ROUTES if route.method == "POST"]

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=12)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    ["text", "messages", "model", "tools", "metadata", "options", "texts", "task_type", "role", "content",
     "confidence_threshold", "trace", "type"]
)  # fmt: skip
NEARLY_RIGHT = st.recursive(
    st.none() | st.booleans() | st.floats() | st.sampled_from(["MoM", "user", "text", "intent", "down"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=15,
)


@pytest.fixture
def quiet() -> Iterator[io.StringIO]:
    """Logs into memory, and logging as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    configure_logs(redactor=Redactor(), stream=out)
    yield out
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_an_error_has_the_semantic_routers_shape() -> None:
    """Code, message and time, with the request's id."""
    answer = call("POST", INTENT, data=b"{", headers={"X-Request-Id": "abc-1"})
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/json")
    error = answer.error
    assert error["code"] == "INVALID_INPUT"
    assert error["message"].startswith("malformed JSON body")
    assert error["timestamp"].endswith("Z")
    assert error["request_id"] == "abc-1"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": 5}, "text"),
        ({"text": "x", "options": {"confidence_threshold": "high"}}, "options.confidence_threshold"),
        ({"text": "x", "options": {"confidence_threshold": 2}}, "options.confidence_threshold"),
        ({"messages": [{"content": "x"}]}, "messages[0].role"),
        ({"text": "   "}, "text"),
        ({}, "text"),
        ({"text": "x", "metadata": {"a": 1}}, "metadata[...]"),
    ],
)
def test_a_wrong_field_is_named(body: Any, field: str) -> None:
    """A wrong type, range or absence is a 400 that says where."""
    answer = call("POST", INTENT, json=body)
    assert answer.status == 400
    assert answer.error["code"] == "INVALID_INPUT"
    assert answer.error["field"] == field


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"text": "\\ud800"}']
)
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """Empty, another type, not UTF-8, nested beyond reason: a 400, never a 500."""
    assert call("POST", INTENT, data=body).status == 400


def test_a_body_larger_than_the_cap_is_refused() -> None:
    """Ten megabytes and a byte are a 413."""
    answer = call("POST", INTENT, data=io.BytesIO(b" " * (10 * 1024 * 1024 + 1)))
    assert answer.status == 413
    assert answer.error["code"] == "PAYLOAD_TOO_LARGE"


def test_a_compressed_bomb_is_refused() -> None:
    """The cap counts what a body becomes, not what it was sent as."""
    bomb = gzip.compress(b" " * (64 * 1024 * 1024))
    answer = call("POST", INTENT, data=bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status == 413


def test_a_broken_encoding_is_refused() -> None:
    """A body that is not what its encoding says is a 400."""
    answer = call("POST", INTENT, data=b"not gzip", headers={"Content-Encoding": "gzip"})
    assert answer.status == 400


def test_a_body_that_never_comes_ends_in_a_timeout() -> None:
    """A client that promises a body and sends none gets a 408."""

    async def silent() -> Any:
        yield b"{"
        await asyncio.sleep(30)

    async def scenario(http: aiohttp.ClientSession) -> int:
        async with http.post(INTENT, data=silent()) as response:
            return response.status

    assert drive(scenario, limits=Limits(body_timeout_s=0.1)) == 408


def test_an_unknown_path_is_a_404() -> None:
    """In the same shape, and it says where to look."""
    answer = call("GET", "/nope")
    assert answer.status == 404
    assert answer.error["code"] == "NOT_FOUND"
    assert "/api/v1" in answer.error["message"]


@pytest.mark.parametrize("path", sorted(PLANNED))
def test_a_planned_path_says_which_version_brings_it(path: str) -> None:
    """An endpoint of the semantic router that is not built is a 404 that says so, for all below it too."""
    for asked in (path, f"{path}/x"):
        answer = call("POST", asked, json={})
        assert answer.status == 404
        assert f"version {PLANNED[path]} brings it" in answer.error["message"]


def test_a_wrong_method_is_a_405() -> None:
    """With the methods that are allowed."""
    answer = call("DELETE", INTENT)
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    assert answer.error["code"] == "METHOD_NOT_ALLOWED"


def test_get_endpoints_answer_head() -> None:
    """A load balancer may probe with HEAD."""
    answer = call("HEAD", "/health")
    assert answer.status == 200
    assert answer.body == b""


def test_a_request_id_is_echoed() -> None:
    """A sensible id comes back, anything else is replaced by one of ours."""
    assert call("GET", "/health", headers={"X-Request-Id": "a-B.1"}).headers["X-Request-Id"] == "a-B.1"
    for bad in ("x" * 129, "a b", "<script>"):
        assert len(call("GET", "/health", headers={"X-Request-Id": bad}).headers["X-Request-Id"]) == 32


def test_a_defect_is_a_500_without_its_insides(quiet: io.StringIO) -> None:
    """The client learns only that it was our fault; the log has the traceback."""
    backend = FakeBackend()
    assert backend.fake is not None
    backend.fake.defect = KeyError("internal detail")
    answer = call("POST", INTENT, json={"text": "PROMPT"}, backend=backend)
    assert answer.status == 500
    assert answer.error["code"] == "INTERNAL_ERROR"
    assert "internal detail" not in answer.body.decode()
    line = json.loads(quiet.getvalue())
    assert "internal detail" in line["exception"]
    assert "PROMPT" not in quiet.getvalue()


def sent(bodies: list[bytes]) -> list[int]:
    """The statuses of each body sent to each POST endpoint."""

    async def scenario(http: aiohttp.ClientSession) -> list[int]:
        statuses = []
        for path in POSTS:
            for body in bodies:
                async with http.post(path, data=body) as response:
                    statuses.append(response.status)
                    json.loads(await response.read())
        return statuses

    return drive(scenario)


@settings(max_examples=40, deadline=None)
@given(st.lists(ANY_JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40), max_size=8))
def test_any_body_is_answered_without_a_5xx(bodies: list[bytes]) -> None:
    """Arbitrary JSON and arbitrary bytes are a 400 or a 200, in JSON, never a defect."""
    assert set(sent(bodies)) <= {200, 400}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(FIELDS, NEARLY_RIGHT, max_size=6), max_size=8))
def test_any_almost_right_body_is_answered_without_a_5xx(bodies: list[dict[str, Any]]) -> None:
    """Known fields with values of any type are a 400 or a 200, in JSON, never a defect."""
    assert set(sent([json.dumps(body).encode() for body in bodies])) <= {200, 400}
