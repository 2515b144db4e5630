"""POST /v1/messages of the simulated engine."""

from typing import Any

import pytest
from sim_lab import Client, drive, events

from pointsman.sim import RunningSim

BODY = {"model": "tiny", "max_tokens": 50, "messages": [{"role": "user", "content": "Hello"}]}


def test_a_message_is_answered() -> None:
    """The answer is a message with a text block, a stop reason and counts."""

    async def scenario(_: RunningSim, client: Client) -> Any:
        return (await client.post("/v1/messages", {**BODY, "system": "Be kind"})).json()

    message = drive(scenario)
    assert (message["type"], message["role"], message["model"]) == ("message", "assistant", "tiny")
    assert message["content"][0]["text"].startswith("I am tiny")
    assert "Be kind" in message["content"][0]["text"]
    assert message["usage"]["output_tokens"] <= 50


def test_a_stream_says_the_same() -> None:
    """Named events from message_start to message_stop carry the same text, and no [DONE]."""

    async def scenario(_: RunningSim, client: Client) -> Any:
        whole = (await client.post("/v1/messages", BODY)).json()
        return whole, (await client.post("/v1/messages", {**BODY, "stream": True})).text

    whole, text = drive(scenario)
    found = events(text)
    kinds = [event["type"] for event in found]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    said = "".join(event["delta"]["text"] for event in found if event["type"] == "content_block_delta")
    assert said == whole["content"][0]["text"]
    assert text.startswith("event: message_start\ndata: ")
    assert "[DONE]" not in text


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [
        ({"model": "nobody"}, 404, "not_found_error"),
        ({"messages": []}, 400, "invalid_request_error"),
        ({"max_tokens": None}, 400, "invalid_request_error"),
    ],
)
def test_refusals_have_anthropics_shape(change: dict[str, Any], status: int, kind: str) -> None:
    """Errors of this path are Anthropic's; max_tokens is required, as there."""

    async def scenario(_: RunningSim, client: Client) -> Any:
        return await client.post("/v1/messages", {**BODY, **change})

    reply = drive(scenario)
    assert (reply.status, reply.json()["type"], reply.error["type"]) == (status, "error", kind)


def test_faults_strike_here_too() -> None:
    """An engine that dies in the middle says so in an event of this API."""

    async def scenario(_: RunningSim, client: Client) -> Any:
        headers = {"x-sim-fault": "error-mid:3"}
        return (await client.post("/v1/messages", {**BODY, "stream": True}, headers)).text

    *_, last = events(drive(scenario))
    assert (last["type"], last["error"]["type"]) == ("error", "api_error")


def test_tokens_are_counted() -> None:
    """count_tokens gives what a message would cost, and the system prompt counts."""

    async def scenario(_: RunningSim, client: Client) -> Any:
        counts = [
            (await client.post("/v1/messages/count_tokens", {**BODY, **more})).json()["input_tokens"]
            for more in ({}, {"system": "Be kind to everybody"})
        ]
        return counts, (await client.post("/v1/messages", BODY)).json()["usage"]["input_tokens"]

    (bare, guided), used = drive(scenario)
    assert bare == used < guided
