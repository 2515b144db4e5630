"""The page on the fleet: its examples load and do what it says, and its tables are the schema's."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config import Settings, examine, parse
from pointsman.config.base import Part
from pointsman.config.replicas import (
    DnsReplicas,
    HealthChecks,
    InferencePoolReplicas,
    KubernetesApi,
    KubernetesReplicas,
    StaticReplica,
)
from pointsman.config.schema import table
from pointsman.core.endpoint import Role
from pointsman.core.errors import ConfigError
from pointsman.fleet.catalog import Catalog
from pointsman.fleet.discovery.source import unreported
from pointsman.fleet.discovery.sources import sources_of
from pointsman.fleet.discovery.static import StaticSource, written_endpoints
from pointsman.fleet.lookout import News, open_lookout
from pointsman.fleet.roster import Roster
from pointsman.fleet.static import catalog_from
from pointsman.transports.envoy.planning import plan_from

PAGE = Path(__file__).parents[3] / "docs" / "fleet.md"
IN_CLUSTER = {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}
PARTS: dict[str, type[Part]] = {
    "fleet.static": StaticReplica,
    "fleet.dns": DnsReplicas,
    "fleet.kubernetes": KubernetesReplicas,
    "fleet.inference_pools": InferencePoolReplicas,
    "fleet.kubernetes_api": KubernetesApi,
    "fleet.health": HealthChecks,
}
EXAMPLES = re.findall(r"```yaml\n(version: v0.3\n.*?)```", PAGE.read_text(), re.DOTALL)


def example(key: str) -> Settings:
    """The page's example of one key."""
    [text] = [text for text in EXAMPLES if f"\n  {key}:" in text and "fleet:" in text]
    return parse(text, {})


@pytest.mark.parametrize("text", [text for text in EXAMPLES if "fleet:" in text])
def test_every_example_loads_and_asks_for_nothing_in_vain(text: str) -> None:
    """Each document of the page is valid as it stands, and all of its keys work."""
    settings = parse(text, {})
    assert not examine(settings)
    assert plan_from(settings, Path("/run")).pools


def test_the_tables_are_those_of_the_schema() -> None:
    """The tables are generated; regenerate them when this fails."""
    page = PAGE.read_text()
    for name, part in PARTS.items():
        assert page.partition(f"<!-- table: {name} -->\n")[2].partition("<!-- end -->")[0] == table(
            part, name
        )


def test_fixed_replicas_are_what_the_example_says() -> None:
    """Names, labels and roles reach the endpoints; IPv6 keeps its brackets."""
    one, two = written_endpoints(example("static"))
    assert (one.address, one.pool, one.name, one.labels) == ("10.0.0.7:8000", "small", "gpu-7", {"zone": "a"})
    assert (two.address, two.role, two.base_url) == ("[fd00::7]:8000", Role.DECODE, "http://[fd00::7]:8000")


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("dns", ["static", "dns[0]", "dns[1]"]),
        ("kubernetes", ["static", "kubernetes[0]", "kubernetes[1]"]),
        ("inference_pools", ["static", "inference_pools[0]"]),
    ],
)
def test_each_source_of_the_examples_is_opened(key: str, names: list[str]) -> None:
    """What the document names is looked for, the fixed replicas always."""
    sources = sources_of(example(key), IN_CLUSTER, unreported)
    assert [source.name for source in sources] == names


def test_names_and_encrypted_backends_are_left_to_envoy() -> None:
    """They are no endpoints of ours, and Envoy gets them from the document whatever the roster says."""
    text = "version: v0.3\nproviders: {models: [{name: m, backend_refs: [{endpoint: 'vllm:8000'}, {endpoint: '10.0.0.1:1'}]}, {name: t, backend_refs: [{endpoint: '10.0.0.2:443', protocol: https}]}]}"
    settings = parse(text, {})
    assert not list(written_endpoints(settings))
    pools = {
        pool.name: [host.address for host in pool.endpoints]
        for pool in plan_from(settings, Path("/run"), Roster()).pools
    }
    assert pools == {"m": ["vllm", "10.0.0.1"], "t": ["10.0.0.2"]}
    catalog: Catalog = catalog_from(settings, {})
    lookout = open_lookout(settings, catalog, {}, Roster(), News())
    assert (lookout.managed, lookout.alive("m"), lookout.usable("t")) == (frozenset(), True, True)


def test_trusted_models_and_the_key_are_those_of_the_example() -> None:
    """The key of discovered engines goes with requests to models that have no backends of their own."""
    settings = example("health")
    assert settings.fleet.health.trust == ("small",)
    assert settings.fleet.engine_key_env == "VLLM_API_KEY"
    found = parse(
        "version: v0.3\nproviders: {models: [{name: m}]}\nfleet: {engine_key_env: K, static: [{address: '10.0.0.1:1'}]}",
        {},
    )
    assert catalog_from(found, {"K": "secret"}).targets["m"].headers == {"authorization": "Bearer secret"}


def test_the_role_reads_and_never_writes() -> None:
    """The RBAC example has no verb but reading ones."""
    [text] = re.findall(r"```yaml\n(# rbac\n.*?)```", PAGE.read_text(), re.DOTALL)
    role: dict[str, Any] = yaml.safe_load(text)
    assert role["kind"] == "Role"
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}


@pytest.mark.parametrize(
    ("fleet", "path"),
    [
        ("static: [{address: 'vllm:8000', model: m}]", "fleet.static[0].address"),
        ("static: [{address: '10.0.0.1:1', model: q}]", "fleet.static[0].model"),
        (
            "static: [{address: '10.0.0.1:1', model: m}, {address: '10.0.0.1:1', model: m}]",
            "fleet.static[1].address",
        ),
        ("dns: [{host: vllm, model: m}]", "fleet.dns[0].port"),
        ("dns: [{host: vllm, record: srv, port: 1, model: m}]", "fleet.dns[0].port"),
        ("kubernetes: [{model: m}]", "fleet.kubernetes[0]"),
        ("kubernetes: [{selector: a=b, service: s, model: m}]", "fleet.kubernetes[0].service"),
        ("kubernetes: [{selector: a=b, port: No, model: m}]", "fleet.kubernetes[0].port"),
        ("kubernetes: [{selector: a=b, namespace: A/B, model: m}]", "fleet.kubernetes[0].namespace"),
        ("inference_pools: [{name: x, model: named}]", "fleet.inference_pools[0].model"),
        ("health: {trust: [q]}", "fleet.health.trust"),
    ],
)
def test_mistakes_are_named(fleet: str, path: str) -> None:
    """A document that cannot mean what it says is refused, with the key at fault."""
    models = "{name: m, backend_refs: [{endpoint: '10.0.0.9:1'}]}, {name: named, backend_refs: [{endpoint: 'vllm:1'}]}"
    with pytest.raises(ConfigError) as refused:
        parse(f"version: v0.3\nproviders: {{models: [{models}]}}\nfleet: {{{fleet}}}", {})
    assert path in {problem.path for problem in refused.value.problems}


def test_a_model_that_nothing_serves_is_refused() -> None:
    """Without backends a model needs a source that may find it."""
    with pytest.raises(ConfigError, match="backend_refs"):
        parse(
            "version: v0.3\nproviders: {models: [{name: m}, {name: n}]}\nfleet: {static: [{address: '10.0.0.1:1', model: n}]}",
            {},
        )


def test_static_replicas_are_published_once() -> None:
    """The source of fixed replicas has them before it runs."""
    [source] = sources_of(example("static"), {}, unreported)
    assert isinstance(source, StaticSource)
    assert len(source.endpoints) == 2
