"""The flags of the production stack's router: each parses, and means what the table says."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pointsman.config import Settings, parse
from pointsman.config.shape import field_at
from pointsman.config.stack import FLAGS, Flag, Kind, Translation, gather, read_dynamic, translate
from pointsman.config.stack.draft import known, values_of
from pointsman.core.errors import ConfigError
from pointsman.core.problem import Severity

ENV = {"OPENAI_API_KEY": "sk-env"}
BASE = {
    "service_discovery": "static",
    "routing_logic": "roundrobin",
    "static_backends": "http://10.0.0.1:8000,http://10.0.0.2:8000",
    "static_models": "small,large",
}
UPSTREAM = """
    host port root-path service-discovery
    k8s-service-discovery-type static-backends static-models static-aliases
    static-model-types static-model-labels static-backend-health-checks static-backend-health-check-interval
    static-backend-health-check-timeout-seconds k8s-port k8s-namespace k8s-label-selector
    k8s-watcher-timeout-seconds backend-health-check-timeout-seconds routing-logic lmcache-controller-port
    lmcache-controller-reply-port lmcache-controller-heartbeat-port lmcache-health-check-interval lmcache-worker-timeout
    kv-aware-threshold prefix-min-match-length session-key callbacks
    request-rewriter enable-batch-api file-storage-class file-storage-path
    batch-processor engine-stats-interval request-stats-window log-stats
    log-stats-interval dynamic-config-yaml dynamic-config-json feature-gates
    semantic-cache-model semantic-cache-dir semantic-cache-threshold log-level
    log-format sentry-dsn sentry-traces-sample-rate sentry-profile-session-sample-rate
    otel-endpoint otel-service-name otel-secure prefill-model-labels
    decode-model-labels max-instance-failover-reroute-attempts external-providers-config version
