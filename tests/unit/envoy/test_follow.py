"""Endpoints of a running Envoy, written as the roster changes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pointsman.transports.envoy.clusters import endpoints_file
from pointsman.transports.envoy.files import FileConfig
from pointsman.transports.envoy.managed import ManagedEnvoy
from pointsman.transports.envoy.plan import Host, Listener, Plan, Pool

ONE = Pool(name="one", endpoints=(Host(address="10.0.0.1", port=8000),))
NAMED = Pool(name="named", endpoints=(Host(address="vllm.svc", port=8000),))


def plan(folder: Path, *pools: Pool) -> Plan:
    socket = folder / "socket"
    return Plan(
        listeners=(Listener(name="http", address="127.0.0.1", port=1),),
        pools=pools,
        run_dir=folder,
        extproc_socket=socket,
        accesslog_socket=socket,
        admin_socket=socket,
    )


def written(folder: Path, pool: Pool) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / endpoints_file(pool)).read_bytes())
    return found


def test_only_what_changed_is_written_under_a_new_version(tmp_path: Path) -> None:
    """The same set again touches no file; an emptied pool has a file that says so; strangers are passed over."""
    files = FileConfig(tmp_path)
    files.write(plan(tmp_path, ONE, NAMED))
    before, clusters = written(tmp_path, ONE), (tmp_path / "cds.json").stat().st_mtime_ns
    assert files.follow([ONE, NAMED, replace(ONE, name="stranger")]) == 0
    more = replace(ONE, endpoints=(*ONE.endpoints, Host(address="10.0.0.2", port=8000)))
    assert files.follow([more]) == 1
    after = written(tmp_path, ONE)
    assert len(after["resources"][0]["endpoints"][0]["lb_endpoints"]) == 2
    assert after["version_info"] != before["version_info"]
    assert files.follow([replace(ONE, endpoints=())]) == 1
    assert written(tmp_path, ONE)["resources"][0]["endpoints"] == []
    assert (tmp_path / "cds.json").stat().st_mtime_ns == clusters
    assert not list(tmp_path.glob(".*"))


def test_a_pool_that_was_empty_at_the_start_can_grow(tmp_path: Path) -> None:
    """A cluster without endpoints reads a file, so that discovery can fill it."""
    empty = replace(ONE, endpoints=())
    files = FileConfig(tmp_path)
    files.write(plan(tmp_path, empty))
    [cluster] = json.loads((tmp_path / "cds.json").read_bytes())["resources"]
    assert cluster["type"] == "EDS"
    assert files.follow([ONE]) == 1


def test_an_envoy_that_has_not_started_follows_nothing(tmp_path: Path) -> None:
    """Changes before the start are no error: the start has them."""
    assert ManagedEnvoy(tmp_path / "envoy", lambda _: None).follow([ONE]) == 0
