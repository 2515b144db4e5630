"""One gateway for all tests that leave it as it was, and fresh ones for those that do not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.gateway import Engine, Gateway, start_engine, start_gateway


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Engine]]:
    folder = tmp_path_factory.mktemp("engines")
    running = [start_engine(folder, name, "--ttft", "5", "--rate", "2000") for name in ("a", "b")]
    yield running
    for engine in running:
        engine.process.stop()


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory, engines: list[Engine]) -> Iterator[Gateway]:
    """One gateway for all tests that leave it as it was."""
    running = start_gateway(tmp_path_factory.mktemp("gateway"), engines)
    yield running
    assert running.process.stop() == 0, running.process.text()[-4000:]


@pytest.fixture
def own_gateway(tmp_path: Path, engines: list[Engine]) -> Iterator[Callable[..., Gateway]]:
    """Starts gateways of a test's own, for tests that break them."""
    started: list[Gateway] = []

    def start(change: Callable[[dict[str, Any]], object] = lambda _: None) -> Gateway:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(start_gateway(folder, engines, change))
        return started[-1]

    yield start
    for running in started:
        running.process.stop()