"""
SAMPLES: dict[Kind, tuple[Any, Any]] = {
    Kind.TEXT: ("word", "word"),
    Kind.WHOLE: ("7", 7),
    Kind.SHARE: ("0.5", 0.5),
    Kind.LIST: ("a, b", ("a", "b")),
    Kind.SWITCH: (True, True),
}


def meant(**flags: Any) -> Translation:
    """What these flags mean, beside a smallest command line."""
    return translate(gather({**BASE, **flags}, {}), ENV)


def settings(**flags: Any) -> Settings:
    return parse(yaml.safe_dump(dict(meant(**flags).document)), ENV)


def wrong(**flags: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        meant(**flags)
    return str(caught.value)


def at(document: Any, path: str) -> Any:
    for step in path.replace("[", ".").replace("]", "").split("."):
        document = document[int(step)] if step.isdigit() else document[step]
    return document


def test_every_flag_of_that_router_is_known() -> None:
    """The table has each of its flags, and none of our own invention."""
    assert [flag.name for flag in FLAGS] == UPSTREAM.split()


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_every_flag_parses(flag: Flag) -> None:
    """A value of its kind is read, alike from the command line and from a file."""
    written, read = (flag.choices[-1],) * 2 if flag.choices else SAMPLES[flag.kind]
    if flag.kind is Kind.WHOLE and flag.least > 7:
        written, read = str(flag.least), flag.least
    assert gather({flag.key: written}, {})[flag.key] == read
    assert gather({}, {flag.key: read}, "file.yaml")[flag.key] == read


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: flag.name)
def test_every_flag_has_an_effect_or_says_what_happens_instead(flag: Flag) -> None:
    """Keys that a flag is said to become are keys of the schema or announced; a flag is never both."""
    assert bool(flag.ours) != bool(flag.meanwhile)
    assert flag.help.endswith((".", "..."))
    if flag.ours and not flag.ours.startswith("("):
        path = flag.ours.partition(",")[0].replace("[]", "").replace("[0]", "")
        assert field_at(Settings, tuple(path.split("."))) is not None or not known("fleet.placement")


@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag.meanwhile], ids=lambda flag: flag.name)
def test_a_flag_without_effect_is_said_to_have_none(flag: Flag) -> None:
    """Giving one leaves a note that names it; not giving it leaves none."""
    value = "SemanticCache=true" if flag.key == "feature_gates" else SAMPLES[flag.kind][0]
    notes = [note for note in meant(**{flag.key: value}).notes if note.path == flag.option]
    assert [note.severity for note in notes] == [Severity.UNIMPLEMENTED]
    assert not [note for note in meant().notes if note.path == flag.option]


@pytest.mark.parametrize(
    ("flags", "path", "value"),
    [
        ({"host": "::"}, "listeners[0].address", "::"),
        ({"host": "[::1]"}, "listeners[0].address", "::1"),
        ({"host": "localhost"}, "listeners[0].address", "127.0.0.1"),
        ({}, "listeners[0].address", "0.0.0.0"),
        ({}, "listeners[0].port", 8001),
        ({"port": "8000"}, "listeners[0].port", 8000),
        ({"port": "8080"}, "global.services.management_api.port", 8081),
        ({}, "fleet.policy", "roundrobin"),
        ({}, "global.router.auto_model_names", []),
        ({}, "providers.models[1].name", "large"),
        ({}, "providers.models[0].backend_refs[0].endpoint", "10.0.0.1:8000"),
        ({"static_model_types": "chat,embeddings"}, "providers.models[1].backend_refs[0].type", "embeddings"),
        ({"static_model_labels": "l1,l2"}, "providers.models[0].backend_refs[0].name", "l1"),
        ({"static_aliases": "gpt:small"}, "providers.models[2].name", "gpt"),
        ({"static_aliases": "gpt:small"}, "providers.models[2].provider_model_id", "small"),
        ({"static_aliases": "gpt:small"}, "providers.models[2].backend_refs[0].endpoint", "10.0.0.1:8000"),
        (
            {"static_backend_health_checks": True},
            "providers.models[0].reliability",
            {"health_check_path": "/health", "health_check_interval": 60, "health_check_timeout": 10},
        ),
        (
            {
                "static_backend_health_checks": True,
                "static_backend_health_check_interval": "5",
                "static_backend_health_check_timeout_seconds": "2",
            },
            "providers.models[1].reliability",
            {"health_check_path": "/health", "health_check_interval": 5, "health_check_timeout": 2},
        ),
        ({"max_instance_failover_reroute_attempts": "3"}, "providers.models[0].reliability.retry_count", 3),
        ({"max_instance_failover_reroute_attempts": "9"}, "providers.models[0].reliability.retry_count", 5),
        ({"log_level": "critical"}, "gateway.log_level", "error"),
        ({"log_level": "trace"}, "gateway.log_level", "debug"),
        ({"log_level": "warning"}, "gateway.log_level", "warning"),
        (
            {"otel_endpoint": "c:4317", "otel_secure": True, "otel_service_name": "r"},
            "global.services.observability.tracing",
            {
                "enabled": True,
                "exporter": {"endpoint": "c:4317", "insecure": False},
                "resource": {"service_name": "r"},
            },
        ),
    ],
)
def test_a_flag_becomes_a_key(flags: dict[str, Any], path: str, value: Any) -> None:
    """What the document says for a flag; the document loads."""
    assert at(meant(**flags).document, path) == value
    settings(**flags)


@pytest.mark.parametrize("policy", ["session", "prefixaware", "kvaware", "loadaware"])
def test_a_policy_is_taken_over_or_said_to_be_missing(policy: str) -> None:
    """A policy that the schema has is the document's; another one is noted, and load decides."""
    found = meant(routing_logic=policy, session_key="x-user-id")
    has = policy in values_of("fleet.policy")
    assert at(found.document, "fleet.policy") == (policy if has else "least_request")
    assert has != any(note.path == "--routing-logic" for note in found.notes)
    if known("fleet.placement"):
        assert at(found.document, "fleet.placement.session") == {"header": "x-user-id", "body": "x-user-id"}
    else:
        assert any(note.path == "--session-key" for note in found.notes)


@pytest.mark.parametrize(
    ("url", "key", "value"),
    [
        ("http://vllm:8000", "endpoint", "vllm:8000"),
        ("http://[fd00::7]:8000", "endpoint", "[fd00::7]:8000"),
        ("http://localhost:8000/", "endpoint", "localhost:8000"),
        ("http://engine", "endpoint", "engine:80"),
        ("https://engine.example.com", "protocol", "https"),
        ("https://10.0.0.1/tenant", "base_url", "https://10.0.0.1/tenant/v1"),
    ],
)
def test_any_host_is_a_backend(url: str, key: str, value: str) -> None:
    """Single labels, IPv6, default ports, TLS and paths; the router's own check took fewer."""
    found = meant(static_backends=url, static_models="m")
    assert at(found.document, f"providers.models[0].backend_refs[0].{key}") == value
    settings(static_backends=url, static_models="m")


