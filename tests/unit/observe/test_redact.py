import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.observe import Redactor
from pointsman.observe.redact import is_secret_key


@pytest.mark.parametrize(
    "key",
    ["Authorization", "api_key", "X-Api-Key", "apiKey", "access_key", "auth_token", "token", "password",
     "client_secret", "Cookie", "x-user-openai-key", "proxy-authorization"],
)  # fmt: skip
def test_keys_of_secrets(key: str) -> None:
    """What usually holds a secret is known by its name."""
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key", ["api_key_env", "token_file", "tokens", "max_tokens", "model", "keywords", "cache_key", "author"]
)
def test_keys_of_no_secrets(key: str) -> None:
    """Where to find a secret is not one, nor is what merely sounds like one."""
    assert not is_secret_key(key)


def test_a_document_is_masked_as_a_whole() -> None:
    """Every value under a secret's key is hidden, nested ones and numbers too; the rest is as it was."""
    document = {
        "providers": [{"api_key": "CANARY", "api_key_env": "MY_KEY", "weight": 2, "on": True, "note": None}],
        "headers": {"Authorization": ["CANARY", 12345, {"deep": "CANARY"}], "X-Team": "a"},
        "store": {"url": "redis://me:CANARY@cache:6379", "password": ""},
    }
    masked = Redactor().mask(document)
    assert "CANARY" not in json.dumps(masked)
    assert masked["providers"][0]["api_key_env"] == "MY_KEY"
    assert masked["providers"][0]["weight"] == 2
    assert masked["headers"]["Authorization"] == ["[redacted]", "[redacted]", {"deep": "[redacted]"}]
    assert masked["headers"]["X-Team"] == "a"
    assert masked["store"] == {"url": "redis://[redacted]@cache:6379", "password": ""}
    assert document["providers"][0]["api_key"] == "CANARY"  # type: ignore[index]  # a literal above


def test_a_registered_secret_is_found_anywhere() -> None:
    """A secret's value is hidden wherever it stands, a number equal to it and a key included."""
    redactor = Redactor(["CANARY-1"])
    redactor.register(["987654"])
    assert redactor.mask({"note": "x CANARY-1 y", "pin": 987654, "CANARY-1": 1}) == {
        "note": "x [redacted] y",
        "pin": "[redacted]",
        "[redacted]": 1,
    }


def test_short_values_are_not_searched_for() -> None:
    """A secret of three characters would blot out ordinary words; its key still hides it."""
    redactor = Redactor(["abc"])
    assert redactor.scrub("abcdef") == "abcdef"
    assert redactor.mask({"token": "abc"}) == {"token": "[redacted]"}


@given(secret=st.text(min_size=4, max_size=20).filter(lambda text: len(text.strip()) >= 4), around=st.text())
def test_a_secret_survives_no_escaping(secret: str, around: str) -> None:
    """A secret is found as it is, and as JSON or Python would have escaped it."""
    redactor = Redactor([secret])
    text = around + secret
    for spelled, hidden in (
        (secret, text),
        (json.dumps(secret)[1:-1], json.dumps(text)),
        (json.dumps(secret, ensure_ascii=False)[1:-1], json.dumps(text, ensure_ascii=False)),
    ):
        if spelled.strip() not in "[redacted]" and spelled.strip() not in redactor.scrub(around):
            assert spelled.strip() not in redactor.scrub(hidden)


ANY_DOCUMENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(ANY_DOCUMENT)
def test_a_masked_document_keeps_its_shape(document: Any) -> None:
    """Masking never fails, and without secrets changes nothing but tuples into lists."""
    masked = Redactor().mask({"x": document})
    assert set(masked) == {"x"}
    assert type(masked["x"]) is type(document)
