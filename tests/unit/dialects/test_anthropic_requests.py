from typing import Any

import msgspec
import pytest

from pointsman.core.errors import RequestError
from pointsman.dialects.anthropic.chat_to_request import DEFAULT_MAX_TOKENS, chat_to_request, includes_usage
from pointsman.dialects.anthropic.options import hides_thinking
from pointsman.dialects.anthropic.request_to_chat import request_to_chat

HI = {"role": "user", "content": "hi"}
PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}
PNG_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "weather", "description": "d", "input_schema": SCHEMA}
CHAT_TOOL = {"type": "function", "function": {"name": "weather", "description": "d", "parameters": SCHEMA}}


def text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


def to_chat(*, vllm: bool = True, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    raw = msgspec.json.encode({"model": "m", "max_tokens": 16, "messages": [HI], **fields})
    translated = request_to_chat(raw, vllm=vllm)
    return msgspec.json.decode(translated.body), [str(loss) for loss in translated.losses]


def to_messages(**fields: Any) -> tuple[dict[str, Any], list[str]]:
    given = {"model": "m", "max_tokens": 16, "messages": [HI], **fields}
    raw = msgspec.json.encode({key: value for key, value in given.items() if value is not ...})
    translated = chat_to_request(raw)
    return msgspec.json.decode(translated.body), [str(loss) for loss in translated.losses]


def test_the_least_request_both_ways() -> None:
    """Model, limit and messages are all there is; nothing is lost."""
    assert to_chat() == ({"model": "m", "max_tokens": 16, "messages": [HI]}, [])
    assert to_messages() == ({"model": "m", "max_tokens": 16, "messages": [HI]}, [])


@pytest.mark.parametrize(
    ("anthropic", "chat"),
    [
        ({"temperature": 0.5, "top_p": 0.25}, {"temperature": 0.5, "top_p": 0.25}),
        ({"top_k": 40}, {"top_k": 40}),
        ({"stop_sequences": ["a", "b"]}, {"stop": ["a", "b"]}),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}),
        ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
        ({"tools": [TOOL]}, {"tools": [CHAT_TOOL]}),
        (
            {"tools": [{**TOOL, "strict": True}]},
            {"tools": [{"type": "function", "function": {**CHAT_TOOL["function"], "strict": True}}]},  # type: ignore[dict-item]
        ),
        ({"tools": [TOOL], "tool_choice": {"type": "auto"}}, {"tools": [CHAT_TOOL], "tool_choice": "auto"}),
        (
            {"tools": [TOOL], "tool_choice": {"type": "any"}},
            {"tools": [CHAT_TOOL], "tool_choice": "required"},
        ),
        ({"tools": [TOOL], "tool_choice": {"type": "none"}}, {"tools": [CHAT_TOOL], "tool_choice": "none"}),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "weather"}},
            {"tools": [CHAT_TOOL], "tool_choice": {"type": "function", "function": {"name": "weather"}}},
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            {"tools": [CHAT_TOOL], "tool_choice": "auto", "parallel_tool_calls": False},
        ),
        ({"output_config": {"effort": "low"}}, {"reasoning_effort": "low"}),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "response", "strict": True, "schema": SCHEMA},
                }
            },
        ),
    ],
)
def test_options_that_both_sides_have(anthropic: dict[str, Any], chat: dict[str, Any]) -> None:
    """Each option goes over and comes back as it was, without a warning."""
    base = {"model": "m", "max_tokens": 16, "messages": [HI]}
    assert to_chat(**anthropic) == ({**base, **chat}, [])
    assert to_messages(**chat) == ({**base, **anthropic}, [])


def test_system_text_both_ways() -> None:
    """One system text is a string on both sides; several are parts of one message."""
    two = [text("a"), text("b")]
    assert to_chat(system="S")[0]["messages"] == [{"role": "system", "content": "S"}, HI]
    assert to_chat(system=[text("S")])[0]["messages"][0] == {"role": "system", "content": "S"}
    assert to_chat(system=two)[0]["messages"][0] == {"role": "system", "content": two}
    assert to_messages(messages=[{"role": "developer", "content": "S"}, HI])[0]["system"] == "S"
    assert to_messages(messages=[{"role": "system", "content": two}, HI])[0]["system"] == two


