"""Credentials appear nowhere that people read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pointsman.config import load_file, masked, parse
from pointsman.core.errors import ConfigError


def _message(text: str, env: Mapping[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, env)
    return f"{caught.value} {caught.value!r} {caught.value.problems!r}"


def test_no_secret_of_the_document_is_printed_or_dumped(documents: Path) -> None:
    """Keys, passwords, tokens and credential headers show as asterisks in repr, str, JSON and /config."""
    settings = load_file(documents / "full.yaml", {})
    written = (documents / "full.yaml").read_text()
    assert written.count("canary") > 10
    shown = (repr(settings), str(settings), settings.model_dump_json(), json.dumps(masked(settings)))
    assert not any("canary" in text for text in shown)


def test_secrets_stay_usable() -> None:
    """The value behind the asterisks is there for whoever asks for it."""
    text = "{version: v0.3, providers: {models: [{name: m, backend_refs: [{endpoint: 'a:1', api_key: '${K}'}]}]}}"
    key = parse(text, {"K": "canary-key"}).providers.models[0].backend_refs[0].api_key
    assert key
    assert key.get_secret_value() == "canary-key"


@pytest.mark.parametrize("variable", ["REDIS_PASSWORD", "HF_TOKEN", "OPENAI_API_KEY", "DB_DSN", "Secret_1"])
def test_values_of_credential_variables_are_masked_wherever_they_land(variable: str) -> None:
    """A variable named like a credential is secret even in a field that is not."""
    text = f"{{version: v0.3, listeners: [{{name: 'x-${{{variable}}}-y'}}]}}"
    settings = parse(text, {variable: "canary-value"})
    assert settings.listeners[0].name == "x-canary-value-y"
    assert "canary" not in f"{settings!r} {settings} {masked(settings)}"
    assert settings.secrets == {"canary-value"}


@pytest.mark.parametrize(
    "fault",
    [
        "providers: {models: [{name: m, backend_refs: [{endpoint: 'a:1', api_key: [canary-x]}]}]}",
        "providers: {models: [{name: m, backend_refs: [{endpoint: 'a:1', api_kye: canary-x}]}]}",
        "providers: {models: [{name: m, backend_refs: [{base_url: 'https://u:canary-x@h:x/'}]}]}",
        "providers: {models: [{name: m, backend_refs: [{endpoint: 'sk-canary-x'}]}]}",
        "providers: {models: [{name: m, backend_refs: [{extra_headers: 'Bearer canary-x'}]}]}",
        "providers: {models: [{name: m, backend_refs: 'Bearer canary-x'}]}",
        "global: {integrations: {looper: {headers: {X-Key: [canary-x]}}}}",
        "global: {services: {router_replay: {postgres: {password: {a: canary-x}}}}}",
        "listeners: [{port: '${THE_TOKEN}'}]",
        "listeners: [{nam: '${THE_TOKEN}'}]",
        "routing: {decisions: [{name: d, modelRefs: [{model: '${THE_TOKEN}'}]}]}",
        'listeners: [{name: a, port: 1}, {name: "canary-x]',
    ],
)
def test_no_error_quotes_a_secret(fault: str) -> None:
    """Errors about a credential, or about a value beside it, leave the value out."""
    assert "canary" not in _message(f"version: v0.3\n{fault}", {"THE_TOKEN": "canary-token"})


def test_ordinary_values_are_still_quoted() -> None:
    """Discretion about secrets does not make other errors vague."""
    assert "70000" in _message("{version: v0.3, listeners: [{port: 70000}]}", {})
    assert "'fast'" in _message("{version: v0.3, fleet: {policy: fast}}", {})


def test_a_tokens_name_is_no_secret(documents: Path) -> None:
    """The variable that holds a key may be shown: it is how people find the key."""
    shown: Any = masked(load_file(documents / "full.yaml", {}))
    assert shown["providers"]["models"][0]["backend_refs"][0]["api_key_env"] == "SMALL_KEY"


def test_the_shown_document_is_what_was_written(change: Any) -> None:
    """/config shows the keys that were set, in the document's spelling; with defaults, all of them."""
    settings = parse(change("gateway", {"log_level": "debug"}), {})
    shown = masked(settings)
    assert shown["routing"]["decisions"][1]["modelRefs"] == [{"model": "base", "lora_name": "expert"}]
    assert shown["gateway"] == {"log_level": "debug"}
    assert masked(settings, defaults=True)["gateway"]["limits"]["max_messages"] == 4096
    assert parse(json.dumps(shown), {}) == settings
