"""Answers that plugins must read, with the real client, engine and Envoy: here a translation reads all of them."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
import pytest

from support.gateway import Engine, Gateway, eventually, http, start_engine, start_gateway

pytestmark = pytest.mark.envoy

HI: list[Any] = [{"role": "user", "content": "hi"}]


def _translated(document: dict[str, Any]) -> None:
    """The example's engines, spoken to in Anthropic's API: every chat answer is read and rewritten."""
    document["providers"]["models"][0]["api_format"] = "anthropic"


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory, engines: list[Engine]) -> Iterator[Gateway]:
    """A gateway that reads every answer."""
    running = start_gateway(tmp_path_factory.mktemp("filtered"), engines, _translated)
    yield running
    assert running.process.stop() == 0, running.process.text()[-4000:]


@pytest.fixture(scope="module")
def slow_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine whose streams last for minutes."""
    running = start_engine(tmp_path_factory.mktemp("slow"), "slow", "--ttft", "5", "--rate", "20")
    yield running
    running.process.stop()


def test_fifty_streams_and_answers_at_once(filtered: Gateway) -> None:
    """All of them are whole, each in its own words, and counted."""

    async def main() -> None:
        async with openai.AsyncOpenAI(
            base_url=f"{filtered.url}/v1", api_key="k", max_retries=0, timeout=60
        ) as client:

            async def stream() -> str:
                chunks = await client.chat.completions.create(
                    model="base-model", messages=HI, max_tokens=40, stream=True
                )
                return "".join([c.choices[0].delta.content or "" async for c in chunks if c.choices])

            async def plain() -> str:
                answer = await client.chat.completions.create(model="base-model", messages=HI, max_tokens=40)
                return answer.choices[0].message.content or ""

            texts = await asyncio.gather(*(each() for _ in range(25) for each in (stream, plain)))
            assert all(text.startswith("I am base-model") for text in texts)

    asyncio.run(main())
    page = http(f"{filtered.api}/metrics").body.decode()
    (line,) = [each for each in page.splitlines() if each.startswith("pointsman_filtered_answers_total{")]
    assert line.startswith('pointsman_filtered_answers_total{outcome="filtered"}')
    assert "pointsman_inflight_filtered_answers 0.0" in page


def test_a_big_stream_arrives_whole(filtered: Gateway) -> None:
    """Thousands of events, every token counted by the engine reaches the client."""
    with filtered.client() as client:
        chunks = list(
            client.chat.completions.create(
                model="base-model",
                messages=HI,
                max_tokens=4000,
                stream=True,
                stream_options={"include_usage": True},
                extra_headers={"x-sim-echo": "0"},
            )
        )
    usage = chunks[-1].usage
    assert usage is not None
    assert sum(1 for c in chunks if c.choices and c.choices[0].delta.content) == usage.completion_tokens


def test_an_answer_over_the_bound_is_an_error(own_gateway: Callable[..., Gateway]) -> None:
    """A document too large to be read whole is a 502 in OpenAI's shape; streams have no such bound."""

    def small(document: dict[str, Any]) -> None:
        _translated(document)
        document["gateway"] = {"limits": {"max_filtered_bytes": 100}}

    with own_gateway(small).client() as client:
        with pytest.raises(openai.InternalServerError, match="larger than the limit of 100 bytes") as caught:
            client.chat.completions.create(model="base-model", messages=HI, max_tokens=40)
        assert caught.value.status_code == 502
        assert list(client.chat.completions.create(model="base-model", messages=HI, stream=True))


def test_no_place_is_a_503(own_gateway: Callable[..., Gateway], slow_engine: Engine) -> None:
    """Beyond ``max_filtered_answers`` a request is refused before its engine hears of it."""

    def one(document: dict[str, Any]) -> None:
        _translated(document)
        document["providers"]["models"][0]["backend_refs"] = [{"endpoint": f"127.0.0.1:{slow_engine.port}"}]
        document["gateway"] = {"limits": {"max_filtered_answers": 1}}

    gateway = own_gateway(one)
    with gateway.client() as client:
        stream = client.chat.completions.create(model="base-model", messages=HI, max_tokens=900, stream=True)
        next(iter(stream))
        before = slow_engine.state()["received"]["/v1/messages"]
        with pytest.raises(openai.InternalServerError, match="1 answers are being filtered") as caught:
            client.chat.completions.create(model="base-model", messages=HI)
        asked = slow_engine.state()["received"]["/v1/messages"]
        assert (caught.value.status_code, asked) == (503, before)
        stream.close()
        eventually("a place is free", lambda: gateway.chat("hi", "base-model").status == 200)


def test_a_killed_router_lets_no_unfiltered_byte_pass(
    own_gateway: Callable[..., Gateway], slow_engine: Engine
) -> None:
    """Killed in the middle, it takes the stream along: what the client has is filtered, and not complete."""

    def slow(document: dict[str, Any]) -> None:
        _translated(document)
        document["providers"]["models"][0]["backend_refs"] = [{"endpoint": f"127.0.0.1:{slow_engine.port}"}]

    gateway = own_gateway(slow)
    with gateway.client() as client:
        answer = client.chat.completions.with_streaming_response.create(
            model="base-model", messages=HI, max_tokens=900, stream=True
        )
        with answer as response:
            pieces = response.iter_bytes()
            seen = [next(pieces)]
            gateway.process.child.send_signal(signal.SIGKILL)
            with pytest.raises(httpx2.HTTPError):
                seen.extend(pieces)
    text = b"".join(seen)
    assert b"chat.completion.chunk" in text
    assert b"content_block_delta" not in text
    assert b"[DONE]" not in text
    for event in text.split(b"\n\n")[:-1]:
        assert json.loads(event.removeprefix(b"data: "))["object"] == "chat.completion.chunk"
