import hashlib
import json
from typing import Any

from sim_lab import Client, chat, drive, events

from pointsman.sim import RunningSim

ECHO = {"x-sim-echo": "1", "content-type": "application/json"}


def test_an_echo_shows_what_the_model_would_see() -> None:
    """The answer's text is a JSON document of the received request, digest of the exact bytes included."""
    body = json.dumps(
        chat("Grüße", reasoning_effort="high", chat_template_kwargs={"enable_thinking": False})
    ).encode()

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        response = await http.post("/v1/chat/completions?a=b", body, headers=ECHO | {"X-Extra": "yes"})
        return json.loads(response.said)

    seen = drive(scenario, name="left")
    assert seen["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert seen["body_bytes"] == len(body)
    assert seen["body"] == json.loads(body)
    assert seen["messages"] == seen["body"]["messages"]
    assert seen["reasoning_effort"] == "high"
    assert seen["chat_template_kwargs"] == {"enable_thinking": False}
    assert seen["headers"]["x-extra"] == "yes"
    assert (seen["model"], seen["engine"], seen["path"]) == ("tiny", "left", "/v1/chat/completions")


def test_a_streamed_echo_concatenates_to_the_document() -> None:
    """In a stream the echo comes in several pieces that make the same JSON document."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        response = await http.post("/v1/chat/completions", chat("x" * 5000, stream=True), headers=ECHO)
        return response.text

    pieces = [event["choices"][0]["delta"]["content"] for event in events(drive(scenario))]
    assert len(pieces) > 10
    assert json.loads("".join(pieces))["messages"][0]["content"] == "x" * 5000


def test_an_echo_is_whole_whatever_the_token_limit() -> None:
    """max_tokens does not cut an echo: half a JSON document would help nobody."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        response = await http.post("/v1/chat/completions", chat(max_tokens=1))
        return json.loads(response.said)

    assert drive(scenario, echo=True)["body"]["max_tokens"] == 1


def test_completions_echo_too() -> None:
    """An echo of /v1/completions carries the prompt inside the body."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        response = await http.post("/v1/completions", {"prompt": "hey"}, headers=ECHO)
        return json.loads(response.json()["choices"][0]["text"])

    seen = drive(scenario)
    assert seen["body"] == {"prompt": "hey"}
    assert seen["messages"] is None


def test_header_bytes_that_are_not_text_do_not_break_the_echo() -> None:
    """A header of arbitrary bytes is shown with replacement characters instead of failing the request."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        headers = ECHO | {"x-odd": b"\xff\xfe".decode("utf-8", "surrogateescape")}
        response = await http.post("/v1/chat/completions", chat(), headers=headers)
        return response.status, json.loads(response.said)

    status, seen = drive(scenario)
    assert status == 200
    assert "x-odd" in seen["headers"]
