"""From flags to the document they mean."""

import ipaddress
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from pointsman.config.faults import error
from pointsman.config.placement import NATIVE
from pointsman.config.services import ManagementApi
from pointsman.config.stack.draft import Draft, values_of
from pointsman.config.stack.external import external_models
from pointsman.config.stack.flag import Kind
from pointsman.config.stack.flags import FLAGS, POLICIES
from pointsman.config.stack.given import Given
from pointsman.config.stack.models import DISAGGREGATED, static_models, urls
from pointsman.config.stack.pods import cluster_models
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Problem

_AMONG_MODELS: Final = "loadaware"
_INSTEAD: Final = "least_request"
_LEVELS: Final = {"critical": "error", "trace": "debug"}
_TRACING: Final = "global.services.observability.tracing"
_GATES: Final = {
    "SemanticCache": "no answer comes from a cache",
    "PIIDetection": "write guards.pii in a document, and run pointsman serve",
}


class Translation(msgspec.Struct, frozen=True):
    """A document in the form of v0.3, and what one should know about it."""

    document: Mapping[str, Any]
    notes: tuple[Problem, ...] = ()
    """Flags without effect, and other warnings; their paths are flags."""
    urls: Mapping[str, str] = {}
    """Static backends as they were written, by address."""


def translate(given: Given, env: Mapping[str, str]) -> Translation:
    """The document that flags mean. ``env`` has the keys of external providers.

    Raises ConfigError with what is missing or contradicts itself.
    """
    problems = list(_contradictions(given))
    if problems:
        raise ConfigError(problems)
    draft = Draft({"version": "v0.3", "listeners": [_listener(given)]})
    discovery = _discovery(given)
    models: tuple[dict[str, Any], ...] = ()
    if discovery == "static":
        models = static_models(given, draft)
    elif discovery == "k8s":
        models = cluster_models(given, draft, env)
    if "external_providers_config" in given:
        models += external_models(Path(given["external_providers_config"]), env, draft)
    draft.put("providers.models", list(models))
    # That router has no virtual names: every request names its model.
    draft.put("global.router.auto_model_names", [])
    _policy(given, draft)
    _gateway(given, draft)
    _spans(given, draft)
    draft.notes.extend(_without_effect(given))
    return Translation(draft.document, tuple(draft.notes), urls(given) if discovery == "static" else {})


def _discovery(given: Given) -> str:
    """How engines are found; external providers alone need not say so."""
    asked = given["service_discovery"]
    return asked or ("external-only" if "external_providers_config" in given else "")


def _contradictions(given: Given) -> Iterator[Problem]:
    """What is missing, and what does not go together."""
    if "dynamic_config_yaml" in given and "dynamic_config_json" in given:
        yield error("--dynamic-config-json", "is given beside --dynamic-config-yaml", "give one of the two")
    yield from _discovery_faults(given)
    yield from _policy_faults(given)
    for gate in given["feature_gates"]:
        name, _, state = gate.partition("=")
        if name and (name not in _GATES or state.lower() not in {"true", "false"}):
            yield error(given.where("feature_gates"), f"{gate!r} is no gate", "use SemanticCache=true")
    if not _is_bindable(given["host"]):
        message = f"{given['host']!r} is no IP address"
        yield error(given.where("host"), message, "use 0.0.0.0, ::, or one of yours")


