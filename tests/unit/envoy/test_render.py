import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.core import headers as names
from pointsman.transports.envoy import bootstrap, clusters, filters, local_reply, routes, strip
from pointsman.transports.envoy.files import FileConfig
from pointsman.transports.envoy.plan import HealthCheck, Host, Limits, Listener, Plan, Pool
from pointsman.transports.wire import contract

_DIR = Path("/run/pointsman")
_PLAN = Plan(
    listeners=(Listener(name="http", address="127.0.0.1", port=8801),),
    pools=(),
    run_dir=_DIR,
    extproc_socket=_DIR / "extproc.sock",
    accesslog_socket=_DIR / "accesslog.sock",
    admin_socket=_DIR / "admin.sock",
)
_ONE = Pool(name="one", endpoints=(Host(address="10.0.0.1", port=8000),))
_TWO = Pool(name="two", endpoints=(Host(address="10.0.0.2", port=8000),))
_NAMED = Pool(name="named", endpoints=(Host(address="engine.svc", port=8000),))

pool_names = st.lists(st.text(min_size=1, max_size=30), unique=True, max_size=6)


def _table(plan: Plan) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = routes.render(plan)["virtual_hosts"][0]["routes"]
    return found


def _pools(found: list[str]) -> tuple[Pool, ...]:
    return tuple(replace(_ONE, name=name) for name in found)


@given(pool_names)
def test_only_the_exact_pool_header_leads_to_a_pool(found: list[str]) -> None:
    """Whatever the names, a pool is reached by its own header value alone; the rest is refused.

    Each pool has two routes there, the first one for answers that have to be filtered.
    """
    *decided, last = _table(replace(_PLAN, pools=_pools(found)))
    for name, filtered, plain in zip(found, decided[::2], decided[1::2], strict=True):
        own = {"name": names.POOL, "string_match": {"exact": name}}
        assert plain["match"]["headers"] == [own]
        assert filtered["match"]["headers"] == [own, {"name": names.ANSWER, "present_match": True}]
        assert [route["route"]["cluster"] for route in (filtered, plain)] == [clusters.cluster_name(name)] * 2
        assert "typed_per_filter_config" not in plain
    assert "headers" not in last["match"]
    assert last["route"] == {"cluster": contract.UNDECIDED_CLUSTER}


@given(pool_names)
def test_pool_clusters_never_collide_with_ours_or_leave_the_directory(found: list[str]) -> None:
    """A pool named like one of our clusters, or like a path, is only a name."""
    ours = {each["name"] for each in bootstrap.render(_PLAN)["static_resources"]["clusters"]}
    files = [clusters.endpoints_file(pool) for pool in _pools(found)]
    assert not ours & {clusters.cluster_name(name) for name in found}
    assert all(re.fullmatch(r"eds-[0-9a-f]{16}\.json", file) for file in files)
    assert len(set(files)) == len(found)


def test_fail_open_leads_undecided_requests_to_the_chosen_pool() -> None:
    """Only a default pool that exists opens the fallback route."""
    plan = replace(_PLAN, pools=(_ONE, _TWO))
    assert _table(replace(plan, default_pool="two"))[-1]["route"]["cluster"] == "pool/two"
    assert _table(replace(plan, default_pool="gone"))[-1]["route"]["cluster"] == contract.UNDECIDED_CLUSTER


def test_every_internal_header_and_family_is_stripped_before_routing() -> None:
    """The early mutation names all of ``INTERNAL_REQUEST_HEADERS`` and the families nobody may forge."""
    mutations = strip.render()["typed_config"]["mutations"]
    removed = {each["remove"] for each in mutations if "remove" in each}
    prefixes = {
        each["remove_on_match"]["key_matcher"]["prefix"] for each in mutations if "remove" not in each
    }
    assert removed == set(names.INTERNAL_REQUEST_HEADERS)
    assert prefixes == {"x-pointsman-", "x-vsr-looper-", "x-envoy-"}
    manager = bootstrap.render(_PLAN)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    assert strip.render() in manager["typed_config"]["early_header_mutation_extensions"]


