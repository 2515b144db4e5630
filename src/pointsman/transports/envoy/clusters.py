"""Pools as Envoy clusters and their endpoint assignments."""

import hashlib
from pathlib import Path
from typing import Any

from pointsman.core import headers as names
from pointsman.transports.envoy.plan import HealthCheck, Host, LbPolicy, Limits, Plan, Pool
from pointsman.transports.wire import contract

_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
_CARES = "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig"
_LB = {"round_robin": "ROUND_ROBIN", "least_request": "LEAST_REQUEST"}

_OVERRIDE = "type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost"

_ENGINE_IDLE_S = 4
"""uvicorn, under every Python engine, closes idle connections after 5 s: we let go first, so that no
request is sent into a closing connection."""


def cluster_name(pool: str) -> str:
    """A pool's cluster."""
    return contract.POOL_CLUSTER_PREFIX + pool


def endpoints_file(pool: Pool) -> str:
    """File name of a pool's endpoints: pool names are any strings, so it is a digest."""
    return f"eds-{hashlib.sha256(pool.name.encode()).hexdigest()[:16]}.json"


def by_file(pool: Pool) -> bool:
    """Whether the endpoints live in a file of their own: only IP addresses may."""
    return all(host.is_ip for host in pool.endpoints)


def file_source(path: Path) -> dict[str, Any]:
    """A configuration source that follows atomic replacements of ``path``."""
    watched = {"path": str(path), "watched_directory": {"path": str(path.parent)}}
    return {"path_config_source": watched, "resource_api_version": "V3"}


def render(pool: Pool, plan: Plan) -> dict[str, Any]:
    """The ``Cluster`` resource of a pool."""
    cluster: dict[str, Any] = {
        "name": cluster_name(pool.name),
        "connect_timeout": f"{pool.connect_timeout_s:.3f}s",
        **_balancing(pool),
        "per_connection_buffer_limit_bytes": 256 << 10,
        "circuit_breakers": _bounds(plan.limits),
        "outlier_detection": _ejection(pool),
        # Envoy would spread traffic over dead replicas too once half are dead; ejection is bounded anyway.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0.0}},
        "typed_extension_protocol_options": {
            _HTTP: {
                "@type": f"type.googleapis.com/{_HTTP}",
                "common_http_protocol_options": {"idle_timeout": f"{_ENGINE_IDLE_S}s"},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
    }
    if by_file(pool):
        source = file_source(plan.run_dir / endpoints_file(pool))
        cluster |= {"type": "EDS", "eds_cluster_config": {"eds_config": source}}
    else:
        cluster |= {"type": "STRICT_DNS", "load_assignment": assignment(pool), **_resolution()}
    if matches := _tls(pool, plan.ca_file):
        cluster["transport_socket_matches"] = matches
    if pool.health_check is not None:
        cluster["health_checks"] = [_health(pool.health_check)]
    return cluster


def _balancing(pool: Pool) -> dict[str, Any]:
    """Our endpoints first, in their order; a retry takes the next one."""
    if not pool.placed:
        return {"lb_policy": _LB[pool.lb_policy]}
    named = {"key": contract.LB_NAMESPACE, "path": [{"key": names.DESTINATION}]}
    override = {
        "@type": _OVERRIDE,
        # Metadata alone: only the router sets it, whatever a client sends.
        "override_host_sources": [{"metadata": named}],
        "fallback_policy": {"policies": [_policy(pool.lb_policy)]},
    }
    config = {"name": "envoy.load_balancing_policies.override_host", "typed_config": override}
    return {"load_balancing_policy": {"policies": [{"typed_extension_config": config}]}}


def _policy(name: LbPolicy) -> dict[str, Any]:
    kind = {"round_robin": "RoundRobin", "least_request": "LeastRequest"}[name]
    config = {"@type": f"type.googleapis.com/envoy.extensions.load_balancing_policies.{name}.v3.{kind}"}
    return {
        "typed_extension_config": {"name": f"envoy.load_balancing_policies.{name}", "typed_config": config}
    }


def _resolution() -> dict[str, Any]:
    """Answers are kept as long as they say; a resolver that is down holds up a start for seconds only.

    IPv4 if there is any: Envoy's default takes IPv6 alone, and engines on ``localhost`` seldom listen there.
    """
    config = {"@type": _CARES, "query_timeout_seconds": 2, "query_tries": 2}
    resolver = {"name": "envoy.network.dns_resolver.cares", "typed_config": config}
    return {
        "respect_dns_ttl": True,
        "dns_lookup_family": "V4_PREFERRED",
        "typed_dns_resolver_config": resolver,
    }


def assignment(pool: Pool) -> dict[str, Any]:
    """The ``ClusterLoadAssignment`` resource of a pool."""
    endpoints = [{"lb_endpoints": [_endpoint(host) for host in pool.endpoints]}] if pool.endpoints else []
    return {"cluster_name": cluster_name(pool.name), "endpoints": endpoints}


def _endpoint(host: Host) -> dict[str, Any]:
    socket = {"address": host.address, "port_value": host.port}
    endpoint: dict[str, Any] = {"address": {"socket_address": socket}}
    if host.tls_sni or not host.is_ip:
        endpoint["hostname"] = host.tls_sni or host.address
    rendered: dict[str, Any] = {"endpoint": endpoint, "load_balancing_weight": host.weight}
    if host.tls_sni:
        rendered["metadata"] = {
            "filter_metadata": {"envoy.transport_socket_match": {"tls_sni": host.tls_sni}}
        }
    return rendered


def _tls(pool: Pool, ca_file: Path) -> list[dict[str, Any]]:
    """One TLS client configuration a server name; replicas without one are spoken to in the clear."""
    matches = []
    for sni in sorted({host.tls_sni for host in pool.endpoints if host.tls_sni}):
        context = {
            "trusted_ca": {"filename": str(ca_file)},
            "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": sni}}],
        }
        tls = {
            "@type": _TLS,
            "sni": sni,
            "common_tls_context": {"validation_context": context, "alpn_protocols": ["http/1.1"]},
        }
        socket = {"name": "envoy.transport_sockets.tls", "typed_config": tls}
        matches.append({"name": f"tls/{sni}", "match": {"tls_sni": sni}, "transport_socket": socket})
    return matches


def _bounds(limits: Limits) -> dict[str, Any]:
    """Set explicitly: Envoy's default of 1024 is less than a busy fleet has in flight."""
    bound = limits.max_pool_requests
    budget = {"budget_percent": {"value": 20.0}, "min_retry_concurrency": 10}
    threshold = {
        "max_connections": bound,
        "max_pending_requests": bound,
        "max_requests": bound,
        "retry_budget": budget,
    }
    return {"thresholds": [threshold]}


def _ejection(pool: Pool) -> dict[str, Any]:
    return {
        "consecutive_5xx": pool.consecutive_5xx,
        "interval": "1s",
        "base_ejection_time": f"{pool.base_ejection_s:.3f}s",
        "max_ejection_percent": pool.max_ejection_percent,
        "enforcing_success_rate": 0,
    }


def _health(check: HealthCheck) -> dict[str, Any]:
    return {
        "timeout": f"{check.timeout_s:.3f}s",
        "interval": f"{check.interval_s:.3f}s",
        "no_traffic_interval": f"{check.interval_s:.3f}s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "http_health_check": {"path": check.path},
    }