def _is_bindable(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host == "localhost"
    return True


def _discovery_faults(given: Given) -> Iterator[Problem]:
    if not _discovery(given):
        yield error("--service-discovery", "is not given", "use static, k8s or external-only")
    elif _discovery(given) == "external-only" and "external_providers_config" not in given:
        yield error("--external-providers-config", "is not given", "name the file with the providers")


def _policy_faults(given: Given) -> Iterator[Problem]:
    if given["routing_logic"] is None:
        yield error("--routing-logic", "is not given", f"use one of {', '.join(POLICIES)}")
    if given["routing_logic"] == "session" and not given["session_key"]:
        remedy = "name the header, or field of the body, with the session's id"
        yield error("--session-key", "is not given, and --routing-logic is session", remedy)
    if given["routing_logic"] in DISAGGREGATED:
        for key in ("prefill_model_labels", "decode_model_labels"):
            if not given[key]:
                message = f"is not given, and --routing-logic is {given['routing_logic']}"
                yield error(given.where(key), message, "list the labels of these engines, by comma")


def _listener(given: Given) -> dict[str, Any]:
    address = "127.0.0.1" if given["host"] == "localhost" else given["host"].strip("[]")
    return {"name": "router", "address": address, "port": given["port"]}


def _policy(given: Given, draft: Draft) -> None:
    policy, flag = given["routing_logic"], given.where("routing_logic")
    if policy not in values_of("fleet.policy"):
        draft.note(flag, f"the policy {policy} is not implemented yet; {_INSTEAD} holds")
        policy = _INSTEAD
    if policy in NATIVE and _discovery(given) == "k8s" and not given["static_models"]:
        # Envoy knows no models: where one pool has several, an engine has to be chosen by what it serves.
        policy = _AMONG_MODELS
        draft.tell(
            flag,
            f"is {given['routing_logic']}; engines are told apart by the models they list, as {policy} does",
            "name the models with --static-models to have a pool for each, and this policy",
        )
    draft.put("fleet.policy", policy)
    key = given["session_key"]
    if key and draft.put("fleet.placement.session.header", key, given.where("session_key")):
        draft.put("fleet.placement.session.body", key)


def _gateway(given: Given, draft: Draft) -> None:
    level = given["log_level"]
    draft.put("gateway.log_level", _LEVELS.get(level, level))
    # Its health and metrics are on the port that clients use, and probes of its chart ask there.
    draft.put("gateway.operations_on_listeners", value=True)
    draft.put("gateway.unknown_model_status", 404)
    if given["enable_batch_api"]:
        draft.put("gateway.files.enabled", value=True)
        # Their default is a name below /tmp that anybody could have made first; ours is the user's own.
        if given["file_storage_path"]:
            draft.put("gateway.files.folder", given["file_storage_path"])
    management = ManagementApi.model_fields["port"].default
    if given["port"] == management:
        draft.put("global.services.management_api.port", management + 1)
        draft.tell(given.where("port"), f"is that of the management API, which moves to {management + 1}")


def _spans(given: Given, draft: Draft) -> None:
    if given["otel_endpoint"]:
        draft.put(f"{_TRACING}.enabled", value=True)
        draft.put(f"{_TRACING}.exporter.endpoint", given["otel_endpoint"])
        draft.put(f"{_TRACING}.exporter.insecure", not given["otel_secure"])
        draft.put(f"{_TRACING}.resource.service_name", given["otel_service_name"])


def _without_effect(given: Given) -> Iterator[Problem]:
    """Flags that were given and do nothing."""
    quiet = Draft()
    for flag in FLAGS:
        if flag.meanwhile and flag.key in given and _wishes(flag.key, flag.kind, given):
            meanwhile = flag.meanwhile
            if flag.key == "feature_gates":
                open_gates = [gate.partition("=")[0] for gate in given[flag.key] if not _shut(gate)]
                meanwhile = "; ".join(f"{gate}: {_GATES[gate]}" for gate in open_gates)
            quiet.note(given.where(flag.key), meanwhile)
    for key in ("dynamic_config_yaml", "dynamic_config_json"):
        if key in given:
            quiet.tell(given.where(key), "is read now; changes of the file take effect at the next start")
    yield from quiet.notes


def _wishes(key: str, kind: Kind, given: Given) -> bool:
    """Whether the value asks for anything."""
    if key == "feature_gates":
        return any(not _shut(gate) for gate in given[key])
    return given[key] not in ("", ()) if kind is not Kind.SWITCH else bool(given[key])


def _shut(gate: str) -> bool:
    return not gate.lower().endswith("=true")