def test_health_and_metrics_pass_the_router_only_where_the_plan_says_so() -> None:
    """GET alone, by exact path, before every pool; such requests are not decided and not logged."""
    plan = replace(_PLAN, operations=Host(address="127.0.0.1", port=8080), pools=(_ONE,))
    first, second, *others = _table(plan)
    assert [route["match"]["path"] for route in (first, second)] == ["/health", "/metrics"]
    assert all(
        route["match"]["headers"] == [{"name": ":method", "string_match": {"exact": "GET"}}]
        for route in (first, second)
    )
    (config,) = first["typed_per_filter_config"].values()
    assert config["disabled"] is True
    assert others == _table(replace(plan, operations=None))
    document = bootstrap.render(plan)["static_resources"]
    assert "pointsman-operations" in [each["name"] for each in document["clusters"]]
    manager = document["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    assert "filter" in manager["access_log"][0]
    usual = bootstrap.render(_PLAN)["static_resources"]
    assert "pointsman-operations" not in [each["name"] for each in usual["clusters"]]


def test_headers_that_no_proxy_vouches_for_go_with_them() -> None:
    """What a plan names beside our own headers is removed at every listener."""
    plan = replace(_PLAN, unheard_headers=("x-user", "x-groups"))
    manager = bootstrap.render(plan)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    (extension,) = manager["typed_config"]["early_header_mutation_extensions"]
    removed = [each.get("remove") for each in extension["typed_config"]["mutations"]]
    assert {"x-user", "x-groups", *names.INTERNAL_REQUEST_HEADERS} <= set(removed)


def test_the_decision_filter_fails_open_and_sees_no_response() -> None:
    """Failure must not cut a running answer, and no response byte goes to the router."""
    by_name = {each["name"]: each["typed_config"] for each in filters.render(Limits())}
    config = by_name["envoy.filters.http.ext_proc"]
    mode = config["processing_mode"]
    assert config["failure_mode_allow"] is True
    assert (mode["request_header_mode"], mode["request_body_mode"]) == ("SEND", "BUFFERED")
    assert (mode["response_header_mode"], mode["response_body_mode"]) == ("SKIP", "NONE")
    assert list(by_name)[-1] == "envoy.filters.http.router"


def test_every_local_reply_spares_ours_and_has_its_clients_shape() -> None:
    """Each mapper excludes the router's replies; paths of messages get Anthropic's shape, all others OpenAI's."""
    mappers = local_reply.render(1024)["mappers"]
    for index, mapper in enumerate(mappers):
        expression = mapper["filter"]["extension_filter"]["typed_config"]["expression"]
        assert expression.startswith(f"!(response.code_details == '{contract.REPLY_DETAILS}') && ")
        body = mapper["body_format_override"]["json_format"]
        if index < len(mappers) // 2:
            assert expression.endswith(" && request.url_path.endsWith('/messages')")
            assert (list(body), list(body["error"])) == (["type", "error"], ["type", "message"])
        else:
            assert list(body["error"]) == ["message", "type", "param", "code"]
            assert body["error"]["code"] == "%RESPONSE_CODE%"


def test_addresses_use_a_file_and_names_are_resolved_by_envoy() -> None:
    """A pool of IP addresses follows its file; one name makes the whole pool ``STRICT_DNS``."""
    mixed = replace(_NAMED, endpoints=(*_NAMED.endpoints, *_ONE.endpoints))
    assert clusters.render(_ONE, _PLAN)["type"] == "EDS"
    for pool in (_NAMED, mixed):
        cluster = clusters.render(pool, _PLAN)
        assert cluster["type"] == "STRICT_DNS"
        assert len(cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]) == len(pool.endpoints)


def test_tls_replicas_are_verified_by_name_and_plain_ones_stay_plain() -> None:
    """Per server name one TLS configuration with SNI, system authorities and the name in the certificate."""
    tls = Host(address="api.example.com", port=443, tls_sni="api.example.com")
    pool = replace(_ONE, endpoints=(tls, *_ONE.endpoints))
    (match,) = clusters.render(pool, _PLAN)["transport_socket_matches"]
    config = match["transport_socket"]["typed_config"]
    validation = config["common_tls_context"]["validation_context"]
    assert config["sni"] == "api.example.com"
    assert validation["trusted_ca"] == {"filename": str(_PLAN.ca_file)}
    assert validation["match_typed_subject_alt_names"] == [
        {"san_type": "DNS", "matcher": {"exact": "api.example.com"}}
    ]
    first, second = clusters.assignment(pool)["endpoints"][0]["lb_endpoints"]
    assert first["endpoint"]["hostname"] == "api.example.com"
    assert match["match"] == first["metadata"]["filter_metadata"]["envoy.transport_socket_match"]
    assert "metadata" not in second
    assert "transport_socket_matches" not in clusters.render(_ONE, _PLAN)


