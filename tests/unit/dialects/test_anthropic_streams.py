from typing import Any

import msgspec
import pytest

from pointsman.dialects.anthropic.chat_to_stream import ChatToStream
from pointsman.dialects.anthropic.events import EventReader
from pointsman.dialects.anthropic.stream_to_chat import PING, StreamToChat
from pointsman.dialects.sse import Decoder

DONE = b"data: [DONE]\n\n"
START = {
    "type": "message_start",
    "message": {"id": "msg_1", "model": "m", "content": [], "usage": {"input_tokens": 3}},
}
END = [
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
]


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    document = {"id": "chatcmpl-1", "model": "m", "choices": choices, **fields}
    return b"data: " + msgspec.json.encode(document) + b"\n\n"


def anthropic(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: " + event["type"].encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"
        for event in events
    )


def events(raw: bytes) -> list[dict[str, Any]]:
    """The payloads, each checked to follow a line with its name."""
    decoder = Decoder()
    payloads: list[dict[str, Any]] = [msgspec.json.decode(payload) for payload in decoder.feed(raw)]
    names = [line[7:].decode() for line in raw.splitlines() if line.startswith(b"event: ")]
    assert names == [payload["type"] for payload in payloads]
    return payloads


def from_chat(*parts: bytes, thinking: bool = True) -> tuple[list[dict[str, Any]], ChatToStream]:
    stream = ChatToStream(thinking=thinking)
    out = b"".join(stream.feed(part) for part in parts) + stream.finish()
    return events(out), stream


def to_chat(*parts: bytes, usage: bool = False) -> tuple[list[Any], StreamToChat]:
    stream = StreamToChat(created=7, usage=usage)
    out = b"".join(stream.feed(part) for part in parts) + stream.finish()
    payloads = [
        payload if payload == b"[DONE]" else msgspec.json.decode(payload) for payload in Decoder().feed(out)
    ]
    return payloads, stream


def deltas(payloads: list[Any]) -> list[Any]:
    return [
        payload["choices"][0]["delta"] for payload in payloads if payload != b"[DONE]" and payload["choices"]
    ]


def tool(index: int, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **fields}]}


def test_a_text_stream_for_an_anthropic_client() -> None:
    """The whole sequence of events, in Anthropic's order, with the final counts at the end."""
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    out, stream = from_chat(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "h"}),
        chunk({"content": "i"}),
        chunk({}, "stop"),
        chunk(None, usage=usage),
        DONE,
    )
    zeros = {
        "input_tokens": 0,
        "output_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation_input_tokens": 0,
    }
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": zeros,
    }
    assert out == [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "h"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "i"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {**zeros, "input_tokens": 3, "output_tokens": 2},
        },
        {"type": "message_stop"},
    ]
    assert (stream.done, stream.failure, stream.losses) == (True, None, ())


def test_reasoning_text_and_calls_are_blocks_of_their_own() -> None:
    """A thought, a text and two calls are four blocks, each stopped before the next starts."""
    out, _ = from_chat(
        chunk({"reasoning": "hm"}),
        chunk({"reasoning_content": "m"}),
        chunk({"content": "x"}),
        chunk(tool(0, id="a", type="function", function={"name": "f", "arguments": ""})),
        chunk(tool(0, function={"arguments": '{"k":'})),
        chunk(tool(0, function={"arguments": "1}"})),
        chunk(tool(1, function={"name": "g", "arguments": "{}"})),
        chunk({}, "tool_calls"),
        DONE,
    )
    shape = [(event["type"].removeprefix("content_block_"), event.get("index")) for event in out[1:-2]]
    assert shape == [
        *[("start", 0), ("delta", 0), ("delta", 0), ("stop", 0)],
        *[("start", 1), ("delta", 1), ("stop", 1)],
        *[("start", 2), ("delta", 2), ("delta", 2), ("stop", 2)],
        *[("start", 3), ("delta", 3), ("stop", 3)],
    ]
    blocks = [event["content_block"] for event in out if event["type"] == "content_block_start"]
    assert blocks == [
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "text", "text": ""},
        {"type": "tool_use", "id": "a", "name": "f", "input": {}},
        {"type": "tool_use", "id": "toolu_1", "name": "g", "input": {}},
    ]
    assert [event["delta"] for event in out if event.get("index") == 2 and "delta" in event] == [
        {"type": "input_json_delta", "partial_json": '{"k":'},
        {"type": "input_json_delta", "partial_json": "1}"},
    ]
    assert out[-2]["delta"]["stop_reason"] == "tool_use"


