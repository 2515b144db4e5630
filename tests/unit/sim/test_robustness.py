import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sim_lab import Client, chat, drive

from pointsman.sim import RunningSim, SimSettings, running

Post = Callable[..., int]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["stream", "stream_options", "n", "max_tokens", "tools", "echo", "dimensions", "cache_salt"]
ROLE = st.sampled_from(["user", "system", "assistant"])
MESSAGE = st.fixed_dictionaries({"role": ROLE, "content": st.text(max_size=9) | JSON})
NEAR = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(FIELDS, JSON),
        "model": st.just("tiny") | JSON,
        "messages": st.lists(MESSAGE, max_size=3) | JSON,
        "prompt": st.text(max_size=9) | st.lists(st.integers()) | JSON,
        "input": st.text(max_size=9) | st.lists(st.text(max_size=9)) | JSON,
        "tokens": st.lists(st.integers(min_value=0)) | JSON,
        "chat_template_kwargs": st.dictionaries(st.just("thinking"), JSON) | JSON,
        "kv_transfer_params": st.dictionaries(st.just("do_remote_prefill"), JSON) | JSON,
        "max_tokens": st.integers(min_value=1, max_value=9) | JSON,
        "query": st.text(max_size=9) | JSON,
        "documents": st.lists(st.text(max_size=9)) | JSON,
        "text_1": st.text(max_size=9) | JSON,
        "text_2": st.text(max_size=9) | JSON,
        "thinking": JSON,
        "lora_name": st.text(max_size=2) | JSON,
        "lora_path": st.text(max_size=2) | JSON,
        "reasoning_effort": st.none() | st.text(max_size=4) | JSON,
    },
)
PATHS = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/tokenize",
    "/detokenize",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/responses",
    "/rerank",
    "/score",
    "/classify",
    "/pooling",
    "/v1/load_lora_adapter",
    "/v1/unload_lora_adapter",
    "/sim/fault",
    "/sim/kv/pull",
]


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    """Posts to one simulator that lives as long as this module's tests; gives the status."""

    async def start(stack: AsyncExitStack) -> Client:
        sim = await stack.enter_async_context(
            running(SimSettings(model="tiny", ttft_ms=0, rate=0, role="both"))
        )
        return Client(await stack.enter_async_context(aiohttp.ClientSession(sim.url)))

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        http = runner.run(start(stack))
        yield lambda path, body, headers=None: runner.run(http.post(path, body, headers)).status
        runner.run(stack.aclose())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from(PATHS), body=NEAR | JSON, echo=st.booleans())
def test_no_json_gives_a_server_error(post: Post, path: str, body: Any, echo: bool) -> None:
    """Arbitrary JSON, near to a request or far from one, is answered with 2xx or 4xx, echoed or not."""
    headers = {"x-sim-echo": "1"} if echo else None
    assert post(path, json.dumps(body).encode(), headers) < 500


@settings(max_examples=100, deadline=None)
@given(path=st.sampled_from(PATHS), body=st.binary(max_size=60))
def test_bytes_that_are_no_request_are_400(post: Post, path: str, body: bytes) -> None:
    """Arbitrary bytes are a client's error."""
    assert post(path, body) == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"prompt": "\\ud800\\u0041"}',
        b"[" * 50_000,
        b'{"prompt": ' + b"[" * 50_000,
        b'{"n": ' + b"9" * 5000 + b"}",
        b'{"messages": [{"role": "user", "content": "x"}], "extra": 1e400}',
        b'{"messages": [{"role": "user", "content": "x"}], "n": 1000000}',
        b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": 99999999}',
    ],
    ids=["surrogate", "surrogates", "deep", "deep-prompt", "digits", "huge-float", "huge-n", "huge-max"],
)
def test_nasty_bodies_do_no_harm(post: Post, body: bytes) -> None:
    """Lone surrogates, deep nesting, huge numbers and huge demands are 4xx or ignored, never a crash."""
    for path in PATHS:
        assert post(path, body) < 500


def test_a_body_beyond_the_bound_is_413() -> None:
    """A body larger than allowed is refused in vLLM's shape."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        reply = await http.post("/v1/chat/completions", chat("x" * 5000))
        return reply.status, reply.error["code"]

    assert drive(scenario, max_body_bytes=1000) == (413, 413)
