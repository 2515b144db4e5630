import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from support.gateway import Gateway, http

pytestmark = pytest.mark.envoy

CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("POST", CHAT, "{nope", 400, "malformed JSON"),
        ("POST", CHAT, "", 400, "malformed JSON"),
        ("POST", CHAT, '{"messages":[]}', 400, "missing required field: model"),
        ("POST", CHAT, json.dumps({"model": "MoM", "messages": "x"}), 400, "expected array"),
        (
            "POST",
            CHAT,
            json.dumps({"model": "gpt-99", "messages": HI}),
            400,
            'model "gpt-99" is not available',
        ),
        ("POST", CHAT, json.dumps({"model": "MoM", "messages": HI, "stream": 3}), 400, "stream"),
        ("POST", "/v1/embeddings", json.dumps({"model": "MoM", "input": "x"}), 400, "embedding model"),
        ("GET", CHAT, None, 405, "use POST"),
        ("POST", "/v1/models", "{}", 405, "use GET"),
        ("POST", "/nope", "{}", 404, "endpoint not found"),
        ("GET", "/v1/models/nope", None, 404, "does not exist"),
        ("GET", "/v1/models/org%2Fname", None, 404, 'model "org/name" does not exist'),
        ("GET", "/metrics", None, 404, "endpoint not found"),
        ("GET", "/config", None, 404, "endpoint not found"),
    ],
)
def test_a_bad_request_gets_its_4xx(
    gateway: Gateway, method: str, path: str, body: str | None, status: int, says: str
) -> None:
    """Through Envoy, each wrong request gets the right status in OpenAI's error shape."""
    data = None if body is None else body.encode()
    answer = http(gateway.url + path, data, method)
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("invalid_request_error", status)
    assert says in error["message"]
    assert answer.headers["x-vsr-response-path"] == "error"


def test_a_body_over_the_limit_is_413(own_gateway: Callable[..., Gateway]) -> None:
    """More bytes than the document allows are refused in OpenAI's shape."""
    gateway = own_gateway(lambda doc: doc.update(gateway={"limits": {"max_body_bytes": 4096}}))
    answer = http(f"{gateway.url}{CHAT}", b'{"model":"MoM","x":"' + b"x" * 5000 + b'"}')
    assert answer.status == 413
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "name", ["x-selected-model", "X-Selected-Model", "x-pointsman-pool", "x-vsr-selected-model"]
)
def test_internal_headers_of_a_client_mean_nothing(gateway: Gateway, name: str) -> None:
    """A client can neither choose a model by header nor make one reach the engine as its own."""
    answer, seen = gateway.echo("What is the derivative of x^3?", **{name.replace("-", "_"): "law-expert"})
    assert answer.headers["x-vsr-selected-model"] == "math-expert"
    assert seen["headers"]["x-selected-model"] == "math-expert"
    assert "x-pointsman-pool" not in seen["headers"]
    assert "law-expert" not in json.dumps(seen["headers"])


@pytest.mark.parametrize(
    "name", ["x-gateway-destination-endpoint", "x-vsr-destination-endpoint", "x-prefiller-host-port"]
)
def test_a_client_cannot_name_a_destination(gateway: Gateway, name: str) -> None:
    """A client's destination does not reach the engine and does not change where the request goes."""
    _, seen = gateway.echo("hello", **{name.replace("-", "_"): "127.0.0.1:1"})
    # Where we place, an engine sees our own destination, as gateways of the endpoint-picker protocol show it.
    assert "127.0.0.1:1" not in seen["headers"].get(name, "").split(",")


def test_an_untouched_body_is_forwarded_byte_for_byte(gateway: Gateway) -> None:
    """For a named model the engine receives exactly the client's bytes, whitespace and number spelling too."""
    raw = b'{ "model":"base-model",\n "messages":[ {"role":"user","content":"\\u00e9 \xe6\xb1\x89"} ], "temperature":1.0e0 }  '
    answer = http(f"{gateway.url}{CHAT}", raw, x_sim_echo="1")
    seen = json.loads(answer.json()["choices"][0]["message"]["content"])
    assert (seen["body_sha256"], seen["body_bytes"]) == (hashlib.sha256(raw).hexdigest(), len(raw))


def test_an_engines_error_is_passed_on(gateway: Gateway) -> None:
    """A 400 of the engine reaches the client as it is, and without the headers of success."""
    answer = gateway.chat("hello", x_sim_fault="status:422")
    assert answer.status == 422
    assert "x-vsr-selected-decision" not in answer.headers
    assert answer.headers["x-vsr-response-path"] == "upstream"


def test_a_canned_answer_through_envoy(own_gateway: Callable[..., Gateway]) -> None:
    """A fast_response decision answers 200 with its text, plain and streamed, and no engine is asked."""

    def block(document: dict[str, Any]) -> None:
        document["routing"]["signals"]["keywords"].append(
            {"name": "ban", "operator": "OR", "keywords": ["forbidden"]}
        )
        document["routing"]["decisions"].append(
            {
                "name": "blocked",
                "description": "d",
                "priority": 99,
                "rules": {"operator": "OR", "conditions": [{"type": "keyword", "name": "ban"}]},
                "plugins": [
                    {"type": "fast_response", "configuration": {"message": "I will not answer that."}}
                ],
            }
        )

    gateway = own_gateway(block)
    raw = gateway.client().chat.completions.with_raw_response.create(
        model="MoM", messages=[{"role": "user", "content": "forbidden question"}]
    )
    assert raw.parse().choices[0].message.content == "I will not answer that."
    assert raw.headers["x-vsr-fast-response"] == "true"
    stream = gateway.client().chat.completions.create(
        model="MoM", messages=[{"role": "user", "content": "forbidden question"}], stream=True
    )
    assert "".join(c.choices[0].delta.content or "" for c in stream) == "I will not answer that."
