"""Files and batches in Envoy's configuration."""

import re
from pathlib import Path

import pytest

from pointsman.transports.envoy import background, routes
from pointsman.transports.envoy.plan import Host, Listener, Plan, Pool

PLAN = Plan(
    listeners=(Listener(name="l", address="127.0.0.1", port=1),),
    pools=(Pool(name="p", endpoints=(Host(address="127.0.0.1", port=2),)),),
    run_dir=Path("/run"),
    extproc_socket=Path("/run/e"),
    accesslog_socket=Path("/run/a"),
    admin_socket=Path("/run/d"),
    files_socket=Path("/run/f"),
)


def test_their_routes_come_first_and_ask_nobody() -> None:
    """No header of a client leads elsewhere, and no router has to be there."""
    found = routes.render(PLAN)["virtual_hosts"][0]["routes"]
    assert [each["match"].get("path_separated_prefix") for each in found[:2]] == ["/v1/files", "/v1/batches"]
    for each in found[:2]:
        assert each["typed_per_filter_config"]["envoy.filters.http.ext_proc"]["disabled"] is True
        assert each["route"]["cluster"] == background.CLUSTER


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("/v1/files", True),
        ("/v1/files?limit=2", True),
        ("/v1/batches/batch-1/cancel", True),
        ("/v1/filesystem", False),
        ("/v1/chat/completions", False),
    ],
)
def test_nobody_waits_for_a_decision_about_them(path: str, *, ours: bool) -> None:
    """The access log leaves them out, and nothing else."""
    header = background.unlogged()["header_filter"]["header"]
    assert header["invert_match"] is True
    assert bool(re.search(header["string_match"]["safe_regex"]["regex"], path)) is ours
