"""Anthropic's API through the whole gateway: its own client in front, engines of both kinds behind."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from support.gateway import Answer, Engine, Gateway, http, start_gateway

pytestmark = pytest.mark.envoy

MESSAGES = "/v1/messages"
HI: list[Any] = [{"role": "user", "content": "hi"}]
KEY = "key-of-the-provider"


def _with_both(document: dict[str, Any], engines: list[Engine]) -> None:
    """Beside the example's models, ``claude``: the same engines, spoken to in Anthropic's API."""
    refs = [
        {"name": engine.name, "endpoint": f"127.0.0.1:{engine.port}", "api_key": KEY} for engine in engines
    ]
    document["providers"]["models"].append(
        {
            "name": "claude",
            "provider_model_id": "base-model",
            "api_format": "anthropic",
            "backend_refs": refs,
        }
    )
    document["routing"]["signals"]["keywords"] += [
        {"name": "ban", "operator": "OR", "keywords": ["forbidden"]},
        {"name": "ship", "operator": "OR", "keywords": ["ship"]},
    ]
    document["routing"]["decisions"] += [
        {
            "name": "blocked",
            "priority": 999,
            "rules": {"operator": "OR", "conditions": [{"type": "keyword", "name": "ban"}]},
            "plugins": [{"type": "fast_response", "configuration": {"message": "I will not say."}}],
        },
        {
            "name": "ships",
            "priority": 998,
            "rules": {"operator": "OR", "conditions": [{"type": "keyword", "name": "ship"}]},
            "modelRefs": [{"model": "claude"}],
            "plugins": [{"type": "system_prompt", "configuration": {"system_prompt": "You sail."}}],
        },
    ]


@pytest.fixture(scope="module")
def bilingual(tmp_path_factory: pytest.TempPathFactory, engines: list[Engine]) -> Iterator[Gateway]:
    """A gateway with engines of both kinds."""
    folder = tmp_path_factory.mktemp("bilingual")
    running = start_gateway(folder, engines, lambda document: _with_both(document, engines))
    yield running
    assert running.process.stop() == 0, running.process.text()[-4000:]


@pytest.fixture
def client(bilingual: Gateway) -> Iterator[anthropic.Anthropic]:
    """Anthropic's own client."""
    with anthropic.Anthropic(base_url=bilingual.url, api_key="sk-test", max_retries=0, timeout=30) as running:
        yield running


def _post(gateway: Gateway, body: dict[str, Any], **headers: str) -> Answer:
    whole = {"max_tokens": 200, "messages": HI, **body}
    return http(gateway.url + MESSAGES, json.dumps(whole).encode(), **headers)


def _seen(answer: Answer) -> Any:
    """What the engine received, from an echo in either API's shape."""
    document = answer.json()
    text = document["content"][0]["text"] if "content" in document else ""
    return json.loads(text or document["choices"][0]["message"]["content"])


@pytest.mark.parametrize("model", ["base-model", "claude", "MoM"])
def test_a_message_is_answered_by_either_kind_of_engine(client: anthropic.Anthropic, model: str) -> None:
    """Anthropic's client gets a message, with usage and a stop reason, whichever API the engine speaks."""
    message = client.messages.create(model=model, max_tokens=20, messages=HI)
    (block,) = message.content
    assert block.type == "text"
    assert block.text.startswith("I am ")
    assert (message.role, message.stop_reason) in {("assistant", "end_turn"), ("assistant", "max_tokens")}
    assert message.usage.output_tokens > 0


@pytest.mark.parametrize("model", ["base-model", "claude"])
def test_a_stream_is_answered_by_either_kind_of_engine(client: anthropic.Anthropic, model: str) -> None:
    """The client's own accumulation of the events is the message a plain request gets."""
    plain = client.messages.create(model=model, max_tokens=30, messages=HI)
    with client.messages.stream(model=model, max_tokens=30, messages=HI) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert len(pieces) > 5
    assert "".join(pieces).startswith("I am ")
    assert (final.stop_reason, final.usage.output_tokens) == (plain.stop_reason, plain.usage.output_tokens)


