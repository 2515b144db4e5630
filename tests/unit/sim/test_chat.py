import asyncio
from typing import Any

import openai
from sim_lab import Client, chat, drive, events

from pointsman.sim import RunningSim


def test_an_answer_has_the_shape_the_openai_client_reads() -> None:
    """The real client parses an answer: role, text, finish reason, usage that adds up."""

    async def scenario(sim: RunningSim, _http: Client) -> Any:
        async with openai.AsyncOpenAI(base_url=f"{sim.url}/v1", api_key="none", max_retries=0) as client:
            return await client.chat.completions.create(**chat())

    answer = drive(scenario)
    assert answer.object == "chat.completion"
    assert answer.id.startswith("chatcmpl-")
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.usage.completion_tokens == 32


def test_the_text_names_model_engine_reasoning_and_system_prompt() -> None:
    """Without an echo the text still says who answered, how, and that it is simulated."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        body = chat(chat_template_kwargs={"enable_thinking": True})
        body["messages"].insert(0, {"role": "system", "content": "You are terse"})
        answer = (await http.post("/v1/chat/completions", body)).json()
        return answer["choices"][0]["message"]["content"]

    text = drive(scenario, name="left")
    assert text.startswith('I am tiny, simulated on left. Reasoning: on. System prompt: "You are terse"')


def test_a_stream_concatenates_to_the_plain_answer() -> None:
    """The real client's stream has the same text, one finish reason, and usage at the end when asked for."""

    async def scenario(sim: RunningSim, _http: Client) -> Any:
        async with openai.AsyncOpenAI(base_url=f"{sim.url}/v1", api_key="none", max_retries=0) as client:
            whole = await client.chat.completions.create(**chat())
            with_usage = chat(stream=True, stream_options={"include_usage": True})
            stream = await client.chat.completions.create(**with_usage)
            return whole, [chunk async for chunk in stream]

    whole, chunks = drive(scenario)
    deltas = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(choice.delta.content for choice in deltas) == whole.choices[0].message.content
    assert deltas[0].delta.role == "assistant"
    assert [choice.finish_reason for choice in deltas if choice.finish_reason] == ["stop"]
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_events_reach_the_client_before_the_last_is_made() -> None:
    """Streaming is incremental: with a first event in hand the request is still running."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        async with http.stream("/v1/chat/completions", chat(stream=True)) as response:
            return await response.content.readline(), sim.load

    first, load = drive(scenario, rate=5, answer_tokens=1000)
    assert first.startswith(b"data: {")
    assert load == (1, 0)


def test_several_choices_are_streamed_side_by_side() -> None:
    """With n=2 both choices arrive whole and the usage counts both."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        answer = (await http.post("/v1/chat/completions", chat(n=2, max_tokens=4))).json()
        streamed = await http.post("/v1/chat/completions", chat(n=2, max_tokens=4, stream=True))
        return answer, streamed.text

    answer, streamed = drive(scenario)
    texts = ["", ""]
    for event in events(streamed):
        choice = event["choices"][0]
        texts[choice["index"]] += choice["delta"].get("content", "")
    assert texts == [choice["message"]["content"] for choice in answer["choices"]]
    assert answer["usage"]["completion_tokens"] == 8


def test_both_names_of_the_token_limit_cut_the_answer() -> None:
    """max_tokens and max_completion_tokens end an answer with finish_reason length."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        bodies = [chat(max_tokens=3), chat(max_completion_tokens=3, max_tokens=9)]
        answers = [(await http.post("/v1/chat/completions", body)).json() for body in bodies]
        return [(each["choices"][0]["finish_reason"], each["usage"]["completion_tokens"]) for each in answers]

    assert drive(scenario) == [("length", 3), ("length", 3)]


def test_parts_tools_and_unknown_fields_are_accepted() -> None:
    """What vLLM takes without complaint is taken: part lists, images, tools, stop, fields nobody knows."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        body = chat(
            tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}],
            tool_choice="auto",
            stop=["\n"],
            temperature=0.5,
            unheard_of={"a": 1},
        )
        body["messages"].append(
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "x"}}],
            }
        )
        body["messages"].append({"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]})
        return (await http.post("/v1/chat/completions", body)).status

    assert drive(scenario) == 200


def test_bad_requests_get_vllms_error_shape() -> None:
    """Malformed JSON, missing fields, wrong types and media types are 400; unknown models are 404."""
    wrong = [{}, {"messages": 3}, {"messages": []}, chat(stream_options={"include_usage": True})]

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        path = "/v1/chat/completions"
        replies = [await http.post(path, body) for body in (b"{", *wrong)]
        replies.append(await http.post(path, chat(), {"content-type": "text/plain"}))
        replies.append(await http.post(path, chat(model="other")))
        return [(reply.status, reply.error) for reply in replies]

    *bad, unknown = drive(scenario)
    for status, error in bad:
        assert (status, error["code"]) == (400, 400)
        assert set(error) == {"message", "type", "param", "code"}
    expected = {
        "message": "The model `other` does not exist.",
        "type": "NotFoundError",
        "param": "model",
        "code": 404,
    }
    assert unknown == (404, expected)


def test_a_prompt_beyond_the_context_is_refused() -> None:
    """Too long a prompt is a 400 that names the model's length."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        response = await http.post("/v1/chat/completions", chat("word " * 100))
        return response.status, response.error["message"]

    status, message = drive(scenario, max_model_len=50)
    assert status == 400
    assert "50 tokens" in message


def test_the_request_id_comes_back() -> None:
    """x-request-id names the answer, as vLLM does with --enable-request-id-headers."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        response = await http.post("/v1/chat/completions", chat(), headers={"x-request-id": "abc"})
        return response.headers["x-request-id"], response.json()["id"]

    assert drive(scenario) == ("abc", "chatcmpl-abc")


def test_many_requests_at_once_are_all_answered() -> None:
    """A hundred concurrent requests over four slots all get their whole answer."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        async def ask() -> Any:
            return (await http.post("/v1/chat/completions", chat())).json()["usage"]["completion_tokens"]

        return await asyncio.gather(*(ask() for _ in range(100))), sim.describe()["max_running"]

    lengths, most = drive(scenario, max_concurrency=4)
    assert lengths == [32] * 100
    assert most == 4