def test_reasoning_can_be_hidden() -> None:
    """A client that does not want to see thinking gets no block for it."""
    out, _ = from_chat(chunk({"reasoning": "hm"}), chunk({"content": "x"}, "stop"), DONE, thinking=False)
    assert [event["content_block"]["type"] for event in out if "content_block" in event] == ["text"]


def test_a_stop_string_and_a_refusal() -> None:
    """The matched stop string is named; a refusal is text with its own reason."""
    stopped = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop","stop_reason":"END"}]}\n\n'
    out, _ = from_chat(stopped, DONE)
    assert out[-2]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    out, _ = from_chat(chunk({"refusal": "no"}), chunk({}, "stop"), DONE)
    assert out[2]["delta"]["text"] == "no"
    assert out[-2]["delta"]["stop_reason"] == "refusal"


def test_the_first_chunks_counts_open_the_message() -> None:
    """Engines that count as they go tell the prompt's size at once."""
    out, _ = from_chat(chunk({"content": "x"}, usage={"prompt_tokens": 9, "completion_tokens": 0}), DONE)
    assert out[0]["message"]["usage"]["input_tokens"] == 9


def test_other_choices_and_logprobs_are_reported() -> None:
    """Only the first choice is an answer; what is left out is said."""
    other = b'data: {"choices":[{"index":1,"delta":{"content":"y"}}]}\n\n'
    logged = (
        b'data: {"choices":[{"index":0,"delta":{"content":"x"},"logprobs":{},"finish_reason":"stop"}]}\n\n'
    )
    out, stream = from_chat(other, logged, DONE)
    assert [event["delta"]["text"] for event in out if event["type"] == "content_block_delta"] == ["x"]
    assert [str(loss) for loss in stream.losses] == [
        "lossy;dropped;choices[1]",
        "lossy;dropped;choices[0].logprobs",
    ]


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([], "stopped before"),
        ([DONE], "stopped before"),
        ([chunk({"content": "x"})], "stopped before"),
        ([chunk({"content": "x"}), b'data: {"cho'], "stopped before"),
        ([b"data: nonsense\n\n"], "malformed event"),
        ([b"data: \xff\n\n"], "malformed event"),
        ([b'data: {"choices":5}\n\n'], "malformed event: choices: expected"),
        ([chunk(tool(0, function={"arguments": "x"}))], "starts without a name"),
        (
            [
                chunk(tool(0, function={"name": "f"})),
                chunk(tool(1, function={"name": "g"})),
                chunk(tool(0, function={"arguments": "x"})),
            ],
            "goes on after its block has ended",
        ),
        ([b'data: {"error":{"message":"boom","code":400}}\n\n', DONE], "boom"),
        ([b'data: {"object":"error","message":"old boom"}\n\n', DONE], "old boom"),
    ],
)
def test_a_broken_engine_stream_ends_in_an_error(parts: list[bytes], says: str) -> None:
    """Whatever goes wrong, the client's last event is an error that says it, and no message_stop."""
    out, stream = from_chat(*parts)
    assert out[-1]["type"] == "error"
    assert says in out[-1]["error"]["message"]
    assert says in (stream.failure or "")
    assert stream.done
    assert "message_stop" not in [event["type"] for event in out]
    assert stream.feed(chunk({"content": "late"})) + stream.finish() == b""


def test_an_engines_error_code_chooses_the_type() -> None:
    """The code in an error chunk is a status, which Anthropic has a type for."""
    out, _ = from_chat(b'data: {"error":{"message":"boom","code":400}}\n\n')
    assert out[-1]["error"] == {"type": "invalid_request_error", "message": "boom"}


def test_a_missing_done_is_forgiven() -> None:
    """A stream that said why it finished is complete, and so is one without the last blank line."""
    out, stream = from_chat(chunk({"content": "x"}, "length"))
    assert (out[-2]["delta"]["stop_reason"], stream.failure) == ("max_tokens", None)
    out, stream = from_chat(chunk({"content": "x"}, "stop"), b"data: [DONE]")
    assert (out[-1]["type"], stream.failure) == ("message_stop", None)


