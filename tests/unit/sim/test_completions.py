from typing import Any

import openai
import pytest
from sim_lab import Client, drive

from pointsman.sim import RunningSim


def test_the_openai_client_reads_completions() -> None:
    """The real client parses a plain and a streamed completion, with equal text and usage."""

    async def scenario(sim: RunningSim, _http: Client) -> Any:
        async with openai.AsyncOpenAI(base_url=f"{sim.url}/v1", api_key="none", max_retries=0) as client:
            whole = await client.completions.create(model="tiny", prompt="once", max_tokens=8)
            stream = await client.completions.create(
                model="tiny", prompt="once", max_tokens=8, stream=True, stream_options={"include_usage": True}
            )
            return whole, [chunk async for chunk in stream]

    whole, chunks = drive(scenario)
    assert whole.object == "text_completion"
    assert whole.choices[0].finish_reason == "length"
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == whole.choices[0].text
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens == 8


@pytest.mark.parametrize(
    ("prompt", "choices"),
    [("a", 1), (["a", "b"], 2), ([300, 301], 1), ([[300], [301], [302]], 3)],
)
def test_all_four_forms_of_a_prompt(prompt: Any, choices: int) -> None:
    """Text, texts, tokens and lists of tokens each give one choice a prompt."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        return (await http.post("/v1/completions", {"prompt": prompt})).json()

    assert [each["index"] for each in drive(scenario)["choices"]] == list(range(choices))


def test_the_default_length_is_that_of_the_api() -> None:
    """Without max_tokens a completion has 16 tokens, and `echo` puts the prompt before them."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        return (await http.post("/v1/completions", {"prompt": "Once upon", "echo": True})).json()

    answer = drive(scenario)
    assert answer["usage"]["completion_tokens"] == 16
    assert answer["choices"][0]["text"].startswith("Once uponI am tiny")


@pytest.mark.parametrize("prompt", [None, "", [], [1, "a"], {"a": 1}, [[]], [-1]])
def test_prompts_that_are_none_of_these_are_400(prompt: Any) -> None:
    """Empty, mixed and ill-typed prompts get an error in vLLM's shape."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        response = await http.post("/v1/completions", {"prompt": prompt})
        return response.status, response.error["code"]

    assert drive(scenario) == (400, 400)
