"""Gateways that find their engines in a cluster."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.cluster import Cluster
from support.gateway import Engine, Gateway, start_engine, start_gateway


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    running = Cluster()
    yield running
    running.close()


@pytest.fixture
def new_engine(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Starts engines of a test's own."""
    started: list[Engine] = []

    def start(name: str, *arguments: str) -> Engine:
        started.append(start_engine(tmp_path, name, "--ttft", "5", "--rate", "2000", *arguments))
        return started[-1]

    yield start
    for engine in started:
        engine.process.stop()


@pytest.fixture
def discovering(tmp_path: Path, cluster: Cluster) -> Iterator[Callable[..., Gateway]]:
    """Starts a gateway that knows its one model's engines from the cluster alone."""
    started: list[Gateway] = []

    def start(*, health: dict[str, Any] | None = None, **keys: Any) -> Gateway:
        def change(settings: dict[str, Any]) -> None:
            del settings["providers"]["models"][0]["backend_refs"]
            settings["fleet"] = {
                "kubernetes": [{"selector": "app=vllm", "port": "http", **keys}],
                "kubernetes_api": {"server": cluster.api.url},
                "health": health or {"interval": "500ms", "retry_interval": "100ms"},
            }

        started.append(start_gateway(tmp_path, [], change))
        return started[-1]

    yield start
    for running in started:
        assert running.process.stop() == 0, running.process.text()[-4000:]
