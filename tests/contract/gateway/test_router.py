"""`pointsman router` with the production stack's flags, through the real Envoy and OpenAI's own client."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import openai
import pytest

from pointsman.config.fleet import Fleet
from support.gateway import Engine, Gateway, eventually, free_port, http, spawn

pytestmark = pytest.mark.envoy

LINE = re.compile(
    r"Routing request (\S+) with session id (\S+) to (http://\S+) at (\d+\.\d+), process time = (\d+\.\d{4})"
)
Start = Callable[..., Gateway]


@pytest.fixture
def start(tmp_path: Path, engines: list[Engine]) -> Iterator[Start]:
    """Starts routers over both engines."""
    started: list[Gateway] = []

    def run(*flags: str) -> Gateway:
        port, api_port = free_port(), free_port()
        urls = ",".join(engine.url for engine in engines)
        process = spawn(
            tmp_path / f"router-{len(started)}.log",
            *("router", "--host", "127.0.0.1", "--port", str(port), "--api-port", str(api_port)),
            *("--service-discovery", "static", "--static-backends", urls),
            *("--static-models", ",".join("base-model" for _ in engines), *flags),
        )
        gateway = Gateway(process, port, api_port, engines)
        started.append(gateway)
        eventually("the router serving", lambda: "serving on" in process.text() and gateway.ready(), process)
        return gateway

    yield run
    for gateway in started:
        gateway.process.stop()


def ask(gateway: Gateway, model: str = "base-model", **headers: str) -> str:
    """One answer's request id, by OpenAI's client."""
    answer = gateway.client().chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": "hello"}], extra_headers=headers
    )
    assert answer.parse().choices[0].message.content
    return str(answer.headers["x-request-id"])


def routed(gateway: Gateway, count: int) -> list[tuple[str, ...]]:
    """The routing lines, once there are that many."""
    eventually("routing lines", lambda: len(LINE.findall(gateway.process.text())) >= count, gateway.process)
    return LINE.findall(gateway.process.text())


def test_round_robin_over_static_backends(start: Start, engines: list[Engine]) -> None:
    """Both engines serve alike; each request leaves the line that scripts read, with the URL as it was given."""
    gateway = start("--routing-logic", "roundrobin")
    asked = [ask(gateway) for _ in range(8)]
    lines = routed(gateway, 8)
    assert {line[0] for line in lines} == set(asked)
    assert {line[1] for line in lines} == {"None"}
    served = Counter(line[2] for line in lines)
    assert set(served) == {engine.url for engine in engines}
    assert min(served.values()) >= 2


def test_aliases_models_and_errors(start: Start) -> None:
    """Models and aliases are listed and nothing virtual is, an alias is served, an unknown model refused."""
    gateway = start(
        "--routing-logic", "roundrobin", "--static-aliases", "gpt:base-model", "--log-format", "json"
    )
    listed = [model.id for model in gateway.client().models.list()]
    assert {"base-model", "gpt"} <= set(listed)
    assert not {"MoM", "auto", "vllm-sr/auto"} & set(listed)
    ask(gateway, "gpt")
    answer, received = gateway.echo("hello", "gpt")
    assert answer.status == 200
    assert received["body"]["model"] == "base-model"
    with pytest.raises(openai.NotFoundError):
        ask(gateway, "gpt-99")
    served = eventually(
        "the alias in the log",
        lambda: [line for line in gateway.process.lines("request") if line.get("pool") == "gpt"],
        gateway.process,
    )
    assert served[0]["status"] == 200


def test_probes_and_scrapers_know_one_port(start: Start) -> None:
    """GET /health and /metrics are answered where clients connect, are no requests, and lead nowhere else."""
    gateway = start("--routing-logic", "roundrobin", "--log-format", "json")
    health = http(f"{gateway.url}/health")
    assert (health.status, health.json()["status"]) == (200, "healthy")
    assert b"# HELP" in http(f"{gateway.url}/metrics?name[]=x").body
    assert http(f"{gateway.url}/health", b"{}").status == 404
    assert http(f"{gateway.url}/config").status == 404
    assert http(f"{gateway.url}/health/../config").status == 404
    assert http(f"{gateway.url}/ready").status == 404
    ask(gateway)
    eventually("a line of the request", lambda: gateway.process.lines("request"), gateway.process)
    assert not [
        line
        for line in gateway.process.lines("request")
        if line.get("method") == "GET" and "incomplete" in line
    ]


def test_flags_without_effect_are_named_at_the_start(start: Start) -> None:
    """The log has a warning for each, with what happens instead."""
    gateway = start(
        "--routing-logic", "roundrobin", "--sentry-dsn", "x", "--log-format", "json", "--log-stats"
    )
    warned = {line["path"]: line["message"] for line in gateway.process.lines("not implemented")}
    assert set(warned) == {"--sentry-dsn", "--log-stats"}
    assert "has no effect" in warned["--sentry-dsn"]


@pytest.mark.skipif(
    "session" not in get_args(Fleet.model_fields["policy"].annotation), reason="no session policy yet"
)
def test_sessions_stay_with_their_engine(start: Start) -> None:
    """Requests of one session reach one engine, by header as by body, and lines say which session."""
    gateway = start("--routing-logic", "session", "--session-key", "x-user-id")
    # A session goes where it belongs once that engine is known to live.
    eventually("both ready", lambda: gateway.process.text().count("health=ready") >= 2, gateway.process)
    for user in ("ann", "bob", "cid"):
        for _ in range(4):
            ask(gateway, **{"x-user-id": user})
    lines = routed(gateway, 12)
    for user in ("ann", "bob", "cid"):
        assert len({line[2] for line in lines if line[1] == user}) == 1
