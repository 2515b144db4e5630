from typing import Any

import msgspec
import pytest

from pointsman.dialects.anthropic.answer_to_chat import answer_to_chat
from pointsman.dialects.anthropic.chat_to_answer import chat_to_answer
from pointsman.dialects.anthropic.wire import UpstreamFault

USAGE = {
    "input_tokens": 7,
    "output_tokens": 5,
    "cache_read_input_tokens": 2,
    "cache_creation_input_tokens": 1,
}
CHAT_USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
}
CALL = {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def completion(message: dict[str, Any], finish: Any = "stop", **choice: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [
            {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **choice}
        ],
        "usage": CHAT_USAGE,
    }


def to_answer(document: Any, *, thinking: bool = True) -> tuple[dict[str, Any], list[str]]:
    translated = chat_to_answer(msgspec.json.encode(document), thinking=thinking)
    return msgspec.json.decode(translated.body), [str(loss) for loss in translated.losses]


def to_chat(content: list[Any], stop: Any = "end_turn", **fields: Any) -> tuple[dict[str, Any], list[str]]:
    document = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": USAGE,
        **fields,
    }
    translated = answer_to_chat(msgspec.json.encode(document), created=7)
    return msgspec.json.decode(translated.body), [str(loss) for loss in translated.losses]


def test_an_engines_answer_for_an_anthropic_client() -> None:
    """Reasoning, text and calls become blocks in that order; ids, usage and reason follow."""
    message = {"content": "hi", "reasoning": "hm", "refusal": None, "tool_calls": [CALL]}
    body, losses = to_answer(completion(message, "tool_calls"))
    assert body == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "text", "text": "hi"},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": USAGE,
    }
    assert losses == []


def test_a_providers_answer_for_an_openai_client() -> None:
    """Blocks become reasoning, content and calls; ids, usage and reason follow."""
    content = [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "h"},
        {"type": "text", "text": "i"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
    ]
    body, losses = to_chat(content, "tool_use")
    message = {"role": "assistant", "content": "hi", "refusal": None, "reasoning": "hm", "tool_calls": [CALL]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls", "logprobs": None}
    assert body == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [choice],
        "usage": CHAT_USAGE,
    }
    assert losses == []


@pytest.mark.parametrize(
    ("finish", "stop"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("function_call", "tool_use"),
        ("content_filter", "refusal"),
    ],
)
def test_why_an_engine_stopped(finish: str, stop: str) -> None:
    """OpenAI's finish reasons in Anthropic's words."""
    assert to_answer(completion({"content": "x"}, finish))[0]["stop_reason"] == stop


@pytest.mark.parametrize("finish", [None, "abort"])
def test_an_unknown_finish_is_an_end_and_said(finish: Any) -> None:
    """A reason without a counterpart ends the turn, with a warning."""
    body, losses = to_answer(completion({"content": "x"}, finish))
    assert body["stop_reason"] == "end_turn"
    assert losses == ["info;anthropic_stop_reason_coerced;choices[0].finish_reason"]


def test_a_stop_string_is_named() -> None:
    """The stop string vLLM names is the sequence; the number of a stop token is none."""
    body, _ = to_answer(completion({"content": "x"}, "stop", stop_reason="END"))
    assert (body["stop_reason"], body["stop_sequence"]) == ("stop_sequence", "END")
    body, _ = to_answer(completion({"content": "x"}, "stop", stop_reason=128001))
    assert (body["stop_reason"], body["stop_sequence"]) == ("end_turn", None)


def test_a_forced_call_is_a_tool_use() -> None:
    """Engines made to call a tool report a plain stop; the client must still see that it is to act."""
    assert to_answer(completion({"tool_calls": [CALL]}, "stop"))[0]["stop_reason"] == "tool_use"


def test_a_refusal_is_text_with_its_reason() -> None:
    """OpenAI's refusal text is the answer's text, and the reason says refusal."""
    body, _ = to_answer(completion({"content": None, "refusal": "no"}))
    assert (body["content"], body["stop_reason"]) == ([{"type": "text", "text": "no"}], "refusal")


def test_reasoning_can_be_hidden() -> None:
    """A client that does not want to see thinking gets none; both spellings of the field are read."""
    document = completion({"content": "x", "reasoning_content": "hm"})
    assert to_answer(document)[0]["content"][0]["thinking"] == "hm"
    assert to_answer(document, thinking=False)[0]["content"] == [{"type": "text", "text": "x"}]