def test_an_openai_engine_receives_chat(bilingual: Gateway) -> None:
    """Path, body and key are those of OpenAI's API, and the headers tell of the translation."""
    body = {"model": "base-model", "system": "Be kind.", "top_k": 5, "cache_control": {"type": "ephemeral"}}
    answer = _post(bilingual, body, x_sim_echo="1", x_api_key="mine", anthropic_version="2023-06-01")
    seen = _seen(answer)
    assert (seen["path"], seen["headers"]["authorization"]) == ("/v1/chat/completions", "Bearer mine")
    assert not {"x-api-key", "anthropic-version", "x-pointsman-answer"} & set(seen["headers"])
    assert seen["messages"] == [{"role": "system", "content": "Be kind."}, HI[0]]
    assert seen["body"]["top_k"] == 5
    assert answer.headers["x-vsr-client-protocol"] == "anthropic"
    assert answer.headers["x-vsr-upstream-protocol"] == "openai"
    assert "dropped;cache_control" in answer.headers["x-vsr-protocol-warnings"]


def test_a_request_passes_untouched_to_an_engine_that_speaks_it(bilingual: Gateway) -> None:
    """Only the model's name and the provider's key change; headers and vendor fields pass."""
    body = {"model": "claude", "thinking": {"type": "enabled", "budget_tokens": 1024}, "vendor": 1.50}
    answer = _post(bilingual, body, x_sim_echo="1", anthropic_version="2023-06-01", anthropic_beta="b")
    seen = _seen(answer)
    assert (seen["path"], seen["headers"]["x-api-key"]) == (MESSAGES, KEY)
    assert (seen["headers"]["anthropic-version"], seen["headers"]["anthropic-beta"]) == ("2023-06-01", "b")
    assert seen["body"] == {"max_tokens": 200, "messages": HI, **body, "model": "base-model"}
    assert "x-vsr-upstream-protocol" not in answer.headers


def test_a_decision_edits_a_message_natively(bilingual: Gateway) -> None:
    """A system prompt goes where Anthropic's API has it; the routing headers tell of the decision."""
    body = {"model": "MoM", "messages": [{"role": "user", "content": "A ship, please"}], "system": "Be kind."}
    answer = _post(bilingual, body, x_sim_echo="1")
    assert _seen(answer)["body"]["system"] == "You sail.\n\nBe kind."
    assert answer.headers["x-vsr-selected-decision"] == "ships"
    assert answer.headers["x-vsr-selected-model"] == "claude"


