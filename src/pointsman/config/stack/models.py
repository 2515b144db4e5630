"""Static backends as provider models, or as replicas with a role."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pointsman.config.faults import error
from pointsman.config.placement import NATIVE
from pointsman.config.stack.backends import Backend, aliases, backends
from pointsman.config.stack.draft import Draft, values_of
from pointsman.config.stack.given import Given
from pointsman.core.errors import ConfigError

_MOST_RETRIES: Final = 5
_LOCAL: Final = "localhost"
DISAGGREGATED: Final = frozenset({"disaggregated_prefill", "disaggregated_prefill_orchestrated"})


def static_models(given: Given, draft: Draft) -> tuple[dict[str, Any], ...]:
    """The provider models of all static backends and aliases.

    Where the router places requests itself, replicas with a role or a host name are written below ``fleet``.
    """
    found = backends(given)
    meaning = {model: model for model in dict.fromkeys(backend.model for backend in found)}
    meaning |= aliases(given, tuple(meaning))
    checks = reliability(given, draft)
    models = []
    for name, model in meaning.items():
        mine = [backend for backend in found if backend.model == model]
        entry: dict[str, Any] = {"name": name}
        if name != model:
            entry["provider_model_id"] = model
        if _placed_by_name(given, draft, mine):
            _replicas(draft, name, mine, given)
        else:
            entry["backend_refs"] = _refs(mine, weighed=given["routing_logic"] in NATIVE)
        models.append(entry | ({"reliability": checks} if checks else {}))
    return tuple(models)


def reliability(given: Given, draft: Draft) -> dict[str, Any]:
    """Retries and health checks, where they were asked for."""
    checks: dict[str, Any] = {}
    attempts = "max_instance_failover_reroute_attempts"
    if attempts in given:
        checks["retry_count"] = min(given[attempts], _MOST_RETRIES)
        if given[attempts] > _MOST_RETRIES:
            why = f"is {given[attempts]}; {_MOST_RETRIES} is the most, so that outages do not multiply"
            draft.tell(given.where(attempts), why)
    if given["static_backend_health_checks"]:
        checks["health_check_path"] = "/health"
        checks["health_check_interval"] = given["static_backend_health_check_interval"]
        checks["health_check_timeout"] = given["static_backend_health_check_timeout_seconds"]
    return checks


def role_of(label: str, given: Given) -> str:
    """What an engine with this label does."""
    prefill = label in (given["prefill_model_labels"] or ())
    decode = label in (given["decode_model_labels"] or ())
    return "both" if prefill is decode else "prefill" if prefill else "decode"


def _refs(found: Sequence[Backend], *, weighed: bool) -> list[dict[str, Any]]:
    """One for each address; an engine listed twice gets two shares where shares are what is balanced."""
    refs: dict[str, dict[str, Any]] = {}
    for backend in found:
        ref = refs.get(backend.address)
        if ref is not None:
            if weighed:
                ref["weight"] = ref.get("weight", 1) + 1
            continue
        refs[backend.address] = _filled(
            endpoint="" if backend.path else backend.address,
            protocol="https" if backend.tls and not backend.path else "",
            base_url=f"{backend.url.rstrip('/')}/v1" if backend.path else "",
            name=backend.label,
            type=backend.type,
        )
    return list(refs.values())


def _placed_by_name(given: Given, draft: Draft, found: Sequence[Backend]) -> bool:
    """Whether the router has to find the replicas itself: for their roles, or to place on names.

    Raises ConfigError for replicas with roles that it could not speak to.
    """
    policy = given["routing_logic"]
    if policy not in values_of("fleet.policy") or policy in NATIVE:
        return False
    where = given.where("static_backends")
    closed = next((backend for backend in found if backend.tls or backend.path), None)
    if closed is None:
        return policy in DISAGGREGATED or not all(_is_ip(backend.host) for backend in found)
    if policy in DISAGGREGATED:
        message = f"{closed.url!r} is encrypted or has a path, which replicas with a role cannot"
        raise ConfigError([error(where, message, "write http://host:port")])
    draft.tell(
        where,
        f"{closed.url!r} is encrypted or has a path: Envoy balances the engines of {closed.model!r} by load",
    )
    return False


def _replicas(draft: Draft, model: str, found: Iterable[Backend], given: Given) -> None:
    """Replicas by address or by name, which the router places requests on itself."""
    fleet = draft.document.setdefault("fleet", {})
    seen = set()
    for backend in found:
        if backend.address in seen:
            continue
        seen.add(backend.address)
        common = _filled(
            model=model,
            serves=[backend.model],
            role=role_of(backend.label, given),
            labels={"model": backend.label} if backend.label else {},
        )
        if _is_ip(backend.host) or backend.host == _LOCAL:
            address = backend.address.replace(_LOCAL, "127.0.0.1")
            fleet.setdefault("static", []).append({"address": address, **common})
        else:
            place = {"host": backend.host, "port": backend.port}
            fleet.setdefault("dns", []).append({**place, **common})


def _filled(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in ("", {}, [])}


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def urls(given: Given) -> Mapping[str, str]:
    """Static backends as they were written, by address."""
    return {backend.address: backend.url.rstrip("/") for backend in backends(given)}
