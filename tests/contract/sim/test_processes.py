"""Simulated engines as processes of their own, as a router meets them."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
import zmq
import zmq.asyncio

PATIENCE_S = 60
CHAT = "/v1/chat/completions"
LONG = "word " * 200
CODE = "from pointsman.cli.sim import sim; sim()"
FAST = ("--model", "tiny", "--port", "0", "--ttft", "0", "--rate", "0")
ASK = {"do_remote_decode": True, "do_remote_prefill": False}


@dataclass(frozen=True)
class Engines:
    """A process and the addresses it announced."""

    process: asyncio.subprocess.Process
    urls: list[str]


@asynccontextmanager
async def _engines(*arguments: str, count: int = 1) -> AsyncIterator[Engines]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CODE,
        *FAST,
        "--replicas",
        str(count),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        lines = [await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) for _ in range(count)]
        yield Engines(process, [line.decode().split()[-1] for line in lines])
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_S)


def _chat(text: str = LONG, **fields: Any) -> dict[str, Any]:
    return {"model": "tiny", "messages": [{"role": "user", "content": text}], **fields}


async def _ask(http: aiohttp.ClientSession, url: str, **fields: Any) -> tuple[int, Any]:
    async with http.post(url + CHAT, json=_chat(**fields)) as response:
        return response.status, json.loads(await response.read())


def _run(scenario: Any) -> Any:
    async def main() -> Any:
        timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            return await asyncio.wait_for(scenario(http), PATIENCE_S)

    return asyncio.run(main())


def test_blocks_go_from_process_to_process_until_one_dies() -> None:
    """Blocks are fetched from the prefilling process; once it was killed the same exchange is an error."""

    async def scenario(http: aiohttp.ClientSession) -> Any:
        async with (
            _engines("--role", "prefill") as left,
            _engines("--role", "decode", "--kv-load-failure", "fail") as right,
        ):
            found = []
            for kill in (False, True):
                status, answer = await _ask(http, left.urls[0], max_tokens=1, kv_transfer_params=ASK)
                assert status == 200
                if kill:
                    left.process.send_signal(signal.SIGKILL)
                    await left.process.wait()
                params = answer["kv_transfer_params"]
                found.append(await _ask(http, right.urls[0], kv_transfer_params=params))
            return found

    (handed, answer), (lost, error) = _run(scenario)
    assert (handed, answer["choices"][0]["finish_reason"]) == (200, "stop")
    assert (lost, error["error"]["code"]) == (500, 500)


def test_eight_engines_in_one_process_keep_apart() -> None:
    """Replicas share a process and nothing else: names, caches and counters are each one's own."""

    async def scenario(http: aiohttp.ClientSession) -> Any:
        async with _engines("--name", "r", count=8) as engines:
            for _ in range(2):
                await _ask(http, engines.urls[0])
            answers = await asyncio.gather(*(_ask(http, url) for url in engines.urls))
            states = []
            for url in engines.urls:
                async with http.get(f"{url}/sim/state") as response:
                    states.append(await response.json())
            return answers, states

    answers, states = _run(scenario)
    assert [status for status, _ in answers] == [200] * 8
    cached = [answer["usage"]["prompt_tokens_details"]["cached_tokens"] for _, answer in answers]
    assert cached[0] > 0
    assert cached[1:] == [0] * 7
    assert [state["engine"] for state in states] == [f"r-{index}" for index in range(8)]
    assert [state["received"][CHAT] for state in states] == [3, *[1] * 7]


def test_one_subscriber_hears_all_replicas() -> None:
    """Replicas that dial one endpoint are told apart by topic, and number their batches each for itself."""

    async def scenario(http: aiohttp.ClientSession) -> Any:
        context = zmq.asyncio.Context()
        sub = context.socket(zmq.SUB)
        sub.subscribe(b"kv@")
        port = sub.bind_to_random_port("tcp://127.0.0.1")
        heard: dict[str, list[int]] = {}
        try:
            arguments = ("--kv-events", f"tcp://127.0.0.1:{port}", "--kv-events-topic", "kv@{name}@{model}")
            async with _engines(*arguments, count=3) as engines:
                asked = 0
                while len(heard) < 3 or min(map(len, heard.values())) < 3:
                    for url in engines.urls:
                        asked += 1
                        await _ask(http, url, text=f"{asked} {LONG}", max_tokens=1)
                    while await sub.poll(20):
                        topic, sequence, payload = await sub.recv_multipart()
                        assert msgspec.msgpack.decode(payload)[1][0]["type"] == "BlockStored"
                        heard.setdefault(topic.decode(), []).append(int.from_bytes(sequence))
        finally:
            sub.close(0)
            context.term()
        return heard

    heard = _run(scenario)
    assert sorted(heard) == ["kv@sim-0@tiny", "kv@sim-1@tiny", "kv@sim-2@tiny"]
    for numbers in heard.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