def test_a_done_without_a_reason_is_an_end_and_said() -> None:
    """An engine that ends properly without a reason ended its turn, with a warning."""
    out, stream = from_chat(chunk({"content": "x"}), DONE)
    assert out[-2]["delta"]["stop_reason"] == "end_turn"
    assert [str(loss) for loss in stream.losses] == [
        "info;anthropic_stop_reason_coerced;choices[0].finish_reason"
    ]


def test_comments_crlf_and_lines_of_data() -> None:
    """Keep-alive comments, CRLF ends, other fields and data over several lines are read as the standard says."""
    raw = b': hi\r\n\r\nid: 1\r\nevent: x\r\ndata: {"choices":\r\ndata:[{"delta":{"content":"x"},\r\ndata: "finish_reason":"stop"}]}\r\n\r\n'
    out, stream = from_chat(*[raw[index : index + 1] for index in range(len(raw))], DONE)
    assert [event["delta"]["text"] for event in out if event["type"] == "content_block_delta"] == ["x"]
    assert stream.failure is None


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_an_endless_event_is_refused(size: int) -> None:
    """An event above the limit is an error that names the limit, however it arrives; nothing is held."""
    stream = ChatToStream(limit=1000)
    raw = chunk({"content": "x"}) + b"data: " + b"y" * 2000
    out = b"".join(stream.feed(raw[index : index + size]) for index in range(0, len(raw), size))
    assert events(out)[-1]["error"]["message"] == "an upstream event exceeds 1000 bytes"
    assert events(out)[2]["delta"]["text"] == "x"
    assert (len(stream._reader._line), len(stream._reader._data)) == (0, 0)


def test_lines_without_end_are_bounded_too() -> None:
    """Many empty data lines make one endless event; comments are not held at all."""
    reader = EventReader(100)
    reader.feed(b"data:\n" * 200)
    assert reader.overflow
    reader = EventReader(100)
    reader.feed(b": keep-alive\n" * 1000)
    assert not reader.overflow


def test_a_stream_for_an_openai_client() -> None:
    """The whole sequence of chunks: role, words, reason, counts, end."""
    out, stream = to_chat(
        anthropic(
            START,
            {"type": "ping"},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
            {"type": "content_block_stop", "index": 0},
            *END,
        ),
        usage=True,
    )
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
    assert out == [
        {**head, "choices": [choice({"role": "assistant", "content": ""})]},
        {**head, "choices": [choice({"content": "hi"})]},
        {**head, "choices": [choice({}, "stop")]},
        {
            **head,
            "choices": [],
            "usage": {
                "prompt_tokens": 3,
                "completion_tokens": 2,
                "total_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 0},
            },
        },
        b"[DONE]",
    ]
    assert (stream.done, stream.failure, stream.losses) == (True, None, ())


def choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}


def test_usage_only_when_asked() -> None:
    """Without ``include_usage`` the last chunk is the one with the reason."""
    out, _ = to_chat(anthropic(START, *END))
    assert [payload == b"[DONE]" or len(payload["choices"]) for payload in out] == [1, 1, True]


def test_a_ping_is_a_comment() -> None:
    """Anthropic's pings keep the connection open without being data."""
    assert StreamToChat(created=7).feed(anthropic({"type": "ping"})) == PING


def test_calls_are_numbered_among_themselves() -> None:
    """Text and thinking blocks do not count; a call without pieces has the arguments it started with."""
    out, _ = to_chat(
        anthropic(
            START,
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "thinking", "thinking": ""},
            },
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "thinking_delta", "thinking": "hm"},
            },
            {"type": "content_block_stop", "index": 0},
            use(1, "a"),
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": ""},
            },
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": '{"k":1}'},
            },
            {"type": "content_block_stop", "index": 1},
            use(2, "b"),
            {"type": "content_block_stop", "index": 2},
            use(3, "c", {"x": 1}),
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}},
            {"type": "message_stop"},
        )
    )
    assert deltas(out)[1:-1] == [
        {"reasoning": "hm"},
        tool(0, id="a", type="function", function={"name": "f", "arguments": ""}),
        tool(0, function={"arguments": '{"k":1}'}),
        tool(1, id="b", type="function", function={"name": "f", "arguments": ""}),
        tool(1, function={"arguments": "{}"}),
        tool(2, id="c", type="function", function={"name": "f", "arguments": ""}),
        tool(2, function={"arguments": '{"x":1}'}),
    ]
    assert out[-2]["choices"][0]["finish_reason"] == "tool_calls"


