import contextlib
import itertools
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.errors import RequestError
from pointsman.dialects.anthropic import errors, messages
from pointsman.dialects.anthropic.answer_to_chat import answer_to_chat
from pointsman.dialects.anthropic.chat_to_answer import chat_to_answer
from pointsman.dialects.anthropic.chat_to_request import chat_to_request
from pointsman.dialects.anthropic.chat_to_stream import ChatToStream
from pointsman.dialects.anthropic.request_to_chat import request_to_chat
from pointsman.dialects.anthropic.stream import StreamTranslation
from pointsman.dialects.anthropic.stream_to_chat import StreamToChat
from pointsman.dialects.anthropic.wire import UpstreamFault
from pointsman.dialects.sse import Decoder

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
SAID = WORDS.filter(lambda text: bool(text.strip()))
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,8}", fullmatch=True)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(WORDS, JSON, max_size=3)
COUNTS = st.integers(0, 1000)
POINTS = st.lists(st.integers(min_value=0), max_size=20)


def cut(stream: bytes, points: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(point % (len(stream) + 1) for point in points)})
    return [stream[a:b] for a, b in itertools.pairwise(edges)]


def pieces(text: str, points: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(point % (len(text) + 1) for point in points)})
    return [text[a:b] for a, b in itertools.pairwise(edges)]


def run(stream: StreamTranslation, parts: list[bytes]) -> bytes:
    return b"".join(stream.feed(part) for part in parts) + stream.finish()


def payloads(raw: bytes) -> list[Any]:
    return [msgspec.json.decode(payload) for payload in Decoder().feed(raw) if payload != b"[DONE]"]


@st.composite
def completions(draw: st.DrawFn) -> dict[str, Any]:
    """A finished chat answer as an engine writes it."""
    calls = [
        {
            "id": draw(NAMES),
            "type": "function",
            "function": {"name": draw(NAMES), "arguments": encoded(value)},
        }
        for value in draw(st.lists(OBJECTS, max_size=3))
    ]
    message = {"role": "assistant", "content": draw(st.none() | WORDS), "reasoning": draw(st.none() | WORDS)}
    choice = {
        "index": 0,
        "message": {**message, "tool_calls": calls},
        "finish_reason": draw(st.sampled_from(["stop", "length", "tool_calls", "content_filter", "abort"])),
        "stop_reason": draw(st.none() | WORDS | COUNTS),
    }
    usage = {
        "prompt_tokens": draw(COUNTS),
        "completion_tokens": draw(COUNTS),
        "prompt_tokens_details": draw(st.none() | st.fixed_dictionaries({"cached_tokens": COUNTS})),
    }
    return {"id": f"chatcmpl-{draw(NAMES)}", "model": draw(NAMES), "choices": [choice], "usage": usage}


def encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def chat_stream(document: dict[str, Any], points: list[int], end: bytes) -> bytes:
    """The same answer as an engine streams it, its texts cut at the points."""
    choice, message = document["choices"][0], document["choices"][0]["message"]
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning": piece} for piece in pieces(message["reasoning"] or "", points)]
    deltas += [{"content": piece} for piece in pieces(message["content"] or "", points)]
    for index, call in enumerate(message["tool_calls"]):
        function = call["function"]
        head = {**call, "index": index, "function": {"name": function["name"], "arguments": ""}}
        deltas.append({"tool_calls": [head]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in pieces(function["arguments"], points)
        ]
    head = {key: document[key] for key in ("id", "model")}
    chunks: list[dict[str, Any]] = [{**head, "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    last = {
        "index": 0,
        "delta": {},
        "finish_reason": choice["finish_reason"],
        "stop_reason": choice["stop_reason"],
    }
    chunks += [{**head, "choices": [last]}, {**head, "choices": [], "usage": document["usage"]}]
    lines = [b"data: " + msgspec.json.encode(chunk) + end + end for chunk in chunks]
    return b"".join([b": hello" + end + end, *lines, b"data: [DONE]" + end + end])


def accumulated_message(events: list[Any]) -> dict[str, Any]:
    """What an Anthropic client makes of a stream."""
    message: dict[str, Any] = events[0]["message"]
    arguments: dict[int, str] = {}
    for event in events[1:]:
        match event["type"]:
            case "content_block_start":
                assert event["index"] == len(message["content"])
                message["content"].append(event["content_block"])
            case "content_block_delta":
                block, delta = message["content"][event["index"]], event["delta"]
                if delta["type"] == "input_json_delta":
                    arguments[event["index"]] = arguments.get(event["index"], "") + delta["partial_json"]
                else:
                    name = delta["type"].removesuffix("_delta")
                    block[name] += delta[name]
            case "content_block_stop":
                if event["index"] in arguments:
                    message["content"][event["index"]]["input"] = msgspec.json.decode(
                        arguments[event["index"]]
                    )
            case "message_delta":
                message.update(event["delta"], usage={**message["usage"], **event["usage"]})
    assert events[-1] == {"type": "message_stop"}
    return message


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """A finished message as a provider writes it."""
    block = st.one_of(
        st.builds(lambda text: {"type": "text", "text": text}, WORDS),
        st.builds(lambda text, sign: {"type": "thinking", "thinking": text, "signature": sign}, WORDS, WORDS),
        st.builds(
            lambda identifier, name, value: {
                "type": "tool_use",
                "id": identifier,
                "name": name,
                "input": value,
            },
            NAMES,
            NAMES,
            OBJECTS,
        ),
        st.just({"type": "redacted_thinking", "data": "x"}),
        st.just({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}),
    )
    sequence = draw(st.none() | WORDS)
    return {
        "id": f"msg_{draw(NAMES)}",
        "type": "message",
        "role": "assistant",
        "model": draw(NAMES),
        "content": draw(st.lists(block, max_size=5)),
        "stop_reason": draw(st.sampled_from(["end_turn", "max_tokens", "tool_use", "refusal", "pause_turn"])),
        "stop_sequence": sequence,
        "usage": {
            name: draw(COUNTS) for name in ("input_tokens", "output_tokens", "cache_read_input_tokens")
        },
    }


def message_stream(document: dict[str, Any], points: list[int], end: bytes) -> bytes:
    """The same message as a provider streams it, its texts cut at the points."""
    opening = {**document, "content": [], "stop_reason": None, "stop_sequence": None}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": opening}, {"type": "ping"}]
    for index, block in enumerate(document["content"]):
        events += block_events(index, block, points)
    delta = {key: document[key] for key in ("stop_reason", "stop_sequence")}
    usage = {"output_tokens": document["usage"]["output_tokens"]}
    events += [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]
    return b"".join(
        b"event: " + event["type"].encode() + end + b"data: " + msgspec.json.encode(event) + end + end
        for event in events
    )


def block_events(index: int, block: dict[str, Any], points: list[int]) -> list[dict[str, Any]]:
    kind = block["type"]
    opening, deltas = dict(block), []
    if kind in {"text", "thinking"}:
        opening[kind] = ""
        deltas = [{"type": f"{kind}_delta", kind: piece} for piece in pieces(block[kind], points)]
    if kind == "tool_use":
        opening["input"] = {}
        whole = encoded(block["input"]) if block["input"] else ""
        deltas = [
            {"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(whole, points)]
        ]
    return [
        {"type": "content_block_start", "index": index, "content_block": opening},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def accumulated_completion(chunks: list[Any]) -> dict[str, Any]:
    """What an OpenAI client makes of a stream, in the shape of a finished answer."""
    message: dict[str, Any] = {"role": "assistant", "content": "", "refusal": None}
    calls: list[dict[str, Any]] = []
    for chunk in chunks:
        for choice in chunk["choices"]:
            delta = choice["delta"]
            for name in ("content", "reasoning"):
                if name in delta:
                    message[name] = message.get(name, "") + delta[name]
            for call in delta.get("tool_calls", []):
                if call["index"] == len(calls):
                    calls.append({key: value for key, value in call.items() if key != "index"})
                else:
                    calls[call["index"]]["function"]["arguments"] += call["function"]["arguments"]
    if calls:
        message.update(tool_calls=calls, content=message["content"] or None)
    last = [choice for chunk in chunks for choice in chunk["choices"]][-1]
    final = {key: value for key, value in last.items() if key != "delta"}
    return {
        **{key: chunks[0][key] for key in ("id", "created", "model")},
        "object": "chat.completion",
        "choices": [{**final, "message": message}],
        "usage": chunks[-1]["usage"],
    }


ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(completions(), POINTS, POINTS, ENDS)
def test_an_engines_stream_is_its_answer(
    document: dict[str, Any], texts: list[int], chunks: list[int], end: bytes
) -> None:
    """What a client accumulates from the translated stream is the translated finished answer, in any pieces."""
    stream = ChatToStream()
    out = run(stream, cut(chat_stream(document, texts, end), chunks))
    finished = msgspec.json.decode(chat_to_answer(msgspec.json.encode(document)).body)
    assert accumulated_message(payloads(out)) == finished
    assert stream.failure is None


@given(answers(), POINTS, POINTS, ENDS)
def test_a_providers_stream_is_its_answer(
    document: dict[str, Any], texts: list[int], chunks: list[int], end: bytes
) -> None:
    """What a client accumulates from the translated stream is the translated finished answer, in any pieces."""
    stream = StreamToChat(created=7, usage=True)
    out = run(stream, cut(message_stream(document, texts, end), chunks))
    finished = msgspec.json.decode(answer_to_chat(msgspec.json.encode(document), created=7).body)
    assert accumulated_completion(payloads(out)) == finished
    assert stream.failure is None


TROUBLE = st.sampled_from(
    [
        b"",
        b"data: nonsense\n\n",
        b'data: {"error":{"message":"boom"}}\n\n',
        b'data: {"type":"error","error":{"type":"api_error","message":"boom"}}\n\n',
        b"data: " + b"x" * 5000,
        b"data: \xe2\x82",
        b"\xef\xbb\xbfdata: {}\r\r\n\n",
    ]
)


@given(completions(), answers(), TROUBLE, st.integers(0, 10_000), POINTS, ENDS)
def test_the_stream_does_not_depend_on_the_pieces(
    completion: dict[str, Any],
    answer: dict[str, Any],
    trouble: bytes,
    stop: int,
    chunks: list[int],
    end: bytes,
) -> None:
    """Whole, broken off anywhere, or followed by trouble: any pieces give the same bytes as one piece."""
    raw = chat_stream(completion, [3], end)[:stop] + trouble
    assert run(ChatToStream(limit=4000), cut(raw, chunks)) == run(ChatToStream(limit=4000), [raw])
    raw = message_stream(answer, [3], end)[:stop] + trouble
    whole = run(StreamToChat(created=7, limit=4000), [raw])
    assert run(StreamToChat(created=7, limit=4000), cut(raw, chunks)) == whole
    assert (
        run(StreamToChat(created=7, limit=4000), [raw[index : index + 1] for index in range(len(raw))])
        == whole
    )


@given(completions(), answers(), st.integers(0, 10_000))
def test_no_stream_ends_in_silence(completion: dict[str, Any], answer: dict[str, Any], stop: int) -> None:
    """Broken off anywhere, the last event is either the format's last word or an error."""
    out = run(ChatToStream(), [chat_stream(completion, [3], b"\n")[:stop]])
    assert payloads(out)[-1]["type"] in {"message_stop", "error"}
    out = run(StreamToChat(created=7), [message_stream(answer, [3], b"\n")[:stop]])
    assert out.endswith(b"data: [DONE]\n\n") or "error" in payloads(out)[-1]


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Chat messages as clients send them: system, then turns, calls followed by their results."""
    turns: list[dict[str, Any]] = [{"role": "system", "content": draw(SAID)}] if draw(st.booleans()) else []
    turns.append({"role": "user", "content": draw(SAID)})
    for kind in draw(st.lists(st.sampled_from(["user", "assistant", "parts", "calls"]), max_size=6)):
        if kind == "parts":
            parts = [{"type": "text", "text": text} for text in draw(st.lists(SAID, min_size=2, max_size=3))]
            turns.append({"role": "user", "content": parts})
        elif kind == "calls":
            turns += draw(calls())
        else:
            turns.append({"role": kind, "content": draw(SAID)})
    return turns


@st.composite
def calls(draw: st.DrawFn) -> list[dict[str, Any]]:
    ids = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    made = [
        {"id": i, "type": "function", "function": {"name": draw(NAMES), "arguments": encoded(draw(OBJECTS))}}
        for i in ids
    ]
    results = [{"role": "tool", "tool_call_id": i, "content": draw(st.text(max_size=5))} for i in ids]
    return [{"role": "assistant", "content": draw(st.none() | SAID), "tool_calls": made}, *results]


@given(conversations())
def test_a_conversation_survives_there_and_back(turns: list[dict[str, Any]]) -> None:
    """OpenAI to Anthropic to OpenAI keeps every role, text and tool call, in order."""
    raw = msgspec.json.encode({"model": "m", "max_tokens": 5, "messages": turns})
    there = chat_to_request(raw)
    back = msgspec.json.decode(request_to_chat(there.body, vllm=False).body)
    assert back["messages"] == turns
    assert there.losses == ()
    assert messages.understand(there.body).model == "m"


@given(completions())
def test_an_answer_survives_there_and_back(document: dict[str, Any]) -> None:
    """An engine's answer made Anthropic's and back has its text, reasoning, calls and counts."""
    there = chat_to_answer(msgspec.json.encode(document))
    back = msgspec.json.decode(answer_to_chat(there.body, created=7).body)
    message, given_message = back["choices"][0]["message"], document["choices"][0]["message"]
    assert (message["content"] or "") == (given_message["content"] or "")
    assert message.get("reasoning") == given_message["reasoning"]
    assert message.get("tool_calls", []) == given_message["tool_calls"]
    assert (back["id"], back["model"]) == (document["id"], document["model"])


SHAPED = st.builds(
    msgspec.json.encode,
    st.dictionaries(
        st.sampled_from(
            [
                *(
                    "model",
                    "max_tokens",
                    "messages",
                    "system",
                    "tools",
                    "tool_choice",
                    "thinking",
                    "output_config",
                ),
                *(
                    "metadata",
                    "stop",
                    "choices",
                    "content",
                    "usage",
                    "type",
                    "delta",
                    "message",
                    "content_block",
                ),
                *("error", "index", "id", "stream", "response_format", "stop_reason", "temperature"),
            ]
        ),
        JSON
        | st.lists(
            st.dictionaries(
                st.sampled_from(
                    ["role", "content", "type", "text", "tool_calls", "message", "delta", "name", "index"]
                ),
                JSON
                | st.sampled_from(["user", "assistant", "text", "tool_use", "image", "thinking", "function"]),
                max_size=4,
            ),
            max_size=3,
        )
        | st.sampled_from(["m", 5, "message_start", "content_block_delta", "message_delta"]),
        max_size=6,
    ),
)


UNSOUND = st.builds(
    lambda shaped, word: shaped.replace(b"null", word).replace(b"true", word),
    SHAPED,
    st.sampled_from([b"1e400", b'"\xff"', b'"\\ud800"', b"nul", b"9" * 5000]),
)


@settings(max_examples=300)
@given(st.binary(max_size=60) | SHAPED | UNSOUND)
def test_arbitrary_bytes_raise_nothing_undocumented(raw: bytes) -> None:
    """Requests raise ``RequestError``, answers ``UpstreamFault``, errors and streams nothing at all."""
    for request in (messages.understand, request_to_chat, chat_to_request):
        with contextlib.suppress(RequestError):
            request(raw)
    for answer in (chat_to_answer, lambda body: answer_to_chat(body, created=7)):
        with contextlib.suppress(UpstreamFault):
            answer(raw)
    errors.chat_error_to_messages(500, raw)
    errors.messages_error_to_chat(500, raw)
    for event in (raw, b"data: " + raw + b"\n\n"):
        assert run(ChatToStream(), [event])
        assert run(StreamToChat(created=7), [event])