def test_a_late_system_message_moves_to_the_head() -> None:
    """Anthropic's system text stands before the conversation; the move is reported."""
    body, losses = to_messages(messages=[HI, {"role": "system", "content": "S"}, HI])
    assert (body["system"], body["messages"]) == ("S", [HI, HI])
    assert losses == ["lossy;moved;messages[1]"]


def test_a_system_turn_inside_messages_stays() -> None:
    """OpenAI allows system messages anywhere, so one inside Anthropic's conversation keeps its place."""
    turns = [HI, {"role": "system", "content": "S"}, HI]
    assert to_chat(messages=turns) == ({"model": "m", "max_tokens": 16, "messages": turns}, [])


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (PNG, PNG_PART),
        (
            {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
            {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
        ),
    ],
)
def test_images_both_ways(block: Any, part: Any) -> None:
    """Images in the body and by URL go over and come back, in their place between texts."""
    content, parts = [text("a"), block, text("b")], [text("a"), part, text("b")]
    assert to_chat(messages=[{"role": "user", "content": content}])[0]["messages"][0]["content"] == parts
    assert to_messages(messages=[{"role": "user", "content": parts}])[0]["messages"][0]["content"] == content


CALLS = [
    {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
    {"type": "tool_use", "id": "t2", "name": "g", "input": {}},
]
CHAT_CALLS = [
    {"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
    {"id": "t2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
]


def test_parallel_tool_calls_both_ways() -> None:
    """Two calls and their two results: one message of results at Anthropic, one message each at OpenAI."""
    results = [
        {"type": "tool_result", "tool_use_id": "t1", "content": "one"},
        {"type": "tool_result", "tool_use_id": "t2", "content": "two"},
    ]
    turns = [
        HI,
        {"role": "assistant", "content": [text("wait"), *CALLS]},
        {"role": "user", "content": results},
        {"role": "user", "content": "so?"},
    ]
    chat = [
        HI,
        {"role": "assistant", "content": "wait", "tool_calls": CHAT_CALLS},
        {"role": "tool", "tool_call_id": "t1", "content": "one"},
        {"role": "tool", "tool_call_id": "t2", "content": "two"},
        {"role": "user", "content": "so?"},
    ]
    assert to_chat(messages=turns)[0]["messages"] == chat
    assert to_messages(messages=chat)[0]["messages"] == turns


def test_calls_without_words_have_null_content() -> None:
    """OpenAI's way to say that the model only called tools."""
    assert to_chat(messages=[{"role": "assistant", "content": CALLS}, HI])[0]["messages"][0] == {
        "role": "assistant",
        "content": None,
        "tool_calls": CHAT_CALLS,
    }


def test_results_come_before_the_words_beside_them() -> None:
    """OpenAI wants results right after the calls: words before them in the same turn move behind, noted."""
    turn = {
        "role": "user",
        "content": [text("x"), {"type": "tool_result", "tool_use_id": "t1", "content": "r"}],
    }
    body, losses = to_chat(messages=[turn])
    assert body["messages"] == [
        {"role": "tool", "tool_call_id": "t1", "content": "r"},
        {"role": "user", "content": "x"},
    ]
    assert losses == ["info;moved;messages[0].content[1]"]


def test_an_image_in_a_result_moves_behind_it() -> None:
    """A tool message holds text only, so the image follows as the user's."""
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [text("see"), PNG], "is_error": True}
    body, losses = to_chat(messages=[{"role": "user", "content": [result]}])
    assert body["messages"] == [
        {"role": "tool", "tool_call_id": "t1", "content": "see"},
        {"role": "user", "content": [PNG_PART]},
    ]
    assert losses == [
        "info;moved;messages[0].content[0].content",
        "lossy;dropped;messages[0].content[0].is_error",
    ]


def test_thinking_goes_to_vllm_as_reasoning() -> None:
    """Earlier thoughts are kept for engines with that field; signatures mean nothing to them."""
    turn = {
        "role": "assistant",
        "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, *CALLS],
    }
    body, losses = to_chat(messages=[turn])
    assert body["messages"][0]["reasoning"] == "hm"
    assert losses == ["info;signature_drop_on_openai_backend;messages[0].content[0]"]
    plain, losses = to_chat(messages=[turn], vllm=False)
    assert "reasoning" not in plain["messages"][0]
    assert losses == ["lossy;dropped;messages[0].content[0]"]


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ({"type": "redacted_thinking", "data": "x"}, "redacted_thinking_dropped"),
        ({"type": "document", "source": {"type": "text", "data": "x"}}, "unsupported_block_type"),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, "image_file_id_unresolved"),
    ],
)
def test_blocks_without_a_counterpart_are_reported(block: dict[str, Any], reason: str) -> None:
    """What an OpenAI engine cannot be shown is left out, and said."""
    body, losses = to_chat(messages=[{"role": "user", "content": [text("a"), block]}])
    assert body["messages"] == [{"role": "user", "content": "a"}]
    assert losses == [f"lossy;{reason};messages[0].content[1]"]


