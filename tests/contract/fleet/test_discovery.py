"""Engines come, go and die behind a real Envoy, while requests are under way."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from support.cluster import Cluster
from support.gateway import Engine, Gateway, eventually, http

pytestmark = pytest.mark.envoy


@contextmanager
def load(gateway: Gateway, clients: int = 3) -> Iterator[Counter[int]]:
    """Requests one after the other from several clients; statuses are counted."""
    seen, stop = Counter[int](), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            seen[gateway.chat("hello", model="base-model").status] += 1

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


def metric(gateway: Gateway, line: str) -> bool:
    return line in http(f"{gateway.api}/metrics").body.decode()


def served(engine: Engine) -> int:
    return int(engine.state()["received"].get("/v1/chat/completions", 0))


def ready(gateway: Gateway) -> int:
    return http(f"{gateway.api}/ready").status


def test_an_engine_is_added_and_removed_under_load(
    cluster: Cluster, new_engine: Callable[..., Engine], discovering: Callable[..., Gateway]
) -> None:
    """No request fails while replicas come and go, and a stream outlives the pod it runs on."""
    old = new_engine("old", "--rate", "20")
    cluster.put(old)
    gateway = discovering()
    eventually("ready", lambda: ready(gateway) == 200, gateway.process)
    stream = gateway.client().chat.completions.create(
        model="base-model",
        messages=[{"role": "user", "content": "a long answer"}],
        max_tokens=60,
        stream=True,
    )
    first = next(iter(stream))
    new = new_engine("new")
    with load(gateway) as seen:
        cluster.put(new)
        eventually("the new engine in use", lambda: served(new) > 20, gateway.process)
        cluster.put(old, leaving=True)
        eventually(
            "the old engine draining",
            lambda: metric(gateway, 'pointsman_endpoints{health="draining",pool="base-model"} 1.0'),
            gateway.process,
        )
        before = served(new)
        eventually("traffic going on", lambda: served(new) > before + 50, gateway.process)
        cluster.delete(old)
        eventually("the old engine gone", lambda: gateway.process.lines("endpoint gone"), gateway.process)
        quiet = served(old)
        before = served(new)
        eventually("traffic going on", lambda: served(new) > before + 50, gateway.process)
        assert served(old) == quiet
    rest = list(stream)
    assert first.id == rest[-1].id
    assert rest[-1].choices[0].finish_reason
    assert set(seen) == {200}


def test_a_dead_engine_is_ejected(
    cluster: Cluster, new_engine: Callable[..., Engine], discovering: Callable[..., Gateway]
) -> None:
    """An engine that is killed while its pod still looks ready costs no request, and returns when it does."""
    one, two = new_engine("one"), new_engine("two")
    cluster.put(one)
    cluster.put(two)
    gateway = discovering()
    eventually(
        "both ready",
        lambda: metric(gateway, 'pointsman_endpoints{health="ready",pool="base-model"} 2.0'),
        gateway.process,
    )
    two.fault("refuse")  # with nothing in flight: what an engine has begun dies with it
    with load(gateway) as seen:
        eventually(
            "the dead engine down",
            lambda: metric(gateway, 'pointsman_endpoints{health="down",pool="base-model"} 1.0'),
            gateway.process,
        )
        assert ready(gateway) == 200
    assert set(seen) == {200}
    two.process.stop(signal.SIGKILL)
    attempts = len(gateway.process.lines("request"))
    for _ in range(20):
        assert gateway.chat("hello", model="base-model").status == 200
    eventually("logged", lambda: len(gateway.process.lines("request")) >= attempts + 20, gateway.process)
    assert {record["attempts"] for record in gateway.process.lines("request")[-20:]} == {1}


def test_readiness_follows_the_replicas(
    cluster: Cluster, new_engine: Callable[..., Engine], discovering: Callable[..., Gateway]
) -> None:
    """Without a living replica we are not ready and say why; requests get a 503 in OpenAI's shape."""
    gateway = discovering()
    answer = http(f"{gateway.api}/ready")
    assert (answer.status, "no provider model has an endpoint" in answer.json()["missing"]) == (503, True)
    refused = gateway.chat("hello", model="base-model")
    assert (refused.status, "message" in refused.json()["error"]) == (503, True)
    engine = new_engine("one")
    cluster.put(engine)
    eventually("ready", lambda: ready(gateway) == 200, gateway.process)
    assert gateway.chat("hello", model="base-model").status == 200
    cluster.delete(engine)
    eventually("not ready", lambda: ready(gateway) == 503, gateway.process)


def test_an_api_server_that_is_gone_takes_nobody_along(
    cluster: Cluster, new_engine: Callable[..., Engine], discovering: Callable[..., Gateway]
) -> None:
    """The last known replicas serve on, dead ones are still found out by probes, and news comes when it is back."""
    one, two = new_engine("one"), new_engine("two")
    cluster.put(one)
    gateway = discovering()
    eventually("ready", lambda: ready(gateway) == 200, gateway.process)
    cluster.run(cluster.api.stop())
    eventually(
        "the trouble counted",
        lambda: metric(gateway, 'pointsman_discovery_errors_total{reason="failed",source="kubernetes[0]"}'),
        gateway.process,
    )
    assert gateway.chat("hello", model="base-model").status == 200
    cluster.delete(one)
    cluster.put(two)
    cluster.call(cluster.api.compact)
    cluster.run(cluster.api.start())
    eventually("the change seen", lambda: gateway.process.lines("endpoint gone"), gateway.process)
    eventually(
        "the new engine in use",
        lambda: gateway.chat("hello", model="base-model").status == 200 and served(two),
        gateway.process,
    )


def test_one_failed_connection_in_traffic_is_enough(
    cluster: Cluster, new_engine: Callable[..., Engine], discovering: Callable[..., Gateway]
) -> None:
    """Where the next probe is an hour away, the first request that meets a dead engine has it ejected."""
    one, two = new_engine("one"), new_engine("two")
    cluster.put(one)
    cluster.put(two)
    gateway = discovering(health={"interval": "1h"})
    eventually(
        "both ready",
        lambda: metric(gateway, 'pointsman_endpoints{health="ready",pool="base-model"} 2.0'),
        gateway.process,
    )
    two.process.stop(signal.SIGKILL)
    with load(gateway) as seen:
        eventually(
            "the dead engine down",
            lambda: metric(gateway, 'pointsman_endpoints{health="down",pool="base-model"} 1.0'),
            gateway.process,
        )
    assert set(seen) == {200}
