"""How a pool's cluster balances."""

from pathlib import Path

from pointsman.transports.envoy import clusters, filters
from pointsman.transports.envoy.plan import Host, Limits, Plan, Pool

PLAN = Plan(
    listeners=(),
    pools=(),
    run_dir=Path("/run"),
    extproc_socket=Path("/x"),
    accesslog_socket=Path("/y"),
    admin_socket=Path("/z"),
)
HOSTS = (Host(address="10.0.0.1", port=80),)


def test_placed_pools_take_our_endpoints_first() -> None:
    """Endpoints come from metadata alone, which clients cannot set; the pool's own policy is what falls back."""
    cluster = clusters.render(Pool(name="m", endpoints=HOSTS, lb_policy="round_robin", placed=True), PLAN)
    assert "lb_policy" not in cluster
    [policy] = cluster["load_balancing_policy"]["policies"]
    config = policy["typed_extension_config"]["typed_config"]
    [source] = config["override_host_sources"]
    assert source == {"metadata": {"key": "envoy.lb", "path": [{"key": "x-gateway-destination-endpoint"}]}}
    [fallback] = config["fallback_policy"]["policies"]
    assert fallback["typed_extension_config"]["name"] == "envoy.load_balancing_policies.round_robin"


def test_other_pools_balance_as_before() -> None:
    """Native policies need nothing of ours."""
    cluster = clusters.render(Pool(name="m", endpoints=HOSTS), PLAN)
    assert cluster["lb_policy"] == "LEAST_REQUEST"
    assert "load_balancing_policy" not in cluster


def test_the_decision_filter_takes_endpoints_and_our_outcome_only() -> None:
    """These two namespaces of metadata are accepted from the processor, and no other."""
    [config] = [
        one["typed_config"]
        for one in filters.render(Limits())
        if one["name"] == "envoy.filters.http.ext_proc"
    ]
    assert config["metadata_options"]["receiving_namespaces"]["untyped"] == ["pointsman", "envoy.lb"]