def use(index: int, identifier: str, given: Any = None) -> dict[str, Any]:
    block = {"type": "tool_use", "id": identifier, "name": "f", "input": given or {}}
    return {"type": "content_block_start", "index": index, "content_block": block}


def test_a_stop_sequence_is_passed_as_vllm_does() -> None:
    """Which sequence ended the answer stands beside the reason."""
    delta = {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    out, _ = to_chat(
        anthropic(START, {"type": "message_delta", "delta": delta, "usage": {}}, {"type": "message_stop"})
    )
    assert out[-2]["choices"][0] == {**choice({}, "stop"), "stop_reason": "END"}


def test_what_an_openai_client_cannot_see_is_reported() -> None:
    """Signatures, citations, redacted thoughts and server tools are left out, and said; new events pass by."""
    out, stream = to_chat(
        anthropic(
            START,
            {"type": "something_new", "delta": {"type": "x"}},
            {
                "type": "content_block_start",
                "index": 0,
                "content_block": {"type": "redacted_thinking", "data": "x"},
            },
            {"type": "content_block_stop", "index": 0},
            {
                "type": "content_block_start",
                "index": 1,
                "content_block": {"type": "server_tool_use", "input": {}},
            },
            {
                "type": "content_block_delta",
                "index": 1,
                "delta": {"type": "input_json_delta", "partial_json": "{"},
            },
            {
                "type": "content_block_delta",
                "index": 2,
                "delta": {"type": "signature_delta", "signature": "s"},
            },
            {"type": "content_block_delta", "index": 2, "delta": {"type": "citations_delta", "citation": {}}},
            *END,
        )
    )
    assert deltas(out) == [{"role": "assistant", "content": ""}, {}]
    assert [str(loss) for loss in stream.losses] == [
        "info;redacted_thinking_dropped;content_block.type",
        "lossy;unsupported_block_type;content_block.type",
        "info;signature_drop_on_openai_backend;delta.signature",
        "info;dropped;delta.type",
    ]


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "stopped before"),
        (anthropic(START), "stopped before"),
        (anthropic(START) + b"event: message_stop\ndata: {", "stopped before"),
        (anthropic({"type": "message_stop"}), "message_stop before message_start"),
        (anthropic(START, START), "message_start: expected once"),
        (anthropic({"type": "message_start"}), "message_start: expected once"),
        (anthropic(START, {"type": "content_block_start", "index": 0}), "without a content_block"),
        (
            anthropic(
                START,
                {
                    "type": "content_block_delta",
                    "index": 4,
                    "delta": {"type": "input_json_delta", "partial_json": "{"},
                },
            ),
            "block 4, which is not open",
        ),
        (anthropic(START, *(use(index, "t") for index in range(1025))), "more than 1024 blocks"),
        (b"data: {}\n\n", "missing required field: type"),
        (b"data: [1]\n\n", "malformed event"),
        (anthropic({"type": "error", "error": {"type": "overloaded_error", "message": "full"}}), "full"),
    ],
)
def test_a_broken_provider_stream_ends_in_an_error(raw: bytes, says: str) -> None:
    """Whatever goes wrong, the client's last event is an error that says it, and no [DONE]."""
    out, stream = to_chat(raw)
    assert says in out[-1]["error"]["message"]
    assert says in (stream.failure or "")
    assert stream.feed(anthropic(*END)) + stream.finish() == b""


def test_a_providers_error_keeps_its_kind() -> None:
    """An error inside the stream has the type and code it would have had as an answer."""
    out, _ = to_chat(
        anthropic(START, {"type": "error", "error": {"type": "overloaded_error", "message": "full"}})
    )
    assert out[-1]["error"] == {"message": "full", "type": "service_unavailable", "param": None, "code": 503}


def test_a_missing_message_stop_is_forgiven() -> None:
    """A stream that said why it stopped is complete."""
    out, stream = to_chat(anthropic(START, END[0]))
    assert (out[-1], stream.failure) == (b"[DONE]", None)
