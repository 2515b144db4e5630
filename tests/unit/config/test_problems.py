"""Each kind of fault: its exact path, the offending value in plain words, and a remedy."""

from collections.abc import Callable
from typing import Any

import pytest

from pointsman.core.problem import Problem, Severity

Problems = Callable[[str, Any], dict[str, Problem]]
_DECISION = "routing.decisions.0"


@pytest.mark.parametrize(
    ("at", "value", "path", "message", "remedy"),
    [
        ("routting", {}, "routting", "the key routting is not known", "did you mean routing?"),
        (
            f"{_DECISION}.modelRef",
            [],
            "routing.decisions[0].modelRef",
            "not known",
            "did you mean modelRefs?",
        ),
        (
            f"{_DECISION}.modelRefs.0.lora",
            "x",
            "routing.decisions[0].modelRefs[0].lora",
            "not known",
            "did you mean lora_name?",
        ),
        ("listeners", [{"port": 70000}], "listeners[0].port", "is 70000", "use at most 65535"),
        ("listeners", [{"port": True}], "listeners[0].port", "true is no number", "write digits"),
        ("listeners", [{"port": "many"}], "listeners[0].port", "is 'many' where a whole number", "TCP port"),
        ("listeners", {"port": 1}, "listeners", "is a mapping where a list belongs", "use a list"),
        ("listeners", [3], "listeners[0]", "is 3 where a mapping of keys to values belongs", "use a mapping"),
        ("listeners", [{"timeout": "soon"}], "listeners[0].timeout", "'soon' is no duration", "300s"),
        ("gateway", {"log_level": "inf"}, "gateway.log_level", "'inf', which is not", "did you mean info?"),
        ("gateway", {"limits": {"max_messages": 0}}, "gateway.limits.max_messages", "is 0", "at least 1"),
        (f"{_DECISION}.name", 7, "routing.decisions[0].name", "is 7 where text belongs", "in quotes"),
        (f"{_DECISION}.name", "", "routing.decisions[0].name", "out of bounds", "characters: 1"),
        (f"{_DECISION}.rules.type", "keywrd", "routing.decisions[0].rules.type", "'keywrd'", "keyword?"),
        (
            f"{_DECISION}.plugins",
            [{"type": "fast_response"}],
            "routing.decisions[0].plugins[0].configuration",
            "is missing",
            "add it",
        ),
        (
            f"{_DECISION}.plugins",
            [{"type": "fast_response", "configuration": {"mesage": "m"}}],
            "routing.decisions[0].plugins[0].configuration.mesage",
            "not known",
            "did you mean message?",
        ),
        (f"{_DECISION}.plugins", [{"type": "rga"}], "routing.decisions[0].plugins[0].type", "'rga'", "rag?"),
        (f"{_DECISION}.plugins", [{}], "routing.decisions[0].plugins[0].type", "is missing", "add the type"),
        (
            "routing.signals.context",
            [{"name": "c", "min_tokens": "lots"}],
            "routing.signals.context[0].min_tokens",
            "'lots' is no token count",
            "32K",
        ),
        (
            "global",
            {"stores": {"semantic_cache": {}, "response_cache": {}}},
            "global.stores",
            "both response_cache and its older name",
            "keep response_cache",
        ),
    ],
)
def test_faults_of_form(
    problems_with: Problems, at: str, value: Any, path: str, message: str, remedy: str
) -> None:
    """A fault of form names the exact key path, shows the value in plain words and offers a remedy."""
    problem = problems_with(at, value)[path]
    assert problem.severity is Severity.ERROR
    assert message in problem.message
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("at", "value", "path", "remedy"),
    [
        (f"{_DECISION}.algorithm", {"type": "elo"}, "routing.decisions[0].algorithm.type", "router.learning"),
        (
            f"{_DECISION}.algorithm",
            {"type": "static", "session_aware": {}},
            "routing.decisions[0].algorithm.session_aware",
            "global.router.learning",
        ),
        (f"{_DECISION}.tool_scope", "x", "routing.decisions[0].tool_scope", "tools plugin"),
        (f"{_DECISION}.plugins", [{"type": "pii"}], "routing.decisions[0].plugins[0].type", "pii signal"),
        ("providers.default_model", "base", "providers.default_model", "providers.defaults.default_model"),
        ("routing.models", [], "routing.models", "routing.modelCards"),
        (
            "global",
            {"stores": {"response_cache": {"use_hnsw": True}}},
            "global.stores.response_cache.use_hnsw",
            "chosen by size",
        ),
    ],
)
def test_removed_keys_say_what_replaced_them(
    problems_with: Problems, at: str, value: Any, path: str, remedy: str
) -> None:
    """A key that earlier versions had is an error with its replacement, not merely unknown."""
    problem = problems_with(at, value)[path]
    assert "no longer exists" in problem.message
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    "endpoint",
    [
        "127.0.0.1:8000",
        "vllm:8000",
        "vllm.default.svc.cluster.local:80",
        "[fd00::7]:8000",
        "my_host.local.:1",
    ],
)
def test_endpoints_may_be_addresses_and_names(problems_with: Problems, endpoint: str) -> None:
    """An endpoint is IPv4, bracketed IPv6 or a DNS name of one label or more, with a port."""
    assert not problems_with("providers.models.0.backend_refs.0.endpoint", endpoint)


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("127.0.0.1", "has no port"),
        ("host:0", "no valid port"),
        ("host:65536", "no valid port"),
        ("host:8000/v1", "no valid port"),
        ("host:８０", "no valid port"),
        ("fd00::7:8000", "needs brackets"),
        ("[fd00::zz]:8000", "no valid IPv6"),
        ("300.1.1.1:80", "no valid host"),
        ("-bad:80", "no valid host"),
        (":8000", "no valid host"),
        ("http://host:8000", "is a URL"),
    ],
)
def test_bad_endpoints_are_explained(problems_with: Problems, endpoint: str, words: str) -> None:
    """An endpoint that cannot be connected to says which part is wrong."""
    problem = problems_with("providers.models.0.backend_refs.0.endpoint", endpoint)
    [found] = problem.values()
    assert found.path == "providers.models[0].backend_refs[0].endpoint"
    assert words in found.message
    assert found.remedy


@pytest.mark.parametrize("url", ["ftp://host/v1", "https://", "https://user:pw@host/", "https://host:99999/"])
def test_bad_base_urls_are_explained(problems_with: Problems, url: str) -> None:
    """A base_url must be http or https with a host, a port in range and no credentials."""
    found = problems_with("providers.models.0.backend_refs.0", {"base_url": url})
    assert found["providers.models[0].backend_refs[0].base_url"].remedy
    assert "pw" not in found["providers.models[0].backend_refs[0].base_url"].message


def test_a_flood_of_faults_is_cut_short(problems_with: Problems) -> None:
    """A hundred problems are described, the rest counted."""
    found = problems_with("listeners", [{"name": f"n{i}", "prt": 1} for i in range(5000)])
    assert len(found) == 101
    assert "4900 further problems" in found[""].message