def test_pool_policies_reach_the_cluster_and_the_route() -> None:
    """Balancing, ejection, health check and retries are the plan's; no retries means no policy."""
    pool = replace(
        _ONE,
        lb_policy="round_robin",
        retries=3,
        retry_on=("reset",),
        consecutive_5xx=7,
        health_check=HealthCheck(path="/ping"),
    )
    cluster = clusters.render(pool, _PLAN)
    route = _table(replace(_PLAN, pools=(pool,)))[0]["route"]
    assert cluster["lb_policy"] == "ROUND_ROBIN"
    assert cluster["outlier_detection"]["consecutive_5xx"] == 7
    assert cluster["health_checks"][0]["http_health_check"] == {"path": "/ping"}
    assert (route["retry_policy"]["num_retries"], route["retry_policy"]["retry_on"]) == (3, "reset")
    assert route["timeout"] == "0s"
    assert "retry_policy" not in _table(replace(_PLAN, pools=(replace(pool, retries=0),)))[0]["route"]


class _Recorder(FileConfig):
    """Remembers the order of replacements."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(run_dir)
        self.replaced: list[str] = []

    def _replace(self, name: str, document: Any) -> None:
        super()._replace(name, document)
        self.replaced.append(name)


def _resources(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["resources"]
    return found


def test_endpoints_are_written_before_clusters_and_clusters_before_routes(tmp_path: Path) -> None:
    """Envoy must never read a name whose meaning is not there yet; unchanged endpoints are not rewritten."""
    files = _Recorder(tmp_path)
    plan = replace(_PLAN, run_dir=tmp_path, pools=(_ONE,))
    assert files.write(plan) == tmp_path / "bootstrap.json"
    files.update(replace(plan, pools=(_ONE, _TWO)))
    one, two = clusters.endpoints_file(_ONE), clusters.endpoints_file(_TWO)
    assert files.replaced == [one, "cds.json", "rds.json", "bootstrap.json", two, "cds.json", "rds.json"]


def test_a_removed_pool_stays_a_cluster_for_one_more_update(tmp_path: Path) -> None:
    """Its route goes first, so no request meets a route to a missing cluster; then its file goes too."""
    files = FileConfig(tmp_path)
    plan = replace(_PLAN, run_dir=tmp_path, pools=(_ONE, _TWO))
    files.write(plan)
    files.update(replace(plan, pools=(_ONE,)))
    assert [each["name"] for each in _resources(tmp_path / "cds.json")] == ["pool/one", "pool/two"]
    assert len(_resources(tmp_path / "rds.json")[0]["virtual_hosts"][0]["routes"]) == 3
    files.update(replace(plan, pools=(_ONE,)))
    assert [each["name"] for each in _resources(tmp_path / "cds.json")] == ["pool/one"]
    assert not (tmp_path / clusters.endpoints_file(_TWO)).exists()


def test_versions_grow_and_no_temporary_file_stays(tmp_path: Path) -> None:
    """The version tells Envoy's answer to one write from that to another."""
    files = FileConfig(tmp_path)
    plan = replace(_PLAN, run_dir=tmp_path, pools=(_ONE, _NAMED))
    files.write(plan)
    first = files.version
    files.update(plan)
    assert int(files.version) == int(first) + 1
    expected = {"bootstrap.json", "cds.json", "rds.json", clusters.endpoints_file(_ONE)}
    assert {path.name for path in tmp_path.iterdir()} == expected


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A document that cannot be written replaces nothing and leaves no debris."""
    files = FileConfig(tmp_path)
    plan = replace(_PLAN, run_dir=tmp_path, pools=(_ONE,))
    files.write(plan)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TypeError):
        files._replace("cds.json", {"not": object()})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_pools_change_in_place_and_limits_take_a_restart(tmp_path: Path) -> None:
    """``keeps`` tells which plans an update can bring about."""
    files = FileConfig(tmp_path)
    plan = replace(_PLAN, run_dir=tmp_path, pools=(_ONE,))
    assert not files.keeps(plan)
    files.write(plan)
    assert files.keeps(replace(plan, pools=(_TWO,), default_pool="two"))
    assert not files.keeps(replace(plan, limits=Limits(decision_timeout_s=9.0)))
    assert not files.keeps(replace(plan, listeners=()))
