"""Engines in a Kubernetes cluster."""

from collections.abc import Mapping
from typing import Any, Final

from pointsman.config.faults import error
from pointsman.config.stack.draft import Draft, known
from pointsman.config.stack.given import Given
from pointsman.config.stack.models import DISAGGREGATED, reliability
from pointsman.core.errors import ConfigError

POOL: Final = "engines"
"""The provider model of pods whose models are known by asking them alone."""
_ENGINE_KEY: Final = "VLLM_API_KEY"


def cluster_models(given: Given, draft: Draft, env: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """The provider models that pods serve. Raises ConfigError for what cannot be found without being told."""
    names = tuple(dict.fromkeys(given["static_models"] or ()))
    where = given.where("service_discovery")
    if not known("fleet.kubernetes"):
        message = "is k8s: replicas in a cluster are not found yet"
        raise ConfigError([error(where, message, "name them with --service-discovery static")])
    if not given["k8s_label_selector"]:
        message = "is empty, which would take all pods of the namespace"
        remedy = "write the labels of the engines, such as app=vllm"
        raise ConfigError([error(given.where("k8s_label_selector"), message, remedy)])
    pool = {} if names else {"model": POOL}
    draft.put("fleet.kubernetes", [_source(given, **pool, **more) for more in _selections(given)])
    if given["k8s_service_discovery_type"] == "service-name":
        draft.tell(
            given.where("k8s_service_discovery_type"),
            "is service-name: the pods with these labels are watched, as a service hides its replicas",
            "let the pods carry the labels too",
        )
    if "backend_health_check_timeout_seconds" in given:
        seconds = given["backend_health_check_timeout_seconds"]
        draft.put("fleet.health.timeout", seconds, given.where("backend_health_check_timeout_seconds"))
    if env.get(_ENGINE_KEY):
        draft.tell(
            _ENGINE_KEY,
            "is set and not read: engines are asked for their models without a key",
            f"write fleet.engine_key_env: {_ENGINE_KEY} in a document; every request gets the key then",
        )
    checks = reliability(given, draft)
    return tuple({"name": name} | ({"reliability": checks} if checks else {}) for name in names or (POOL,))


def _selections(given: Given) -> tuple[dict[str, str], ...]:
    """Selectors with the role of what they find."""
    selector = given["k8s_label_selector"]
    if given["routing_logic"] not in DISAGGREGATED:
        return ({"selector": selector},)
    return tuple(
        {"selector": f"{selector},model in ({','.join(given[key])})", "role": role}
        for key, role in (("prefill_model_labels", "prefill"), ("decode_model_labels", "decode"))
    )


def _source(given: Given, **more: str) -> dict[str, Any]:
    source: dict[str, Any] = {
        "kind": "pods",
        "namespace": given["k8s_namespace"],
        "port": given["k8s_port"],
        **more,
    }
    if given["k8s_watcher_timeout_seconds"] > 0:
        source["relist_interval"] = given["k8s_watcher_timeout_seconds"]
    return source