def test_a_prefilled_answer_is_continued() -> None:
    """An engine of vLLM is told to continue the client's last assistant turn; elsewhere the loss is reported."""
    turns = [HI, {"role": "assistant", "content": "The answer is"}]
    body, losses = to_chat(messages=turns)
    assert (body["add_generation_prompt"], body["continue_final_message"], losses) == (False, True, [])
    body, losses = to_chat(messages=turns, vllm=False)
    assert "continue_final_message" not in body
    assert losses == ["lossy;coerced;messages[1]"]


@pytest.mark.parametrize(
    ("fields", "chat", "losses"),
    [
        ({"top_k": 5}, {}, ["lossy;top_k_drop_on_openai_backend;top_k"]),
        ({"service_tier": "auto"}, {}, ["lossy;dropped;service_tier"]),
        ({"mcp_servers": None}, {}, []),
        ({"metadata": {"user_id": "u", "x": 1}}, {"user": "u"}, ["info;dropped;metadata.x"]),
        ({"cache_control": {"type": "ephemeral"}}, {}, ["info;dropped;cache_control"]),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            {},
            ["lossy;server_tool_drop_on_openai_backend;tools[0]"],
        ),
        (
            {"tools": [{**TOOL, "defer_loading": True}]},
            {"tools": [CHAT_TOOL]},
            ["info;dropped;tools[0].defer_loading"],
        ),
        ({"tool_choice": {"type": "any"}}, {}, ["lossy;dropped;tool_choice"]),
        ({"thinking": {"type": "adaptive"}}, {}, []),
        ({"thinking": {"type": "disabled"}}, {}, ["lossy;dropped;thinking"]),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
            {"reasoning_effort": "low"},
            ["info;coerced;thinking.budget_tokens"],
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 16384}},
            {"reasoning_effort": "medium"},
            ["info;coerced;thinking.budget_tokens"],
        ),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 16385}},
            {"reasoning_effort": "high"},
            ["info;coerced;thinking.budget_tokens"],
        ),
        (
            {"output_config": {"effort": "max"}},
            {"reasoning_effort": "high"},
            ["info;coerced;output_config.effort"],
        ),
        ({"output_config": {"budget": 1}}, {}, ["lossy;dropped;output_config.budget"]),
        ({"output_config": {"format": {"type": "xml"}}}, {}, ["lossy;dropped;output_config.format"]),
    ],
)
def test_what_openai_cannot_be_told_is_reported(
    fields: dict[str, Any], chat: dict[str, Any], losses: list[str]
) -> None:
    """Each option without an equivalent is a warning with its field; near ones are coerced, and said."""
    base = {"model": "m", "max_tokens": 16, "messages": [HI]}
    assert to_chat(vllm=False, **fields) == ({**base, **chat}, losses)


def test_vllm_fields_pass() -> None:
    """What clients of vLLM's own Messages endpoint send reaches vLLM."""
    body, losses = to_chat(chat_template_kwargs={"enable_thinking": False}, top_k=5)
    assert (body["chat_template_kwargs"], body["top_k"], losses) == ({"enable_thinking": False}, 5, [])


