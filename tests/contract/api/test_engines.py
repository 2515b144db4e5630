"""Operating engines through the management API, with a backend that only remembers."""

from typing import Any

import msgspec
import pytest

from pointsman.transports.api import Told

from .backend import FakeBackend, call

GOOD = Told("a", "10.0.0.1:1", 200, {"is_sleeping": True})
BAD = Told("b", "10.0.0.2:1", error="no answer within 1 s")
LORA = {"lora_name": "x", "lora_path": "/x", "load_inplace": True}


def test_engines_are_listed_as_the_production_stack_lists_them() -> None:
    """A list with ids and names, and what we know beyond."""
    [engine] = call("GET", "/engines").json
    assert (engine["engine_id"], engine["serving_models"]) == ("pod-a", ["llama"])
    assert engine["load"] == {"in_flight": 1, "waiting": 2, "reachable": True}


def test_the_version_is_ours() -> None:
    """One string."""
    assert call("GET", "/version").json["version"]


@pytest.mark.parametrize(
    ("told", "status", "counts"), [((GOOD,), 200, (1, 0)), ((GOOD, BAD), 207, (1, 1)), ((BAD,), 502, (0, 1))]
)
def test_every_replica_has_its_own_outcome(
    told: tuple[Told, ...], status: int, counts: tuple[int, int]
) -> None:
    """All did it, some, or none: the status says which, the body says who."""
    backend = FakeBackend()
    backend.told = told
    answer = call("GET", "/is_sleeping?model=llama", backend=backend)
    assert answer.status == status
    assert (answer.json["succeeded"], answer.json["failed"]) == counts
    assert [each["engine_id"] for each in answer.json["results"]] == [each.engine_id for each in told]


def test_an_order_is_passed_on_without_what_is_ours() -> None:
    """``model`` and ``id`` choose; every other parameter is the engine's, repeated ones too."""
    backend = FakeBackend()
    assert call("POST", "/wake_up?model=m&id=a&tags=weights&tags=kv_cache", backend=backend).status == 200
    [order] = backend.orders
    assert (order.method, order.path, order.model, order.engine_id) == ("POST", "/wake_up", "m", "a")
    assert order.query == (("tags", "weights"), ("tags", "kv_cache"))
    assert order.body == b""


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/load_lora_adapter", LORA), ("/v1/unload_lora_adapter", {"lora_name": "x"})]
)
def test_an_adapters_fields_are_passed_on(path: str, body: dict[str, Any]) -> None:
    """All but the model, which is ours."""
    backend = FakeBackend()
    assert call("POST", path, json={**body, "model": "m"}, backend=backend).status == 200
    [order] = backend.orders
    assert (msgspec.json.decode(order.body), order.model) == (body, "m")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/load_lora_adapter", {"lora_name": "x"}),
        ("/v1/load_lora_adapter", {"lora_name": "", "lora_path": "/x"}),
        ("/v1/unload_lora_adapter", {"lora_name": ""}),
        ("/v1/unload_lora_adapter", {}),
    ],
)
def test_an_adapter_without_its_name_is_refused(path: str, body: dict[str, Any]) -> None:
    """Before any engine hears of it."""
    backend = FakeBackend()
    assert call("POST", path, json=body, backend=backend).status == 400
    assert not backend.orders


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("path", ["/sleep", "/wake_up", "/v1/load_lora_adapter", "/v1/unload_lora_adapter"])
def test_web_pages_operate_nothing(path: str, headers: dict[str, str]) -> None:
    """A page in an operator's browser reaches the loopback address, too."""
    backend = FakeBackend()
    answer = call("POST", path, headers=headers, json=LORA, backend=backend)
    assert (answer.status, answer.error["code"]) == (403, "FORBIDDEN")
    assert not backend.orders


def test_too_many_parameters_are_refused() -> None:
    """There is nothing an engine would read in them."""
    assert call("POST", "/sleep?" + "&".join(f"a{n}=1" for n in range(33))).status == 400


def test_what_changes_engines_is_for_operators() -> None:
    """The description says so, for the day when somebody asks."""
    paths = call("GET", "/openapi.json").json["paths"]
    roles = {path: one["post"]["x-role"] for path, one in paths.items() if "post" in one}
    operators = {path for path, role in roles.items() if role == "operator"}
    assert operators == {"/sleep", "/wake_up", "/v1/load_lora_adapter", "/v1/unload_lora_adapter"}
