"""A real gateway for tests and benchmarks: `pointsman serve` over simulated engines, as processes."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import yaml

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "mom.yaml"
ADAPTERS = ("math", "science", "social", "humanities", "law", "general")
START_S = 30.0


@dataclass
class Process:
    """A child whose output goes to a file."""

    child: subprocess.Popen[bytes]
    log: Path

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The JSON log lines of one event."""
        found = []
        for line in self.text().splitlines():
            with contextlib.suppress(ValueError):
                record = json.loads(line)
                if isinstance(record, dict) and record.get("event") == event:
                    found.append(record)
        return found

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.child.poll() is None:
            self.child.send_signal(number)
        try:
            return self.child.wait(40)
        except subprocess.TimeoutExpired:
            self.child.kill()
            raise


def spawn(log: Path, *arguments: str, **env: str) -> Process:
    with log.open("wb") as out:
        child = subprocess.Popen(
            [sys.executable, "-m", "pointsman", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **env},
        )
    return Process(child, log)


def eventually(what: str, check: Callable[[], Any], process: Process | None = None) -> Any:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if result := check():
            return result
        if process is not None and process.child.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen\n{process.text()[-4000:] if process else ''}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whatever its status."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def http(url: str, data: bytes | None = None, method: str | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if data is not None:
        named.setdefault("content-type", "application/json")
    request = urllib.request.Request(url, data, named, method=method)  # noqa: S310  # our own loopback server
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310  # same
            return Answer(
                response.status, {k.lower(): v for k, v in response.headers.items()}, response.read()
            )
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, {k.lower(): v for k, v in error.headers.items()}, error.read())


@dataclass
class Engine:
    """One simulated engine."""

    name: str
    port: int
    process: Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fault(self, spec: str | None) -> None:
        http(f"{self.url}/sim/fault", json.dumps({"fault": spec}).encode())

    def state(self) -> Any:
        return http(f"{self.url}/sim/state").json()


@dataclass
class Gateway:
    """A serving gateway and the ways to reach it."""

    process: Process
    port: int
    api_port: int
    engines: list[Engine] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key="sk-test", max_retries=0, timeout=30)

    def chat(self, text: str, model: str = "MoM", **headers: str) -> Answer:
        body = {"model": model, "messages": [{"role": "user", "content": text}]}
        return http(f"{self.url}/v1/chat/completions", json.dumps(body).encode(), **headers)

    def echo(self, text: str, model: str = "MoM", **headers: str) -> tuple[Answer, Any]:
        """The answer, and what the engine received."""
        answer = self.chat(text, model, x_sim_echo="1", **headers)
        assert answer.status == 200, answer.body
        return answer, json.loads(answer.json()["choices"][0]["message"]["content"])

    def ready(self) -> bool:
        with contextlib.suppress(OSError):
            return http(f"{self.url}/v1/models").status == 200
        return False


def start_engine(folder: Path, name: str, *arguments: str) -> Engine:
    loras = [part for adapter in ADAPTERS for part in ("--lora", f"{adapter}-expert")]
    process = spawn(
        folder / f"engine-{name}.log",
        *("sim", "--port", "0", "--model", "base-model", "--name", name, *loras, *arguments),
    )
    line = eventually(f"engine {name} listening", lambda: process.text().partition("\n")[0], process)
    return Engine(name, int(line.rpartition(":")[2]), process)


def document(engines: list[Engine], port: int) -> dict[str, Any]:
    """The shipped example over these engines."""
    settings: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    settings["listeners"] = [{"name": "http", "address": "127.0.0.1", "port": port}]
    settings["providers"]["models"][0]["backend_refs"] = [
        {"name": engine.name, "endpoint": f"127.0.0.1:{engine.port}", "weight": 1} for engine in engines
    ]
    return settings


def start_gateway(
    folder: Path, engines: list[Engine], change: Callable[[dict[str, Any]], object] = lambda _: None
) -> Gateway:
    port, api_port = free_port(), free_port()
    settings = document(engines, port)
    change(settings)
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(settings))
    process = spawn(folder / "gateway.log", "serve", "-c", str(config), "--api-port", str(api_port))
    gateway = Gateway(process, port, api_port, engines)
    # Envoy answers a moment before the supervisor has seen that it does: wait for the gateway's own word.
    eventually("the gateway serving", lambda: "serving on" in process.text() and gateway.ready(), process)
    return gateway
