"""Policies through the real Envoy over four engines: who serves what, and what happens when one is gone."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.gateway import Engine, Gateway, eventually, free_port, http, start_engine, start_gateway

pytestmark = pytest.mark.envoy
SYSTEM = {"role": "system", "content": "You answer in short sentences and never guess. " * 40}


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    folder = tmp_path_factory.mktemp("four")
    running = [start_engine(folder, name, "--ttft", "2", "--rate", "5000") for name in "abcd"]
    yield running
    for engine in running:
        engine.process.stop()


@pytest.fixture
def placing(tmp_path: Path, four: list[Engine]) -> Iterator[Callable[..., Gateway]]:
    """Starts a gateway with a policy over the four engines."""
    started: list[Gateway] = []

    def start(policy: str, engines: list[Engine] | None = None, **placement: Any) -> Gateway:
        def change(settings: dict[str, Any]) -> None:
            settings["fleet"] = {"policy": policy, "placement": placement}

        folder = tmp_path / policy
        folder.mkdir()
        started.append(start_gateway(folder, engines or four, change))
        return started[-1]

    yield start
    for gateway in started:
        gateway.process.stop()


def ask(gateway: Gateway, messages: list[dict[str, str]], **headers: str) -> tuple[str, dict[str, str]]:
    """The engine that answered, and the request headers it saw."""
    body = json.dumps({"model": "base-model", "messages": messages}).encode()
    answer = http(f"{gateway.url}/v1/chat/completions", body, x_sim_echo="1", **headers)
    assert answer.status == 200, answer.body
    echo = json.loads(answer.json()["choices"][0]["message"]["content"])
    return echo["engine"], {name.lower(): value for name, value in echo["headers"].items()}


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def idle(gateway: Gateway) -> bool:
    """Whether no placed request is in flight, as far as the gateway's metrics say."""
    page = http(f"{gateway.api}/metrics").body.decode()
    counts = [line for line in page.splitlines() if line.startswith("pointsman_endpoint_in_flight{")]
    return len(counts) == 4 and all(line.endswith(" 0.0") for line in counts)


def test_conversations_stay_and_a_shared_system_prompt_spreads(placing: Callable[..., Gateway]) -> None:
    """The default keeps each conversation at its engine although all share a beginning, and uses all four."""
    gateway = placing("prefixaware")
    histories = [[SYSTEM, user(f"Conversation {number}. " * 400)] for number in range(8)]
    served: list[list[str]] = [[] for _ in histories]
    for turn in range(3):
        for number, history in enumerate(histories):
            served[number].append(ask(gateway, history)[0])
            history += [{"role": "assistant", "content": "Noted. " * 20}, user(f"Next {turn}. " * 20)]
        eventually("all answers ended", lambda: idle(gateway), gateway.process)
    assert all(len(set(turns)) == 1 for turns in served), served
    assert {turns[0] for turns in served} == set("abcd")


def test_sessions_stay_where_they_began(placing: Callable[..., Gateway]) -> None:
    """A header's session always meets the same engine, whatever it says; sessions spread over engines."""
    gateway = placing("session", session={"header": "x-chat", "body": ""})
    engines = {}
    for name in map(str, range(12)):
        served = {ask(gateway, [user(f"Question {turn} of {name}")], x_chat=name)[0] for turn in range(3)}
        assert len(served) == 1
        engines[name] = served.pop()
    assert len(set(engines.values())) >= 3


def test_native_policies_name_no_endpoint(placing: Callable[..., Gateway]) -> None:
    """Round robin is Envoy's: every engine serves, and no destination reaches one."""
    gateway = placing("roundrobin")
    seen = [ask(gateway, [user(f"Hello {number}")]) for number in range(16)]
    counts = Counter(engine for engine, _ in seen)
    assert set(counts) == set("abcd")
    assert all("x-gateway-destination-endpoint" not in headers for _, headers in seen)


def test_no_client_chooses_an_endpoint(placing: Callable[..., Gateway], four: list[Engine]) -> None:
    """A destination in a client's request is replaced by ours, in which every engine has its place."""
    gateway = placing("loadaware")
    forged = f"127.0.0.1:{four[3].port}"
    served = Counter()
    for number in range(12):
        header = {"x_gateway_destination_endpoint": forged}
        engine, headers = ask(gateway, [user(f"Hello {number}")], **header)
        served[engine] += 1
        places = headers["x-gateway-destination-endpoint"].split(",")
        assert sorted(places) == sorted(f"127.0.0.1:{each.port}" for each in four)
        assert places[0] == f"127.0.0.1:{four['abcd'.index(engine)].port}"
    assert len(served) == 4


