"""The document as a ``Plan`` for our own Envoy."""

from collections.abc import Iterator
from pathlib import Path

from pointsman.config import Settings
from pointsman.config.identity import identity_headers
from pointsman.config.placed import placed
from pointsman.config.providers import BackendRef, ProviderModel, split_endpoint
from pointsman.config.validate_replicas import left_to_us
from pointsman.fleet.roster import Roster
from pointsman.transports.envoy import rundir
from pointsman.transports.envoy.plan import (
    RETRY_ON,
    HealthCheck,
    Host,
    LbPolicy,
    Limits,
    Listener,
    Plan,
    Pool,
)

_NATIVE: dict[str, LbPolicy] = {"roundrobin": "round_robin", "least_request": "least_request"}
_DEFAULT = Pool(name="", endpoints=())
_CHECK = HealthCheck()
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}  # noqa: S104  # connected to, not bound
_ENVOY_SLACK_S = 0.5
"""Envoy waits this much longer than the router's own deadline, so that the router's answer arrives."""


def listeners_of(settings: Settings) -> tuple[Listener, ...]:
    """Where clients connect."""
    if not settings.listeners:
        return (Listener(name="http", address="127.0.0.1", port=8801),)
    return tuple(
        Listener(name=listener.name, address=listener.address, port=listener.port)
        for listener in settings.listeners
    )


def own_url(settings: Settings) -> str:
    """Where we are a client of our own data plane."""
    listener = listeners_of(settings)[0]
    address = _LOOPBACK.get(listener.address, listener.address)
    return f"http://[{address}]:{listener.port}" if ":" in address else f"http://{address}:{listener.port}"


def plan_from(
    settings: Settings,
    run_dir: Path,
    roster: Roster | None = None,
    *,
    api: tuple[str, int] | None = None,
) -> Plan:
    """What Envoy must do for this document. A document without listeners gets one on 127.0.0.1:8801.

    With a roster, pools have the endpoints that may get requests now; without, those of the document.
    ``api`` is where the management API listens, unless it is where the document says.
    """
    limits = settings.gateway.limits
    pools = pools_from(settings, roster)
    return Plan(
        listeners=listeners_of(settings),
        pools=pools,
        run_dir=run_dir,
        extproc_socket=run_dir / rundir.EXTPROC_SOCKET,
        accesslog_socket=run_dir / rundir.ACCESSLOG_SOCKET,
        admin_socket=run_dir / rundir.ADMIN_SOCKET,
        limits=Limits(
            max_body_bytes=limits.max_body_bytes,
            decision_timeout_s=limits.decision_timeout_ms / 1000 + _ENVOY_SLACK_S,
            answer_timeout_s=limits.answer_filter_timeout_ms / 1000 + _ENVOY_SLACK_S,
            stream_idle_timeout_s=limits.stream_idle_timeout_s,
        ),
        concurrency=settings.gateway.envoy.concurrency,
        default_pool=_default_pool(settings) if settings.gateway.on_router_failure == "open" else None,
        operations=_operations(settings, api),
        files_socket=run_dir / rundir.FILES_SOCKET if settings.gateway.files.enabled else None,
        unheard_headers=()
        if settings.gateway.trust_identity_headers
        else identity_headers(settings).asserted,
    )


def _operations(settings: Settings, api: tuple[str, int] | None) -> Host | None:
    """The management API as Envoy reaches it, if it may."""
    if not settings.gateway.operations_on_listeners:
        return None
    management = settings.global_.services.management_api
    address, port = api or (management.bind_address, management.port)
    return Host(address=_LOOPBACK.get(address, address), port=port)


def pools_from(settings: Settings, roster: Roster | None = None) -> tuple[Pool, ...]:
    """The pools of the document, one for each provider model that something can serve."""
    return tuple(
        _pool(settings, model, roster)
        for model in settings.providers.models
        if model.backend_refs or settings.fleet.finds(model.name)
    )


def _hosts(model: ProviderModel, roster: Roster | None) -> Iterator[Host]:
    """What the roster says, or for backends that Envoy resolves and verifies what the document says."""
    if roster is None or not left_to_us(model):
        yield from (_host(backend) for backend in model.backend_refs if backend.weight > 0)
        return
    weights = {backend.address: backend.weight for backend in model.backend_refs}
    for endpoint in roster.usable(model.name):
        host, port = split_endpoint(endpoint.address)
        yield Host(address=host, port=port, weight=weights.get((host, port), 1))


def _pool(settings: Settings, model: ProviderModel, roster: Roster | None) -> Pool:
    reliability = model.reliability
    asked = reliability.model_fields_set
    check = HealthCheck(
        path=reliability.health_check_path,
        interval_s=reliability.health_check_interval or _CHECK.interval_s,
        timeout_s=reliability.health_check_timeout or _CHECK.timeout_s,
    )
    conditions = tuple(part.strip() for part in reliability.retry_on.split(",") if part.strip())
    return Pool(
        name=model.name,
        endpoints=tuple(_hosts(model, roster)),
        lb_policy=reliability.lb_policy or _NATIVE.get(settings.fleet.policy, _DEFAULT.lb_policy),
        placed=placed(settings, model),
        # A document that says nothing gets our default; one that says 0 gets none.
        retries=reliability.retry_count if "retry_count" in asked else _DEFAULT.retries,
        retry_on=conditions or RETRY_ON,
        consecutive_5xx=reliability.consecutive_5xx or _DEFAULT.consecutive_5xx,
        base_ejection_s=reliability.base_ejection_time or _DEFAULT.base_ejection_s,
        max_ejection_percent=(
            _DEFAULT.max_ejection_percent
            if reliability.max_ejection_percent is None
            else reliability.max_ejection_percent
        ),
        health_check=check if reliability.health_check_path else None,
        connect_timeout_s=settings.gateway.limits.connect_timeout_ms / 1000,
    )


def _host(backend: BackendRef) -> Host:
    address, port = backend.address
    return Host(address=address, port=port, weight=backend.weight, tls_sni=address if backend.tls else None)


def _default_pool(settings: Settings) -> str | None:
    """The pool behind the default model, for a document that chose to fail open."""
    name = settings.providers.defaults.default_model
    pools = {pool.name for pool in pools_from(settings)}
    if name in pools:
        return name
    for card in settings.routing.model_cards:
        if card.name in pools and any(lora.name == name for lora in card.loras):
            return card.name
    return None
