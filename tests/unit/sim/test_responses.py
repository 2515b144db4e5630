"""POST /v1/responses of the simulated engine."""

from typing import Any

import openai
import pytest
from sim_lab import Client, drive

from pointsman.sim import RunningSim

PATH = "/v1/responses"


def test_the_openai_client_reads_responses() -> None:
    """The real client parses a plain and a streamed response, with equal text, in the order of the API."""

    async def scenario(sim: RunningSim, _http: Client) -> Any:
        async with openai.AsyncOpenAI(base_url=f"{sim.url}/v1", api_key="none", max_retries=0) as client:
            whole = await client.responses.create(model="tiny", input="Hello", instructions="Be kind")
            stream = await client.responses.create(
                model="tiny", input="Hello", instructions="Be kind", stream=True
            )
            return whole, [event async for event in stream]

    whole, events = drive(scenario)
    assert whole.status == "completed"
    assert whole.output_text.startswith("I am tiny")
    assert "Be kind" in whole.output_text
    kinds = [event.type for event in events]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    said = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert said == whole.output_text == events[-1].response.output_text
    assert events[-1].response.usage.output_tokens == whole.usage.output_tokens


def test_a_limit_leaves_a_response_incomplete() -> None:
    """max_output_tokens ends the answer, and the status says why."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        items = [{"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}, {"type": "other"}]
        return (await http.post(PATH, {"input": items, "max_output_tokens": 3})).json()

    answer = drive(scenario)
    assert (answer["status"], answer["usage"]["output_tokens"]) == ("incomplete", 3)
    assert answer["incomplete_details"] == {"reason": "max_output_tokens"}


@pytest.mark.parametrize(
    ("body", "status"), [({"input": ""}, 400), ({}, 400), ({"input": "a", "model": "no"}, 404)]
)
def test_refusals(body: Any, status: int) -> None:
    """Empty and missing input and unknown models are refused in vLLM's shape."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        reply = await http.post(PATH, body)
        return reply.status, reply.error["code"]

    assert drive(scenario) == (status, status)
