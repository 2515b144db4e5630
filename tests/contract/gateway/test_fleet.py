from collections.abc import Callable
from typing import Any

import pytest

from support.gateway import Gateway, eventually, free_port, http

pytestmark = pytest.mark.envoy


def two_models(settings: dict[str, Any]) -> None:
    """Every request may go to a model that is not there, or to the engines."""
    dead = {"name": "gone", "backend_refs": [{"endpoint": f"127.0.0.1:{free_port()}"}]}
    settings["providers"]["models"].append(dead)
    settings["routing"]["modelCards"].append({"name": "gone"})
    settings["routing"]["decisions"] = [
        {"name": "any", "modelRefs": [{"model": "gone"}, {"model": "base-model"}]}
    ]
    settings["fleet"] = {"down_cool_down": "60s", "health": {"trust": ["gone"]}}


def sample(gateway: Gateway, line: str) -> bool:
    return line in http(f"{gateway.api}/metrics").body.decode()


def test_a_model_that_cannot_be_reached_is_passed_over(own_gateway: Callable[..., Gateway]) -> None:
    """After three failures requests go to the next candidate; nothing stays in flight."""
    gateway = own_gateway(two_models)
    for _ in range(3):
        assert gateway.chat("hello").status == 503
    eventually(
        "the pool down",
        lambda: sample(gateway, 'pointsman_pool_down{pool="gone"} 1.0'),
        gateway.process,
    )
    answer = gateway.chat("hello")
    assert answer.status == 200
    assert answer.headers["x-vsr-selected-model"] == "base-model"
    assert gateway.process.lines("pool down")[0]["pool"] == "gone"
    eventually(
        "nothing in flight",
        lambda: sample(gateway, 'pointsman_pool_in_flight{pool="gone"} 0.0'),
        gateway.process,
    )


def test_a_model_whose_engine_is_not_there_is_passed_over_at_once(
    own_gateway: Callable[..., Gateway],
) -> None:
    """Where probes may find out, no request has to fail for it."""

    def probed(settings: dict[str, Any]) -> None:
        two_models(settings)
        del settings["fleet"]["health"]

    gateway = own_gateway(probed)
    eventually(
        "the endpoint down",
        lambda: sample(gateway, 'pointsman_endpoints{health="down",pool="gone"} 1.0'),
        gateway.process,
    )
    answer = gateway.chat("hello")
    assert (answer.status, answer.headers["x-vsr-selected-model"]) == (200, "base-model")
    assert http(f"{gateway.api}/ready").status == 200
