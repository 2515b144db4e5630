"""What engines serve beyond chat, through the whole gateway."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from support.gateway import Engine, Gateway, eventually, http, start_engine, start_gateway

pytestmark = pytest.mark.envoy


def post(gateway: Gateway, path: str, **body: Any) -> Any:
    return http(gateway.url + path, json.dumps(body).encode())


def test_a_response_is_decided_and_answered(gateway: Gateway) -> None:
    """OpenAI's client asks the virtual model, whole and as a stream."""
    client = gateway.client()
    question = "What is the derivative of f(x) = x^3?"
    whole = client.responses.with_raw_response.create(model="MoM", input=question)
    assert whole.headers["x-vsr-selected-model"] == "math-expert"
    assert "math-expert" in whole.parse().output_text
    said = ""
    with client.responses.create(model="MoM", input=question, stream=True) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                said += event.delta
    assert "math-expert" in said


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/rerank", {"query": "a", "documents": ["b", "c"]}, "results"),
        ("/rerank", {"query": "a", "documents": ["b"]}, "results"),
        ("/v2/rerank", {"query": "a", "documents": ["b"]}, "results"),
        ("/v1/score", {"text_1": "a", "text_2": "b"}, "data"),
        ("/score", {"text_1": "a", "text_2": "b"}, "data"),
        ("/pooling", {"input": "a"}, "data"),
        ("/classify", {"input": "a"}, "data"),
        ("/tokenize", {"prompt": "a b"}, "tokens"),
        ("/detokenize", {"tokens": [1]}, "prompt"),
        ("/v1/messages/count_tokens", {"messages": [{"role": "user", "content": "a"}]}, "input_tokens"),
    ],
)
def test_engine_endpoints_are_forwarded(
    gateway: Gateway, path: str, body: dict[str, Any], field: str
) -> None:
    """Each by its model; an unknown model is a 404, a virtual one a 400 that says why."""
    answer = post(gateway, path, model="base-model", **body)
    assert answer.status == 200, answer.body
    assert field in answer.json()
    assert answer.headers["x-vsr-selected-model"] == "base-model"
    assert post(gateway, path, model="nope", **body).status == 404
    refused = post(gateway, path, model="MoM", **body)
    assert (refused.status, b"chooses among chat models" in refused.body) == (400, True)


@pytest.mark.parametrize("size", [1000, 20_000_000])
def test_audio_is_transcribed(gateway: Gateway, size: int) -> None:
    """A form of OpenAI's client, the model behind a long file, in JSON and as plain text."""
    client = gateway.client()
    sound = io.BytesIO(b"\xff\x00\r\n" * (size // 4))
    found = client.audio.transcriptions.with_raw_response.create(
        model="math-expert", file=("a.wav", sound), language="de", timestamp_granularities=["word", "segment"]
    )
    assert found.headers["x-vsr-selected-model"] == "math-expert"
    text = client.audio.transcriptions.create(
        model="math-expert", file=("a.wav", b"\xff"), response_format="text"
    )
    assert str(text).strip()
    with pytest.raises(openai.NotFoundError):
        client.audio.transcriptions.create(model="nope", file=("a.wav", b"\xff"))
    with pytest.raises(openai.BadRequestError, match="transcription model"):
        client.audio.transcriptions.create(model="MoM", file=("a.wav", b"\xff"))


def test_a_forms_model_gets_the_engines_name(own_gateway: Callable[..., Gateway]) -> None:
    """Where the document's name is another one, the form is edited, and its length with it."""

    def renamed(settings: dict[str, Any]) -> None:
        settings["providers"]["models"][0] |= {"name": "scribe", "provider_model_id": "base-model"}
        settings["providers"]["defaults"]["default_model"] = "scribe"
        settings["routing"]["decisions"] = []
        settings["routing"]["modelCards"] = [{"name": "scribe"}]

    client = own_gateway(renamed).client()
    found = client.audio.transcriptions.create(model="scribe", file=("a.wav", b"\xff" * 100_000))
    assert found.text


def test_paths_without_a_body_reach_the_only_model(gateway: Gateway) -> None:
    """One pool: nothing to ask. What an engine does not have is the engine's 404."""
    answer = http(f"{gateway.url}/version")
    assert (answer.status, "sim" in answer.json()["version"]) == (200, True)
    assert http(f"{gateway.url}/v1/nope").status == 404
    odd = http(f"{gateway.url}/v1/nope", b"\x00\x01", "PUT", content_type="application/octet-stream")
    assert odd.status in {404, 405}


@pytest.mark.parametrize("path", ["/sleep", "/wake_up", "/v1/load_lora_adapter", "/reset_prefix_cache"])
def test_engines_cannot_be_operated_from_the_data_port(gateway: Gateway, path: str) -> None:
    """Whatever the body says."""
    for spelling in (path, path + "/", path.replace("_", "%5F"), path.replace("l", "%6c")):
        answer = post(gateway, spelling, model="base-model", lora_name="x", lora_path="y")
        assert answer.status == 404, spelling
    assert all(not http(f"{engine.url}/is_sleeping").json()["is_sleeping"] for engine in gateway.engines)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[tuple[Gateway, Engine, Engine]]:
    """Two models with an engine each, whose names are looked at often."""
    engines = [start_engine(tmp_path, name, "--ttft", "5", "--rate", "2000") for name in ("one", "two")]

    def two(settings: dict[str, Any]) -> None:
        settings["providers"]["models"] = [
            {
                "name": name,
                "provider_model_id": "base-model",
                "backend_refs": [{"endpoint": f"127.0.0.1:{each.port}"}],
            }
            for name, each in zip(("one", "two"), engines, strict=True)
        ]
        settings["providers"]["defaults"]["default_model"] = "one"
        settings["routing"]["modelCards"] = [{"name": "one"}, {"name": "two"}]
        settings["routing"]["decisions"] = []
        settings["fleet"] = {"health": {"interval": "200ms", "models_interval": "200ms"}}

    gateway = start_gateway(tmp_path, engines, two)
    yield gateway, *engines
    gateway.process.stop()
    for engine in engines:
        engine.process.stop()


def test_an_adapter_loaded_at_run_time_is_a_model(fleet: tuple[Gateway, Engine, Engine]) -> None:
    """It is listed with its parent, served by its engine alone, and after unloading a 503 that was never a 404."""
    gateway, one, two = fleet
    answer = http(f"{gateway.url}/version")
    assert (answer.status, b"x-gateway-model-name" in answer.body) == (404, True)
    assert http(f"{gateway.url}/version", x_gateway_model_name="two").status == 200

    load = json.dumps({"lora_name": "fresh", "lora_path": "/x"}).encode()
    assert gateway.chat("hello", "fresh").status == 400
    assert http(f"{two.url}/v1/load_lora_adapter", load).status == 200
    found = eventually(
        "the adapter listed",
        lambda: (answer := http(f"{gateway.url}/v1/models/fresh")).status == 200 and answer,
    )
    assert (found.json()["id"], found.json()["parent"]) == ("fresh", "two")
    served = gateway.chat("hello", "fresh")
    assert (served.status, served.headers["x-vsr-selected-model"]) == (200, "fresh")
    assert json.loads(served.body)["model"] == "fresh"
    assert "fresh" in [model.id for model in gateway.client().models.list()]

    http(f"{two.url}/v1/unload_lora_adapter", json.dumps({"lora_name": "fresh"}).encode())
    eventually("the adapter gone", lambda: gateway.chat("hello", "fresh").status == 503)
    assert http(f"{gateway.url}/v1/models/fresh").status == 404
    assert one.port != two.port