@pytest.mark.parametrize(
    ("thinking", "hidden"),
    [
        (None, False),
        ({"type": "adaptive"}, False),
        ({"type": "disabled"}, True),
        ({"type": "enabled", "budget_tokens": 1024, "display": "omitted"}, True),
    ],
)
def test_who_does_not_want_to_see_thinking(thinking: Any, hidden: bool) -> None:
    """Thinking turned off or omitted hides what the engine thinks anyway."""
    raw = msgspec.json.encode({"model": "m", "max_tokens": 1, "messages": [HI], "thinking": thinking})
    assert hides_thinking(raw) is hidden


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "custom"}]}, "tools[0].name"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": "yes"}, "thinking"),
        ({"output_config": {"effort": 5}}, "output_config.effort"),
    ],
)
def test_wrong_options_are_refused_with_their_field(fields: dict[str, Any], param: str) -> None:
    """An option of the wrong shape is a 400 that names it."""
    with pytest.raises(RequestError) as caught:
        to_chat(**fields)
    assert caught.value.param == param
    assert param in caught.value.message


def test_a_missing_limit_is_written() -> None:
    """Anthropic demands a limit: the default is written, and said; the newer field wins over the older."""
    body, losses = to_messages(max_tokens=...)
    assert (body["max_tokens"], losses) == (DEFAULT_MAX_TOKENS, ["info;defaulted;max_tokens"])
    assert to_messages(max_completion_tokens=5)[0]["max_tokens"] == 5


@pytest.mark.parametrize(
    ("fields", "out", "losses"),
    [
        ({"temperature": 1.5}, {"temperature": 1.0}, ["lossy;coerced;temperature"]),
        ({"stop": "x"}, {"stop_sequences": ["x"]}, []),
        ({"stop": ["x", "\n"]}, {"stop_sequences": ["x"]}, ["lossy;dropped;stop"]),
        ({"n": 1, "frequency_penalty": 0, "logprobs": False, "seed": None}, {}, []),
        ({"n": 2}, {}, ["lossy;dropped;n"]),
        ({"seed": 7}, {}, ["lossy;dropped;seed"]),
        ({"frequency_penalty": 0.5}, {}, ["lossy;dropped;frequency_penalty"]),
        ({"metadata": {"a": "b"}}, {}, ["info;dropped;metadata"]),
        ({"stream": True, "stream_options": {"include_usage": True}}, {"stream": True}, []),
        ({"response_format": {"type": "text"}}, {}, []),
        ({"response_format": {"type": "json_object"}}, {}, ["lossy;dropped;response_format"]),
        ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}, []),
        (
            {"reasoning_effort": "minimal"},
            {"output_config": {"effort": "low"}},
            ["info;coerced;reasoning_effort"],
        ),
        ({"reasoning_effort": "xhigh"}, {"output_config": {"effort": "xhigh"}}, []),
        ({"reasoning_effort": "vast"}, {}, ["lossy;dropped;reasoning_effort"]),
        ({"tool_choice": "required"}, {}, ["lossy;dropped;tool_choice"]),
        ({"tool_choice": "auto"}, {}, []),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, {}, ["lossy;dropped;tools[0]"]),
        (
            {"tools": [CHAT_TOOL], "parallel_tool_calls": False},
            {"tools": [TOOL], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
            [],
        ),
        (
            {"tools": [CHAT_TOOL], "parallel_tool_calls": False, "tool_choice": "none"},
            {"tools": [TOOL], "tool_choice": {"type": "none"}},
            [],
        ),
        (
            {
                "tools": [CHAT_TOOL],
                "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}},
            },
            {"tools": [TOOL], "tool_choice": {"type": "any"}},
            ["lossy;coerced;tool_choice.allowed_tools"],
        ),
    ],
)
def test_what_anthropic_cannot_be_told_is_reported(
    fields: dict[str, Any], out: dict[str, Any], losses: list[str]
) -> None:
    """Each option without an equivalent is a warning with its field; values that ask for nothing are not."""
    base = {"model": "m", "max_tokens": 16, "messages": [HI]}
    assert to_messages(**fields) == ({**base, **out}, losses)