def test_an_openai_client_reaches_an_anthropic_provider(bilingual: Gateway) -> None:
    """The OpenAI client gets its own shapes back, plain and streamed, from a provider it cannot speak to."""
    client = bilingual.client()
    raw = client.chat.completions.with_raw_response.create(model="claude", messages=HI, max_tokens=30)
    plain = raw.parse()
    assert (plain.choices[0].message.content or "").startswith("I am ")
    assert plain.usage is not None
    assert raw.headers["x-vsr-upstream-protocol"] == "anthropic"
    stream = client.chat.completions.create(
        model="claude", messages=HI, max_tokens=30, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said.startswith("I am ")
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == plain.usage.completion_tokens


def test_an_anthropic_provider_receives_messages(bilingual: Gateway) -> None:
    """Path, body, key and version are those of Anthropic's API; the client's own key stays with us."""
    answer = bilingual.chat("hi", "claude", x_sim_echo="1", authorization="Bearer of-the-client")
    seen = _seen(answer)
    assert (seen["path"], seen["headers"]["x-api-key"]) == (MESSAGES, KEY)
    assert seen["headers"]["anthropic-version"] == "2023-06-01"
    assert "authorization" not in seen["headers"]
    assert (seen["body"]["model"], seen["body"]["max_tokens"]) == ("base-model", 4096)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"model": "gpt-99"}, 400, "invalid_request_error"),
        ({"model": "base-model", "max_tokens": 0}, 400, "invalid_request_error"),
        ({"messages": []}, 400, "invalid_request_error"),
    ],
)
def test_refusals_have_anthropics_shape(
    bilingual: Gateway, body: dict[str, Any], status: int, kind: str
) -> None:
    """Our own errors are the ones Anthropic's client knows."""
    answer = _post(bilingual, body)
    assert (answer.status, answer.json()["type"], answer.json()["error"]["type"]) == (status, "error", kind)
    assert answer.headers["x-vsr-response-path"] == "error"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", MESSAGES, 405), ("POST", f"{MESSAGES}/count_tokens", 400)]
)
def test_what_is_not_offered_says_so(bilingual: Gateway, method: str, path: str, status: int) -> None:
    """A wrong method, and a model that nobody named: said in Anthropic's shape, below the path, too."""
    answer = http(bilingual.url + path, b"{}" if method == "POST" else None, method)
    assert (answer.status, answer.json()["type"]) == (status, "error")


@pytest.mark.parametrize("model", ["base-model", "claude"])
def test_an_engines_error_is_translated(client: anthropic.Anthropic, model: str) -> None:
    """Whatever the engine speaks, its error reaches Anthropic's client as the exception it has for it."""
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(
            model=model, max_tokens=5, messages=HI, extra_headers={"x-sim-fault": "status:400"}
        )
    assert caught.value.status_code == 400
    assert "Simulated fault" in str(caught.value)


def test_a_providers_error_reaches_an_openai_client(bilingual: Gateway) -> None:
    """An Anthropic provider's error is the exception of OpenAI's client."""
    with pytest.raises(openai.BadRequestError, match="Simulated fault"):
        bilingual.client().chat.completions.create(
            model="claude", messages=HI, extra_headers={"x-sim-fault": "status:400"}
        )


@pytest.mark.parametrize("stream", [False, True])
def test_a_canned_answer_is_a_message(*, client: anthropic.Anthropic, stream: bool) -> None:
    """A fast_response is in the client's API, whole or as events."""
    ask: dict[str, Any] = {
        "model": "MoM",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "a forbidden thing"}],
    }
    if stream:
        with client.messages.stream(**ask) as events:
            assert "".join(events.text_stream) == "I will not say."
    else:
        assert client.messages.create(**ask).content[0].text == "I will not say."


@pytest.mark.parametrize("fault", ["error-mid:5", "cut:5"])
@pytest.mark.parametrize("model", ["base-model", "claude"])
def test_an_engine_that_dies_halfway_is_an_error(client: anthropic.Anthropic, model: str, fault: str) -> None:
    """A message that stops in the middle never looks complete to the client."""
    with (
        pytest.raises((anthropic.APIError, httpx2.HTTPError)),
        client.messages.stream(
            model=model, max_tokens=50, messages=HI, extra_headers={"x-sim-fault": fault}
        ) as stream,
    ):
        stream.until_done()


def test_without_a_router_the_error_is_anthropics(own_gateway: Callable[..., Gateway]) -> None:
    """What Envoy says itself on this path has the shape this path's clients read."""
    gateway = own_gateway(
        lambda document: document["providers"]["models"][0].update(
            backend_refs=[{"name": "dead", "endpoint": "127.0.0.1:1"}], api_format="anthropic"
        )
    )
    answer = _post(gateway, {"model": "base-model"})
    assert answer.status == 503
    assert answer.json()["type"] == "error"
    assert answer.json()["error"]["type"] == "overloaded_error"
    crossed = gateway.chat("hi", "base-model")
    assert (crossed.status, set(crossed.json()["error"])) == (503, {"message", "type", "param", "code"})
