"""Engines operated through the management API of a running gateway."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.gateway import Answer, Engine, Gateway, eventually, http, start_engine, start_gateway

pytestmark = pytest.mark.envoy


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Gateway]:
    """Two replicas of one model, under frequent probes."""
    engines = [start_engine(tmp_path, name, "--ttft", "5", "--rate", "2000") for name in ("one", "two")]

    def probed(settings: dict[str, Any]) -> None:
        settings["fleet"] = {"health": {"interval": "200ms", "models_interval": "200ms"}}
        settings["gateway"] = {"limits": {"engine_control_timeout_s": 2}}

    gateway = start_gateway(tmp_path, engines, probed)
    yield gateway
    gateway.process.stop()
    for engine in engines:
        engine.process.stop()


def order(gateway: Gateway, path: str, **body: Any) -> Answer:
    return http(gateway.api + path, json.dumps(body).encode() if body else b"", "POST")


def healths(gateway: Gateway) -> list[str]:
    return [each["health"] for each in http(f"{gateway.api}/engines").json()]


def test_all_replicas_sleep_and_wake(fleet: Gateway) -> None:
    """One order for both; then requests are refused until they are awake."""
    assert http(f"{fleet.api}/version").status == 200
    eventually("both ready", lambda: healths(fleet) == ["ready", "ready"])
    told = order(fleet, "/sleep?model=base-model&level=1")
    assert (told.status, told.json()["succeeded"]) == (200, 2)
    asleep = http(f"{fleet.api}/is_sleeping").json()
    assert [each["body"] for each in asleep["results"]] == [{"is_sleeping": True}] * 2
    eventually("both seen asleep", lambda: healths(fleet) == ["asleep", "asleep"])
    eventually("requests refused", lambda: fleet.chat("hello", "base-model").status == 503)
    assert order(fleet, "/wake_up").status == 200
    eventually("both ready", lambda: healths(fleet) == ["ready", "ready"])
    eventually("requests served", lambda: fleet.chat("hello", "base-model").status == 200)


def test_one_replica_is_meant_by_its_id(fleet: Gateway) -> None:
    """The other one stays awake."""
    first = http(f"{fleet.api}/engines").json()[0]
    told = order(fleet, f"/sleep?id={first['engine_id']}").json()
    assert [each["engine_id"] for each in told["results"]] == [first["engine_id"]]
    asleep = http(f"{fleet.api}/is_sleeping").json()["results"]
    assert sorted(each["body"]["is_sleeping"] for each in asleep) == [False, True]
    assert order(fleet, "/sleep?id=nobody").status == 404
    assert order(fleet, "/sleep?model=nothing").status == 404


def test_an_adapter_is_loaded_everywhere_and_can_be_named(fleet: Gateway) -> None:
    """By the model's name or an adapter's; a second time is each engine's own refusal."""
    body = {"lora_name": "fresh", "lora_path": "/x"}
    told = order(fleet, "/v1/load_lora_adapter", **body, model="math-expert")
    assert (told.status, told.json()["model"], told.json()["succeeded"]) == (200, "base-model", 2)
    eventually("the adapter served", lambda: fleet.chat("hello", "fresh").status == 200)
    again = order(fleet, "/v1/load_lora_adapter", **body)
    assert (again.status, again.json()["failed"]) == (502, 2)
    assert {each["status"] for each in again.json()["results"]} == {400}
    assert order(fleet, "/v1/unload_lora_adapter", lora_name="fresh").status == 200


def test_a_replica_that_is_gone_is_told_of(fleet: Gateway) -> None:
    """Some did it, some could not: 207, and who."""
    gone: Engine = fleet.engines[1]
    gone.process.stop()
    told = order(fleet, "/wake_up")
    assert told.status == 207
    failed = [each for each in told.json()["results"] if "error" in each]
    assert [each["address"] for each in failed] == [f"127.0.0.1:{gone.port}"]