def test_empty_messages_are_left_out() -> None:
    """Anthropic refuses messages without content; they are dropped, and said."""
    body, losses = to_messages(messages=[HI, {"role": "assistant", "content": " "}, HI])
    assert (body["messages"], losses) == ([HI, HI], ["info;empty_message_dropped;messages[1]"])


def test_call_ids_fit_anthropics_alphabet() -> None:
    """Ids with foreign characters are spelled out, alike in the call and in its result, and stay distinct."""
    call = {"id": "functions.f:0", "type": "function", "function": {"name": "f", "arguments": ""}}
    turns = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "functions.f:0", "content": "r"},
    ]
    body, _ = to_messages(messages=turns)
    assert body["messages"][0]["content"][0]["id"] == "functions_2e_f_3a_0"
    assert body["messages"][1]["content"][0]["tool_use_id"] == "functions_2e_f_3a_0"


def test_broken_arguments_are_wrapped() -> None:
    """A model's malformed call in the history does not end the conversation."""
    call = {"id": "t", "type": "function", "function": {"name": "f", "arguments": '{"a":'}}
    body, losses = to_messages(messages=[HI, {"role": "assistant", "tool_calls": [call]}])
    assert body["messages"][1]["content"][0]["input"] == {"arguments": '{"a":'}
    assert losses == ["lossy;arguments_not_an_object;messages[1].tool_calls[0].function.arguments"]


def test_parts_and_fields_without_a_counterpart_are_reported() -> None:
    """Audio, names, image detail, foreign URLs and earlier reasoning are left out, and said."""
    parts = [
        text("a"),
        {"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}},
        {"type": "image_url", "image_url": {"url": "ftp://x"}},
        {"type": "image_url", "image_url": {"url": "https://x", "detail": "high"}},
    ]
    turns = [
        {"role": "user", "name": "bob", "content": parts},
        {"role": "assistant", "content": None, "refusal": "no", "reasoning_content": "hm"},
    ]
    body, losses = to_messages(messages=turns)
    assert [block["type"] for block in body["messages"][0]["content"]] == ["text", "image"]
    assert body["messages"][1]["content"] == [text("no")]
    assert losses == [
        "info;dropped;messages[0].name",
        "lossy;unsupported_block_type;messages[0].content[1]",
        "lossy;unsupported_subtype;messages[0].content[2]",
        "info;dropped;messages[0].content[3].image_url.detail",
        "info;dropped;messages[1].reasoning_content",
    ]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "S"}]}, "messages"),
        ({"messages": [{"role": "function", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0].image_url",
        ),
        ({"max_tokens": 0}, "max_tokens"),
        ({"tools": [CHAT_TOOL], "tool_choice": "maybe"}, "tool_choice"),
        ({"tools": [CHAT_TOOL], "tool_choice": {"type": "function"}}, "tool_choice.function"),
        ({"stop": 5}, "stop"),
    ],
)
def test_a_wrong_chat_request_is_refused_with_its_field(fields: dict[str, Any], param: str) -> None:
    """What Anthropic could not be asked at all is a 400 that names the field."""
    with pytest.raises(RequestError) as caught:
        to_messages(**fields)
    assert caught.value.param == param
    assert param in caught.value.message


@pytest.mark.parametrize(
    ("options", "asked"), [(None, False), ({}, False), ({"include_usage": True}, True), ("x", False)]
)
def test_who_asks_for_usage(options: Any, asked: bool) -> None:
    """Only ``include_usage: true`` asks for the last chunk."""
    assert includes_usage(msgspec.json.encode({"stream_options": options})) is asked


@pytest.mark.parametrize("value", [b"1e400", b'"\xff"', b'{"a":[1e400]}', b"[" * 5000 + b"]" * 5000])
def test_what_no_one_reads_must_still_be_readable(value: bytes) -> None:
    """A field that is passed on or left out is a 400 when it is no sound JSON, not a surprise later."""
    for name in (b"top_k", b"unheard_of"):
        raw = b'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"%b":%b}' % (
            name,
            value,
        )
        for translate in (request_to_chat, chat_to_request):
            with pytest.raises(RequestError) as caught:
                translate(raw)
            assert caught.value.status == 400