def test_broken_arguments_are_wrapped() -> None:
    """A malformed call is shown as what the model wrote; an id is made up where none came."""
    call = {"function": {"name": "f", "arguments": "[1]"}}
    body, losses = to_answer(completion({"tool_calls": [call, {"function": {"name": "g"}}]}, "tool_calls"))
    assert body["content"] == [
        {"type": "tool_use", "id": "toolu_0", "name": "f", "input": {"arguments": "[1]"}},
        {"type": "tool_use", "id": "toolu_1", "name": "g", "input": {}},
    ]
    assert losses == ["lossy;arguments_not_an_object;choices[0].message.tool_calls[0].function.arguments"]


def test_what_an_anthropic_client_cannot_see_is_reported() -> None:
    """Further choices, logprobs and audio have no place in a message."""
    document = completion({"content": "x", "audio": {"id": "a"}}, logprobs={"content": []})
    document["choices"].append(document["choices"][0])
    assert to_answer(document)[1] == [
        "lossy;dropped;choices[1]",
        "lossy;dropped;choices[0].logprobs",
        "lossy;dropped;choices[0].message.audio",
    ]


def test_reasoning_tokens_both_ways() -> None:
    """Reasoning tokens are counted on both sides."""
    document = completion({"content": "x"})
    document["usage"] = {"prompt_tokens": 3, "completion_tokens": 5}
    document["usage"]["completion_tokens_details"] = {"reasoning_tokens": 4}
    usage = to_answer(document)[0]["usage"]
    assert usage["output_tokens_details"] == {"thinking_tokens": 4}
    back = to_chat([], usage=usage)[0]["usage"]
    assert back["completion_tokens_details"] == {"reasoning_tokens": 4}


def test_no_usage_is_zeros() -> None:
    """An answer without counts has counts of zero on both sides."""
    document = completion({"content": "x"})
    del document["usage"]
    assert set(to_answer(document)[0]["usage"].values()) == {0}
    assert to_chat([], usage=None)[0]["usage"]["total_tokens"] == 0


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_why_a_provider_stopped(stop: str, finish: str) -> None:
    """Anthropic's stop reasons in OpenAI's words."""
    body, losses = to_chat([{"type": "text", "text": "x"}], stop)
    assert (body["choices"][0]["finish_reason"], losses) == (finish, [])


def test_a_paused_turn_is_a_stop_and_said() -> None:
    """A reason without a counterpart is a stop, with a warning."""
    body, losses = to_chat([], "pause_turn")
    assert (body["choices"][0]["finish_reason"], body["choices"][0]["message"]["content"]) == ("stop", "")
    assert losses == ["info;anthropic_stop_reason_coerced;stop_reason"]


def test_the_stop_sequence_is_passed_as_vllm_does() -> None:
    """Which sequence ended the answer stands where vLLM puts it."""
    body, _ = to_chat([], "stop_sequence", stop_sequence="END")
    assert body["choices"][0]["stop_reason"] == "END"


def test_calls_without_words_have_null_content() -> None:
    """OpenAI's way to say that the model only called tools."""
    body, _ = to_chat([{"type": "tool_use", "id": "t", "name": "f", "input": {}}], "tool_use")
    assert body["choices"][0]["message"]["content"] is None


def test_what_an_openai_client_cannot_see_is_reported() -> None:
    """Signatures, citations, redacted thoughts and server tools have no place in a completion."""
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "text", "text": "x", "citations": [{"type": "page_location"}]},
    ]
    assert to_chat(content)[1] == [
        "info;signature_drop_on_openai_backend;content[0]",
        "info;redacted_thinking_dropped;content[1]",
        "lossy;unsupported_block_type;content[2]",
        "info;dropped;content[3].citations",
    ]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "malformed JSON"),
        (b"<html>", "malformed JSON"),
        (b"{}", "missing required field: choices"),
        (b'{"choices":[]}', "choices[0].message"),
        (b'{"choices":[{"index":0}]}', "choices[0].message"),
        (b'{"choices":[{"message":{"content":5}}]}', "choices[0].message.content"),
        (b'{"choices":[{"message":{"tool_calls":[{}]}}]}', "tool_calls[0].function.name"),
    ],
)
def test_a_wrong_engine_answer_is_the_upstreams_fault(raw: bytes, says: str) -> None:
    """What is no chat completion is a 502 that says where."""
    with pytest.raises(UpstreamFault) as caught:
        chat_to_answer(raw)
    assert caught.value.status == 502
    assert says in caught.value.message


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"[]", "expected object"),
        (b"{}", "missing required field: content"),
        (b'{"content":[{"type":"text"}]}', "missing required field: content[0].text"),
        (b'{"content":[{"type":"tool_use","id":"t","name":"f","input":"x"}]}', "content[0].input"),
    ],
)
def test_a_wrong_provider_answer_is_the_upstreams_fault(raw: bytes, says: str) -> None:
    """What is no message is a 502 that says where."""
    with pytest.raises(UpstreamFault) as caught:
        answer_to_chat(raw, created=7)
    assert caught.value.status == 502
    assert says in caught.value.message