def test_requests_go_to_the_next_endpoint_when_the_first_is_dead(
    placing: Callable[..., Gateway], tmp_path: Path
) -> None:
    """Not one request fails while an engine dies; its sessions move to the next, and stay there."""
    engines = [start_engine(tmp_path, name, "--ttft", "2", "--rate", "5000") for name in "abcd"]
    try:
        gateway = placing("session", engines, session={"header": "x-chat", "body": ""})
        first, headers = ask(gateway, [user("Hello")], x_chat="one")
        following = headers["x-gateway-destination-endpoint"].split(",")[1]
        engines["abcd".index(first)].process.stop(9)
        served = [ask(gateway, [user(f"Hello {turn}")], x_chat="one")[0] for turn in range(5)]
        assert len(set(served)) == 1
        assert following == f"127.0.0.1:{engines['abcd'.index(served[0])].port}"
    finally:
        for engine in engines:
            engine.process.stop(9)


def test_what_is_in_flight_returns_to_zero(placing: Callable[..., Gateway]) -> None:
    """Placed requests are counted at their endpoint until they end, well or not."""
    gateway = placing("loadaware")
    for number in range(6):
        ask(gateway, [user(f"Hello {number}")])
        broken = gateway.chat("cut", "base-model", x_sim_fault="status:500")
        assert broken.status == 500

    placed = 'pointsman_placements_total{policy="loadaware",pool="base-model"} 12.0'
    eventually(
        "nothing in flight",
        lambda: placed in http(f"{gateway.api}/metrics").body.decode() and idle(gateway),
        gateway.process,
    )


def indexed(gateway: Gateway) -> bool:
    page = http(f"{gateway.api}/metrics").body.decode()
    line = next(
        (line for line in page.splitlines() if "placement_index_bytes " in line and line[0] != "#"), ""
    )
    return bool(line) and not line.endswith(" 0.0")


def requests(engine: Engine) -> int:
    """Requests an engine has finished."""
    page = http(f"{engine.url}/metrics").body.decode()
    lines = [line for line in page.splitlines() if line.startswith("vllm:request_success_total")]
    return int(sum(float(line.rpartition(" ")[2]) for line in lines))


def test_engines_tell_what_they_cache(tmp_path: Path) -> None:
    """The policy kvaware sends a prompt to the engine that has it, although it came there past the gateway."""
    pytest.importorskip("zmq")
    ports = [(free_port(), free_port()) for _ in "abcd"]
    engines = [
        start_engine(
            tmp_path,
            name,
            *("--ttft", "2", "--rate", "5000"),
            *("--kv-events", f"tcp://*:{events}", "--kv-events-replay", f"tcp://*:{replay}"),
        )
        for name, (events, replay) in zip("abcd", ports, strict=True)
    ]
    folder = tmp_path / "gateway"
    folder.mkdir()

    def change(settings: dict[str, Any]) -> None:
        del settings["providers"]["models"][0]["backend_refs"]
        settings["fleet"] = {
            "policy": "kvaware",
            "static": [
                {
                    "address": f"127.0.0.1:{engine.port}",
                    "model": "base-model",
                    "labels": {"kv-events-port": str(events), "kv-replay-port": str(replay)},
                }
                for engine, (events, replay) in zip(engines, ports, strict=True)
            ],
        }

    try:
        long = [SYSTEM, user("A prompt that one engine knows. " * 100)]
        body = json.dumps({"model": "base-model", "messages": long}).encode()
        assert http(f"{engines[2].url}/v1/chat/completions", body).status == 200
        gateway = start_gateway(folder, engines, change)
        try:
            eventually("the engine's blocks known", lambda: indexed(gateway), gateway.process)
            for turn in range(3):
                messages = [*long, user(f"More {turn}")]
                body = json.dumps({"model": "base-model", "messages": messages}).encode()
                assert http(f"{gateway.url}/v1/chat/completions", body).status == 200
            assert [requests(engine) for engine in engines] == [0, 0, 4, 0]
        finally:
            gateway.process.stop()
    finally:
        for engine in engines:
            engine.process.stop(9)