def test_urls_are_remembered_as_they_were_written() -> None:
    """For the routing line, by the address that the data plane reports."""
    assert meant().urls == {
        "10.0.0.1:8000": "http://10.0.0.1:8000",
        "10.0.0.2:8000": "http://10.0.0.2:8000",
    }


def test_an_engine_listed_twice_for_one_model_gets_two_shares() -> None:
    """The list is a multiset there; here it is a weight."""
    document = meant(static_backends="http://a:1,http://b:1,http://a:1", static_models="m,m,m").document
    refs = at(document, "providers.models[0].backend_refs")
    assert refs == [{"endpoint": "a:1", "weight": 2}, {"endpoint": "b:1"}]


def test_names_with_colons_can_have_aliases() -> None:
    """The split that leads to a model counts, wherever the colons are."""
    document = meant(static_models="org:small:1,large", static_aliases="my:gpt:org:small:1").document
    assert at(document, "providers.models[2]")["name"] == "my:gpt"
    assert at(document, "providers.models[2]")["provider_model_id"] == "org:small:1"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"static_models": "small"}, "names 1 models for 2 backends"),
        ({"static_backends": None}, "--static-backends: is needed"),
        ({"static_backends": "vllm:8000,http://a"}, "'vllm:8000' is no http or https URL"),
        ({"static_backends": "http://a:99999,http://b"}, "no valid port"),
        ({"static_backends": "http://u:p@a,http://b"}, "carries credentials"),
        ({"static_aliases": "gpt:smal"}, "did you mean small?"),
        ({"static_aliases": "large:small"}, "'large' is a name already"),
        ({"static_aliases": "gpt"}, "write alias:model"),
        ({"static_model_types": "chat"}, "has 1 entries for 2 backends"),
        ({"static_model_types": "chat,embedding"}, "did you mean embeddings?"),
        ({"static_backends": "http://a/x,http://a/y", "static_models": "m,m"}, "different paths"),
        ({"routing_logic": None}, "--routing-logic: is not given"),
        ({"routing_logic": "round_robin"}, "did you mean roundrobin?"),
        ({"routing_logic": "session"}, "--session-key: is not given"),
        ({"routing_logic": "disaggregated_prefill"}, "--prefill-model-labels: is not given"),
        ({"service_discovery": None}, "use static, k8s or external-only"),
        ({"service_discovery": "external-only"}, "--external-providers-config: is not given"),
        ({"service_discovery": "k8s"}, "--k8s-label-selector: is empty"),
        ({"port": "0"}, "is 0, which is out of bounds"),
        ({"port": "many"}, "--port: is 'many' -> give a whole number"),
        ({"semantic_cache_threshold": "2"}, "out of bounds"),
        ({"host": "example.com"}, "'example.com' is no IP address"),
        ({"feature_gates": "Magic=true"}, "'Magic=true' is no gate"),
        ({"dynamic_config_yaml": "a", "dynamic_config_json": "b"}, "give one of the two"),
        ({"request_rewriter": "mine"}, "use one of noop"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_so(flags: dict[str, Any], said: str) -> None:
    """The message names flag, value and remedy."""
    assert said in wrong(**flags)


def test_gates_that_are_shut_ask_for_nothing() -> None:
    """A gate written as false leaves no note."""
    assert not meant(feature_gates="SemanticCache=false").notes


def test_prefill_and_decode_are_roles_of_replicas() -> None:
    """Labels are compared whole, so that no label matches as a part of another."""
    if not known("fleet.static"):
        pytest.skip("replicas have no roles yet")
    found = meant(
        routing_logic="disaggregated_prefill_orchestrated",
        static_backends="http://10.0.0.1:8000,http://10.0.0.2:8000,http://decode:8000,http://10.0.0.4:8000",
        static_models="m,m,m,m",
        static_model_labels="llama-prefill,llama,d,decode",
        prefill_model_labels="llama-prefill",
        decode_model_labels="d,decode",
    )
    fleet = found.document["fleet"]
    assert [(one["address"], one["role"]) for one in fleet["static"]] == [
        ("10.0.0.1:8000", "prefill"),
        ("10.0.0.2:8000", "both"),
        ("10.0.0.4:8000", "decode"),
    ]
    assert fleet["dns"] == [
        {
            "host": "decode",
            "port": 8000,
            "model": "m",
            "serves": ["m"],
            "role": "decode",
            "labels": {"model": "d"},
        }
    ]
    parse(yaml.safe_dump(dict(found.document)), ENV)


def test_names_are_followed_where_the_router_places_requests() -> None:
    """Envoy resolves names by itself and balances them by load; a policy of ours needs their addresses."""
    flags = {"static_backends": "http://vllm:8000,http://localhost:8001", "static_models": "m,m"}
    native = meant(**flags).document
    assert len(at(native, "providers.models[0].backend_refs")) == 2
    placed = meant(**flags, routing_logic="prefixaware").document
    assert placed["providers"]["models"] == [{"name": "m"}]
    assert placed["fleet"]["dns"] == [
        {"host": "vllm", "port": 8000, "model": "m", "serves": ["m"], "role": "both"}
    ]
    assert placed["fleet"]["static"][0]["address"] == "127.0.0.1:8001"
    settings(**flags, routing_logic="prefixaware")
    by_address = meant(routing_logic="prefixaware").document
    assert at(by_address, "providers.models[0].backend_refs[0].endpoint") == "10.0.0.1:8000"


def test_encrypted_engines_are_balanced_by_envoy_which_is_said() -> None:
    """A policy of ours cannot place them; for prefill and decode that is an error."""
    found = meant(static_backends="https://a,https://b", static_models="m,m", routing_logic="prefixaware")
    assert [note.path for note in found.notes] == ["--static-backends"]
    assert len(at(found.document, "providers.models[0].backend_refs")) == 2
    apart = {
        "routing_logic": "disaggregated_prefill",
        "prefill_model_labels": "p",
        "decode_model_labels": "d",
        "static_backends": "https://a,https://b",
    }
    assert "replicas with a role" in wrong(**apart)


def test_pods_are_watched_by_selector() -> None:
    """Namespace, port, selector and times are those of the flags; the models must be named."""
    if not known("fleet.kubernetes"):
        pytest.skip("clusters are not watched yet")
    flags = {
        "service_discovery": "k8s",
        "static_backends": None,
        "static_models": "small,large",
        "k8s_namespace": "llm",
        "k8s_port": "9000",
        "k8s_label_selector": "environment=test,release=test",
        "k8s_watcher_timeout_seconds": "60",
        "backend_health_check_timeout_seconds": "4",
    }
    document = meant(**flags).document
    (source,) = document["fleet"]["kubernetes"]
    assert source == {
        "kind": "pods",
        "namespace": "llm",
        "port": 9000,
        "selector": "environment=test,release=test",
        "relist_interval": 60,
    }
    assert document["fleet"]["health"] == {"timeout": 4}
    assert [model["name"] for model in document["providers"]["models"]] == ["small", "large"]
    settings(**flags)
    asked = meant(**{**flags, "static_models": None})
    assert asked.document["providers"]["models"] == [{"name": "engines"}]
    assert asked.document["fleet"]["kubernetes"] == [{**source, "model": "engines"}]
    assert asked.document["fleet"]["policy"] == "loadaware"
    assert [note.path for note in asked.notes] == ["--routing-logic"]
    settings(**{**flags, "static_models": None})
    keyed = translate(gather({**BASE, **flags}, {}), {"VLLM_API_KEY": "sk"})
    assert [note.path for note in keyed.notes] == ["VLLM_API_KEY"]
    assert "engine_key_env" not in keyed.document["fleet"]
    services = meant(**flags, k8s_service_discovery_type="service-name")
    assert [note.path for note in services.notes] == ["--k8s-service-discovery-type"]
    apart = meant(
        **{**flags, "routing_logic": "disaggregated_prefill"},
        prefill_model_labels="a,b",
        decode_model_labels="c",
    )
    assert [(one["selector"], one["role"]) for one in apart.document["fleet"]["kubernetes"]] == [
        ("environment=test,release=test,model in (a,b)", "prefill"),
        ("environment=test,release=test,model in (c)", "decode"),
    ]


PROVIDERS = """
external_providers:
  - name: openai
    type: openai
    api_base: https://api.example.com/v1
    timeout: 30
    custom_headers: {x-org: ours}
    models:
      - {id: gpt-x, type: chat, aliases: [smart]}
"""


def test_external_providers_are_models(tmp_path: Path) -> None:
    """Each id and alias is a provider model with its key from the environment; alone they need no discovery."""
    file = tmp_path / "providers.yaml"
    file.write_text(PROVIDERS)
    flags = {"routing_logic": "roundrobin", "external_providers_config": str(file)}
    found = translate(gather(flags, {}), ENV)
    one, other = found.document["providers"]["models"]
    assert (one["name"], other["name"], other["provider_model_id"]) == ("gpt-x", "smart", "gpt-x")
    (ref,) = one["backend_refs"]
    assert ref["base_url"] == "https://api.example.com/v1"
    assert ref["api_key_env"] == "OPENAI_API_KEY"
    assert one["reliability"] == {"retry_count": 3}
    assert [note.path for note in found.notes] == ["external_providers[0].timeout"]
    loaded = parse(yaml.safe_dump(dict(found.document)), ENV)
    assert loaded.providers.models[0].backend_refs[0].extra_headers["x-org"].get_secret_value() == "ours"
    with pytest.raises(ConfigError, match="OPENAI_API_KEY is not set"):
        translate(gather(flags, {}), {})


NESTED = """
service_discovery: static
routing_logic: roundrobin
static_models:
  small:
    static_backends: [http://a:8000, http://b:8000]
    static_model_type: chat
  large:
    static_backends: [http://c:8000]
static_aliases: {gpt: small}
static_backend_health_checks: true
"""
FLAT = {
    "service_discovery": "static",
    "routing_logic": "roundrobin",
    "static_backends": "http://a:8000,http://b:8000,http://c:8000",
    "static_models": "small,small,large",
    "static_model_types": "chat,chat,",
    "static_aliases": "gpt:small",
    "static_backend_health_checks": True,
}


def test_both_shapes_of_the_dynamic_file_mean_the_same(tmp_path: Path) -> None:
    """Models nested in YAML and lists in JSON give one document; a model without a type shifts nobody's."""
    (tmp_path / "c.yaml").write_text(NESTED)
    (tmp_path / "c.json").write_text(json.dumps(FLAT))
    nested = gather({}, read_dynamic(tmp_path / "c.yaml"), "c.yaml")
    flat = gather({}, read_dynamic(tmp_path / "c.json"), "c.json")
    assert translate(nested, {}).document == translate(flat, {}).document
    models = translate(nested, {}).document["providers"]["models"]
    assert [ref.get("type") for model in models for ref in model["backend_refs"]] == [
        "chat",
        "chat",
        None,
        "chat",
        "chat",
    ]


def test_the_command_line_has_precedence_over_the_file(tmp_path: Path) -> None:
    """A flag given in both places is the command line's, and messages say where a value stands."""
    (tmp_path / "c.yaml").write_text(NESTED)
    given = gather({"port": "9"}, {**read_dynamic(tmp_path / "c.yaml"), "port": 10, "k8s_port": 11}, "c.yaml")
    assert (given["port"], given["k8s_port"]) == (9, 11)
    assert given.where("port") == "--port"
    assert given.where("k8s_port") == "k8s_port (in c.yaml)"


def test_an_unknown_key_of_the_file_is_an_error_with_the_nearest_flag() -> None:
    """Nothing in the file is silently ignored."""
    with pytest.raises(ConfigError, match="did you mean static_backends"):
        gather({}, {"static_backend": ["http://a"]}, "c.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "line"),
        ("- a", "is no mapping"),
        ("static_models: {m: {urls: []}}", "no list of static_backends"),
        ("static_models: {m: {static_backends: [], weight: 1}}", "weight"),
    ],
)
def test_a_file_that_cannot_be_understood_is_an_error(tmp_path: Path, text: str, said: str) -> None:
    """The message names the file and what is wrong in it."""
    file = tmp_path / "c.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_dynamic(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_dynamic(tmp_path / "none.yaml")


def test_the_batch_api_keeps_its_files_where_the_flags_say() -> None:
    """Off unless asked for; without a folder, in ours rather than in one below /tmp that anybody can make."""
    assert not settings(file_storage_path="/srv/files").gateway.files.enabled
    files = settings(enable_batch_api=True, file_storage_path="/srv/files").gateway.files
    assert (files.enabled, files.folder) == (True, "/srv/files")
    assert settings(enable_batch_api=True).gateway.files.folder is None


def test_an_unknown_model_is_what_its_clients_expect() -> None:
    """404, as there."""
    assert settings().gateway.unknown_model_status == 404
