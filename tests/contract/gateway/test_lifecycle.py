import contextlib
import json
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.gateway import EXAMPLE, Engine, Gateway, eventually, free_port, http, spawn, start_engine

pytestmark = pytest.mark.envoy

Start = Callable[..., Gateway]
ASK = [{"role": "user", "content": "What is the derivative of x^3?"}]


def envoy_of(gateway: Gateway) -> int:
    pid = gateway.process.child.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next(int(child) for child in children if b"envoy" in Path(f"/proc/{child}/cmdline").read_bytes())


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return False


def slow_stream(gateway: Gateway):  # noqa: ANN201  # an openai.Stream of chunks
    """A stream of 40 chunks, 50 ms apart, of which one was read."""
    stream = gateway.client().chat.completions.create(
        model="MoM", messages=ASK, stream=True, max_tokens=40, extra_headers={"x-sim-echo": "1"}
    )
    next(stream)
    return stream


@pytest.fixture
def slow_gateway(tmp_path: Path, own_gateway: Start) -> Iterator[Gateway]:
    engine = start_engine(tmp_path, "slow", "--rate", "20", "--answer-tokens", "40")

    def only(document: dict) -> None:
        backends = [{"endpoint": f"127.0.0.1:{engine.port}"}]
        document["providers"]["models"][0]["backend_refs"] = backends

    yield own_gateway(only)
    engine.process.stop()


def test_a_killed_router_cuts_no_stream_and_lets_nothing_new_in(slow_gateway: Gateway) -> None:
    """With the router SIGKILLed mid-answer, that answer ends whole and a new request gets a shaped 503."""
    envoy = envoy_of(slow_gateway)
    stream = slow_stream(slow_gateway)
    slow_gateway.process.child.kill()
    slow_gateway.process.child.wait()
    try:
        refused = slow_gateway.chat("hello")
        assert refused.status == 503
        assert refused.json()["error"]["type"] == "service_unavailable"
        assert "retry-after" in refused.headers
        rest = list(stream)
        assert rest[-1].choices[0].finish_reason is not None
    finally:
        os.kill(envoy, signal.SIGKILL)


def test_a_stop_lets_a_running_stream_finish(slow_gateway: Gateway) -> None:
    """SIGTERM during an answer: the answer ends whole, the process exits with 0 and leaves nothing behind."""
    envoy = envoy_of(slow_gateway)
    stream = slow_stream(slow_gateway)
    slow_gateway.process.child.send_signal(signal.SIGTERM)
    rest = list(stream)
    assert rest[-1].choices[0].finish_reason is not None
    assert slow_gateway.process.stop() == 0
    assert not alive(envoy)
    held = [
        path for path in Path(tempfile.gettempdir()).glob("pointsman-*") if (path / "bootstrap.json").exists()
    ]
    mine = [path for path in held if str(slow_gateway.port) in (path / "bootstrap.json").read_text()]
    assert mine == []


def test_envoy_comes_back_after_a_crash(own_gateway: Start) -> None:
    """A crashed Envoy is started again and the gateway serves as before; the restart is counted."""
    gateway = own_gateway()
    first = envoy_of(gateway)
    os.kill(first, signal.SIGKILL)
    eventually("serving again", lambda: not alive(first) and gateway.ready(), gateway.process)

    def answers() -> bool:
        with contextlib.suppress(OSError):
            return gateway.chat("hello").status == 200
        return False

    eventually("answering again", answers, gateway.process)
    eventually(
        "the restart counted",
        lambda: b"pointsman_envoy_restarts_total 1.0" in http(f"{gateway.api}/metrics").body,
    )


def test_a_dead_replica_is_not_noticed(own_gateway: Start, engines: list[Engine]) -> None:
    """With one of two replicas refusing connections, every request still succeeds on the other."""
    dead = {"endpoint": f"127.0.0.1:{free_port()}"}
    live = {"endpoint": f"127.0.0.1:{engines[0].port}"}

    def replicas(document: dict) -> None:
        document["providers"]["models"][0]["backend_refs"] = [dead, live]

    gateway = own_gateway(replicas)
    assert [gateway.chat("hello").status for _ in range(20)] == [200] * 20


