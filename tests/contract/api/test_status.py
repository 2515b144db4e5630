from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pointsman.transports.api import Readiness
from pointsman.transports.api.table import ROUTES

from .backend import READY, SECRET, FakeBackend, call


def test_health_is_the_semantic_routers() -> None:
    """A probe written for the semantic router finds what it expects."""
    answer = call("GET", "/health")
    assert answer.status == 200
    assert answer.json == {"status": "healthy", "service": "classification-api"}


def test_health_says_nothing_about_readiness() -> None:
    """A process that is up but not ready is healthy: a liveness probe must not restart it."""
    backend = FakeBackend()
    backend.state = Readiness(router=False, encoder=False, envoy=False, pools=0)
    assert call("GET", "/health", backend=backend).status == 200


def test_ready_has_the_semantic_routers_record() -> None:
    """Ready is 200 with every field of the record."""
    answer = call("GET", "/ready")
    assert answer.status == 200
    assert answer.json == {
        "status": "ready",
        "service": "classification-api",
        "ready": True,
        "phase": "ready",
        "message": "ready for traffic",
        "missing": [],
        "downloading_model": "",
        "pending_models": [],
        "ready_models": 1,
        "total_models": 1,
    }


@pytest.mark.parametrize("path", ["/ready", "/startup-status"])
@pytest.mark.parametrize(
    ("change", "phase", "missing"),
    [
        ({"router": False}, "building", "no configuration is built"),
        ({"encoder": False}, "loading_models", "the encoder is not loaded"),
        ({"envoy": False}, "starting_envoy", "Envoy is not running"),
        ({"pools": 0}, "waiting_for_endpoints", "no provider model has an endpoint"),
        ({"pending_models": ("pii",)}, "loading_models", "models are loading: pii"),
    ],
)
def test_anything_missing_makes_it_unready(
    path: str, change: dict[str, Any], phase: str, missing: str
) -> None:
    """Each single thing that is missing is a 503 that names it."""
    backend = FakeBackend()
    backend.state = msgspec.structs.replace(READY, **change)
    answer = call("GET", path, backend=backend)
    assert answer.status == 503
    assert answer.json["status"] == "starting"
    assert answer.json["ready"] is False
    assert answer.json["phase"] == phase
    assert answer.json["missing"] == [missing]


def test_everything_missing_is_listed() -> None:
    """All that is missing is named at once, not one thing after the other."""
    backend = FakeBackend()
    backend.state = Readiness(router=False, encoder=False, envoy=False, pools=0)
    assert len(call("GET", "/ready", backend=backend).json["missing"]) == 4


def test_what_is_not_needed_is_not_missed() -> None:
    """Without our own Envoy and without a signal that needs the encoder, neither is waited for."""
    backend = FakeBackend()
    backend.state = Readiness(router=True, encoder=None, envoy=None, pools=1)
    assert call("GET", "/ready", backend=backend).status == 200


def test_models_are_the_data_planes() -> None:
    """The list is the router's own answer."""
    assert call("GET", "/v1/models").json["data"] == [{"id": "MoM", "object": "model"}]


def test_models_before_the_first_build_are_unavailable() -> None:
    """Without a router the list is a 503 that says to come back."""
    backend = FakeBackend()
    backend.fake = None
    answer = call("GET", "/v1/models", backend=backend)
    assert answer.status == 503
    assert answer.error["code"] == "SERVICE_UNAVAILABLE"
    assert answer.headers["Retry-After"] == "1"


def test_models_info_lists_our_classifiers() -> None:
    """Our classification models with what they tell apart."""
    info = call("GET", "/info/models").json
    assert info["models"][0]["name"] == "minilm"
    assert info["models"][0]["categories"] == ["math", "law"]
    assert info["summary"] == {"ready": True, "loaded_models": 1, "total_models": 1}


@pytest.mark.parametrize("path", ["/config", "/config/router"])
def test_the_document_is_shown_without_secrets(path: str) -> None:
    """A secret is hidden under its key and wherever its value stands; the rest is as it runs."""
    answer = call("GET", path)
    assert answer.status == 200
    assert SECRET not in answer.body.decode()
    model = answer.json["providers"]["models"][0]
    assert model == {"name": "llama", "api_key": "[redacted]", "api_key_env": "LLAMA_KEY"}
    assert answer.json["version"] == "v0.3"


def test_metrics_are_prometheus_text() -> None:
    """A scrape has the content type and the text a Prometheus server reads."""
    answer = call("GET", "/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    names = {family.name for family in text_string_to_metric_families(answer.body.decode())}
    assert "pointsman_build_info" in names


def test_no_secret_leaves_by_any_get() -> None:
    """No endpoint without a body shows a provider's credential."""
    for route in ROUTES:
        if route.method == "GET":
            assert SECRET not in call("GET", route.path).body.decode()
