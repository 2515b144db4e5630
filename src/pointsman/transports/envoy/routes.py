"""The route table: the pool header chooses a cluster, and nothing else does."""

from typing import Any

from pointsman.core import headers as names
from pointsman.transports.envoy import background, clusters, filters, operations
from pointsman.transports.envoy.plan import Plan, Pool
from pointsman.transports.wire import contract

ROUTES = "pointsman-routes"

_PREVIOUS_HOSTS = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"


def render(plan: Plan) -> dict[str, Any]:
    """The ``RouteConfiguration`` resource."""
    return {
        "name": ROUTES,
        # Internal to us; the logical model's header stays, engines may read it.
        "request_headers_to_remove": [names.POOL, names.ANSWER, "x-envoy-external-address"],
        "virtual_hosts": [
            {
                "name": "all",
                "domains": ["*"],
                # On the virtual host: while the body is buffered no decision exists, so no route of a pool.
                "request_body_buffer_limit": plan.limits.max_body_bytes,
                "routes": [
                    *(operations.routes() if plan.operations else ()),
                    *(background.routes() if plan.files_socket else ()),
                    *(route for pool in plan.pools for route in (_filtered(pool), _route(pool))),
                    _undecided(plan),
                ],
            }
        ],
    }


def _route(pool: Pool) -> dict[str, Any]:
    header = {"name": names.POOL, "string_match": {"exact": pool.name}}
    return {
        "name": clusters.cluster_name(pool.name),
        "match": {"prefix": "/", "headers": [header]},
        "route": _forward(pool),
    }


def _filtered(pool: Pool) -> dict[str, Any]:
    """The same, for requests whose answer the router must see."""
    route = _route(pool)
    present = {"name": names.ANSWER, "present_match": True}
    return {
        "name": f"{route['name']}/filtered",
        "match": {"prefix": "/", "headers": [*route["match"]["headers"], present]},
        "route": route["route"],
        "typed_per_filter_config": filters.on_answer_routes(),
    }


def _undecided(plan: Plan) -> dict[str, Any]:
    """To a cluster without endpoints (a 503, worded by ``local_reply``), or where the operator fails open to.

    Not a ``direct_response``: while a body is buffered for the decision this is the request's route, and
    Envoy applies no body limit of ours to a route that leads nowhere (a body over 256 KiB would be a 413).
    """
    match = {"prefix": "/"}
    for pool in plan.pools:
        if pool.name == plan.default_pool:
            return {"name": contract.UNDECIDED_ROUTE, "match": match, "route": _forward(pool)}
    return {
        "name": contract.UNDECIDED_ROUTE,
        "match": match,
        "route": {"cluster": contract.UNDECIDED_CLUSTER},
    }


def _forward(pool: Pool) -> dict[str, Any]:
    route: dict[str, Any] = {
        "cluster": clusters.cluster_name(pool.name),
        # An answer may take hours; the idle timeout of the connection manager ends a silent one.
        "timeout": "0s",
    }
    if any(host.tls_sni or not host.is_ip for host in pool.endpoints):
        route["auto_host_rewrite"] = True
    if pool.retries > 0:
        route["retry_policy"] = _retry(pool)
    return route


def _retry(pool: Pool) -> dict[str, Any]:
    """Elsewhere, a few milliseconds later. Envoy never retries once a byte went to the client."""
    return {
        "retry_on": ",".join(pool.retry_on),
        "num_retries": pool.retries,
        "retriable_status_codes": list(pool.retriable_statuses),
        "retry_host_predicate": [
            {
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": {"@type": _PREVIOUS_HOSTS},
            }
        ],
        "host_selection_retry_max_attempts": 5,
        "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.1s"},
    }