def test_no_live_replica_is_a_shaped_503(own_gateway: Start) -> None:
    """With every replica gone, the client gets 503 in OpenAI's shape."""

    def nowhere(document: dict) -> None:
        refs = [{"endpoint": f"127.0.0.1:{free_port()}"}]
        document["providers"]["models"][0]["backend_refs"] = refs

    answer = own_gateway(nowhere).chat("hello")
    assert answer.status == 503
    assert answer.json()["error"]["type"] == "service_unavailable"


@pytest.mark.parametrize("taken", ["listener", "api"])
def test_a_port_in_use_is_said_plainly(tmp_path: Path, taken: str) -> None:
    """Whichever port is taken, the start fails at once, naming it and a remedy, without a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        listener, api = (port, free_port()) if taken == "listener" else (free_port(), port)
        config = tmp_path / "config.yaml"
        config.write_text(EXAMPLE.read_text().replace("port: 8801", f"port: {listener}"))
        process = spawn(tmp_path / "log", "serve", "-c", str(config), "--api-port", str(api))
        assert process.child.wait(30) == 1
    text = process.text()
    assert f"127.0.0.1:{port}" in text
    assert "in use" in text
    assert "Traceback" not in text


def test_each_request_leaves_one_line_without_its_text(own_gateway: Start) -> None:
    """Id, decision, model, endpoint, status and durations are logged; the prompt and the key are not."""
    gateway = own_gateway()
    answer = gateway.chat(
        "CANARYPROMPT: what is the derivative of f(x) = x^3?", authorization="Bearer sk-CANARYKEY"
    )
    gateway.chat("x", model="CANARYMODEL")
    lines = eventually(
        "two lines", lambda: found if len(found := gateway.process.lines("request")) >= 2 else None
    )
    line = next(line for line in lines if line["status"] == 200)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert (line["decision"], line["model"], line["pool"]) == ("math_decision", "math-expert", "base-model")
    assert line["endpoint"] in {f"127.0.0.1:{engine.port}" for engine in gateway.engines}
    assert {"duration_ms", "ttft_ms", "decision_us", "phases_us"} <= line.keys()
    assert len([line for line in lines if line["status"] == 400]) == 1
    assert "CANARYPROMPT" not in gateway.process.text()
    assert "CANARYKEY" not in gateway.process.text()


def test_metrics_count_what_happened(own_gateway: Start) -> None:
    """Requests appear under their decision, model and status; a made-up model name becomes no label."""
    gateway = own_gateway()
    for _ in range(3):
        gateway.chat("What is the derivative of x^3?")
    gateway.chat("x", model="made-up-name")
    wanted = b'pointsman_requests_total{decision="math_decision",model="math-expert",status="200"} 3.0'
    eventually("three counted", lambda: wanted in http(f"{gateway.api}/metrics").body)
    assert b"made-up-name" not in http(f"{gateway.api}/metrics").body


def test_memory_stays_within_its_bound(own_gateway: Callable[..., Gateway]) -> None:
    """The router with its encoder loaded holds at most 300 MB, Envoy at most 100 MB.

    Of a gateway that has seen no huge bodies: what those took, the allocator keeps.
    """
    gateway = own_gateway()
    gateway.echo("What is the derivative of x^3?")
    page = os.sysconf("SC_PAGE_SIZE")

    def resident_mb(pid: int) -> float:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page / 1e6

    assert resident_mb(gateway.process.child.pid) <= 300
    assert resident_mb(envoy_of(gateway)) <= 100


def test_the_management_api_is_honest_and_apart(gateway: Gateway) -> None:
    """Ready says so on its own port; a classification matches the routing; no secret is in the document."""
    assert http(f"{gateway.api}/ready").json()["status"] == "ready"
    body = json.dumps({"text": "What is the derivative of x^3?"}).encode()
    classified = http(f"{gateway.api}/api/v1/classify/intent", body).json()
    assert classified["recommended_model"] == "math-expert"
    assert http(f"{gateway.api}/config").status == 200
    assert http(f"{gateway.api}/openapi.json").json()["openapi"].startswith("3.")
