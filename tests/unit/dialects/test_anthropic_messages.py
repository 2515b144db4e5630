from typing import Any

import msgspec
import pytest

from pointsman.core.errors import Overloaded, RequestError, Unavailable
from pointsman.core.request import Dialect, Message
from pointsman.dialects.anthropic import errors, messages
from pointsman.dialects.anthropic.loss import Loss, Losses, Reason, Severity, header_value
from pointsman.dialects.body import parse_object

HI = {"role": "user", "content": "hi"}


def body(**fields: Any) -> bytes:
    given = {"model": "MoM", "max_tokens": 16, "messages": [HI], **fields}
    return msgspec.json.encode({key: value for key, value in given.items() if value is not ...})


def test_a_request_is_understood() -> None:
    """Model, text, stream and the user's id are read; the body is kept as it came."""
    raw = body(stream=True, metadata={"user_id": "u1"})
    request = messages.understand(raw)
    assert request.dialect is Dialect.ANTHROPIC_MESSAGES
    assert (request.model, request.text, request.stream, request.user) == ("MoM", "hi", True, "u1")
    assert request.raw == raw


@pytest.mark.parametrize(
    ("system", "text"), [("S", "S"), ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb")]
)
def test_system_text_leads(system: Any, text: str) -> None:
    """System text, as a string or as blocks, becomes one leading system message."""
    assert messages.understand(body(system=system)).messages[0] == Message("system", text)


def test_an_empty_system_is_none() -> None:
    """An empty system text adds no message."""
    assert messages.understand(body(system="")).messages == (Message("user", "hi"),)


def test_text_blocks_are_joined_and_others_passed_over() -> None:
    """Signals read the text around images, documents and blocks of types not known yet."""
    content = [
        {"type": "text", "text": "a"},
        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
        {"type": "from_the_future", "content": {"text": 7}},
        {"type": "text", "text": "b"},
    ]
    assert messages.understand(body(messages=[{"role": "user", "content": content}])).text == "a\nb"


def test_a_tool_result_is_not_the_question() -> None:
    """What a tool answered is a turn of role ``tool``: the user's own words stay what signals read."""
    call = {"type": "tool_use", "id": "t1", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "42"}]}
    turns = [HI, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    request = messages.understand(body(messages=turns))
    assert request.messages == (Message("user", "hi"), Message("assistant", ""), Message("tool", "42"))
    assert request.text == "hi"


def test_words_beside_a_tool_result_are_the_users() -> None:
    """A turn with a result and text is both: the tool's answer, then the user's words."""
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "42"}
    turn = {"role": "user", "content": [result, {"type": "text", "text": "and now?"}]}
    request = messages.understand(body(messages=[turn]))
    assert request.messages == (Message("tool", "42"), Message("user", "and now?"))


def blocks(*given: Any) -> list[Any]:
    return [{"role": "user", "content": list(given)}]


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"model": ...}, "model", "missing required field: model"),
        ({"model": ""}, "model", "must not be empty"),
        ({"max_tokens": ...}, "max_tokens", "missing required field: max_tokens"),
        ({"max_tokens": 0}, "max_tokens", "at least 1"),
        ({"max_tokens": "9"}, "max_tokens", "expected int"),
        ({"messages": ...}, "messages", "missing required field: messages"),
        ({"messages": []}, "messages", "must not be empty"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role", "invalid enum value 'tool'"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing required field"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "expected"),
        ({"messages": blocks({"text": "x"})}, "messages[0].content[0].type", "missing required field"),
        ({"messages": blocks({"type": 1})}, "messages[0].content[0].type", "expected str"),
        ({"messages": blocks({"type": "text"})}, "messages[0].content[0].text", "missing required field"),
        ({"messages": blocks("x")}, "messages[0].content[0]", "expected object"),
        (
            {"messages": blocks({"type": "image", "source": {"type": "smell"}})},
            "messages[0].content[0].source.type",
            "invalid value 'smell'",
        ),
        (
            {"messages": blocks({"type": "tool_use", "id": "1", "name": "f", "input": []})},
            "messages[0].content[0].input",
            "expected object",
        ),
        (
            {"messages": blocks({"type": "tool_result"})},
            "messages[0].content[0].tool_use_id",
            "missing required field",
        ),
        ({"system": 5}, "system", "expected"),
        (
            {"system": [{"type": "image", "source": {"type": "url", "url": "u"}}]},
            "system[0].type",
            "only text",
        ),
        ({"stop_sequences": "x"}, "stop_sequences", "expected array"),
        ({"metadata": {"user_id": 5}}, "metadata.user_id", "expected str"),
        ({"stream": "yes"}, "stream", "expected bool"),
    ],
)
def test_a_wrong_body_is_refused_with_its_field(fields: dict[str, Any], param: str, says: str) -> None:
    """Each way a body can be wrong is a 400 that names the field and says what was expected."""
    with pytest.raises(RequestError) as caught:
        messages.understand(body(**fields))
    assert (caught.value.status, caught.value.param) == (400, param)
    assert says in caught.value.message
    assert param in caught.value.message


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"model":"\xff"}', b"[" * 100_000])
def test_what_is_not_a_json_object_is_refused(raw: bytes) -> None:
    """Broken JSON, broken UTF-8 and bottomless nesting are 400s."""
    with pytest.raises(RequestError):
        messages.understand(raw)


def test_turns_need_not_alternate() -> None:
    """Two user turns in a row are two messages."""
    assert len(messages.understand(body(messages=[HI, HI])).messages) == 2


@pytest.mark.parametrize(
    ("system", "replace", "expected"),
    [
        (..., False, "P"),
        (None, False, "P"),
        ("", False, "P"),
        ("S", False, "P\n\nS"),
        ("S", True, "P"),
        (
            [{"type": "text", "text": "S"}],
            False,
            [{"type": "text", "text": "P"}, {"type": "text", "text": "S"}],
        ),
    ],
)
def test_a_system_prompt_is_put_first(system: Any, replace: bool, expected: Any) -> None:
    """A prompt goes before the client's system text, or replaces it."""
    given = parse_object(body(system=system))
    assert messages.with_system_prompt(given, "P", replace=replace).get("system") == expected


def test_an_answer_of_our_own() -> None:
    """The router's own answer is a finished message with no tokens counted."""
    reply = messages.answer("a b", stream=False, created=7, headers={"x": "y"})
    document = msgspec.json.decode(reply.body)
    assert (reply.status, reply.headers["x"]) == (200, "y")
    assert document["content"] == [{"type": "text", "text": "a b"}]
    assert (document["id"], document["stop_reason"]) == ("msg_fast_7", "end_turn")


def test_an_answer_of_our_own_as_a_stream() -> None:
    """As a stream it is one text block in pieces that join to the text."""
    reply = messages.answer("a  b", stream=True, created=7, headers={})
    names = [line[7:] for line in reply.body.decode().splitlines() if line.startswith("event: ")]
    events = [msgspec.json.decode(line[6:]) for line in reply.body.splitlines() if line.startswith(b"data: ")]
    assert [event["type"] for event in events] == names
    assert (names[0], names[-1]) == ("message_start", "message_stop")
    pieces = [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"]
    assert "".join(pieces) == "a  b"


def test_our_errors_in_anthropics_shape() -> None:
    """Our own errors keep status and headers, and say their type in Anthropic's words."""
    reply = errors.error_reply(Overloaded("slow down", retry_after=3))
    assert (reply.status, reply.headers["retry-after"]) == (429, "3")
    assert msgspec.json.decode(reply.body) == {
        "type": "error",
        "error": {"type": "rate_limit_error", "message": "slow down"},
    }
    gone = msgspec.json.decode(errors.error_reply(Unavailable("no")).body)
    assert gone["error"]["type"] == "overloaded_error"


@pytest.mark.parametrize(
    ("status", "out", "kind"),
    [
        (400, 400, "invalid_request_error"),
        (401, 401, "authentication_error"),
        (403, 403, "permission_error"),
        (404, 404, "not_found_error"),
        (413, 413, "request_too_large"),
        (422, 422, "invalid_request_error"),
        (429, 429, "rate_limit_error"),
        (500, 500, "api_error"),
        (502, 502, "api_error"),
        (503, 529, "overloaded_error"),
        (504, 504, "timeout_error"),
    ],
)
def test_an_engines_error_for_an_anthropic_client(status: int, out: int, kind: str) -> None:
    """The status chooses Anthropic's type; a 503 is its 529."""
    error = errors.chat_error_to_messages(status, b'{"error":{"message":"no","type":"X","code":1}}')
    assert error.status == out
    assert msgspec.json.decode(error.body) == {"type": "error", "error": {"type": kind, "message": "no"}}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"object":"error","message":"old shape","code":400}', "old shape"),
        (b'{"error":"just text"}', "just text"),
        (b"upstream connect error\n", "upstream connect error"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", "the upstream answered 400 without a message"),
        (b'{"error":{"message":5}}', "the upstream answered 400 without a message"),
        (b"x" * 9000, "x" * errors.MAX_MESSAGE),
    ],
)
def test_any_error_body_has_a_message(raw: bytes, message: str) -> None:
    """Older shapes, plain text and silence all become an error with a message of bounded length."""
    error = msgspec.json.decode(errors.chat_error_to_messages(400, raw).body)
    assert error["error"]["message"] == message


@pytest.mark.parametrize(
    ("status", "kind", "out", "chat_kind"),
    [
        (400, "invalid_request_error", 400, "invalid_request_error"),
        (413, "request_too_large", 413, "invalid_request_error"),
        (429, "rate_limit_error", 429, "rate_limit_error"),
        (500, "api_error", 500, "internal_error"),
        (529, "overloaded_error", 503, "service_unavailable"),
    ],
)
def test_a_providers_error_for_an_openai_client(status: int, kind: str, out: int, chat_kind: str) -> None:
    """Anthropic's types become the ones this gateway uses; its 529 is a 503."""
    raw = msgspec.json.encode({"type": "error", "error": {"type": kind, "message": "no"}})
    error = errors.messages_error_to_chat(status, raw)
    assert error.status == out
    assert msgspec.json.decode(error.body) == {
        "error": {"message": "no", "type": chat_kind, "param": None, "code": out}
    }


def test_losses_as_a_header() -> None:
    """Each loss is ``severity;reason;field``; what a header cannot hold is replaced."""
    losses = Losses()
    losses.lossy(Reason.TOP_K, "top_k")
    losses.info(Reason.DROPPED, "metadata.é, x")
    losses.lossy(Reason.TOP_K, "top_k")
    assert header_value(losses.all()) == "lossy;top_k_drop_on_openai_backend;top_k,info;dropped;metadata.___x"
    assert str(losses.all()[0]) == "lossy;top_k_drop_on_openai_backend;top_k"


def test_a_long_header_says_how_much_is_missing() -> None:
    """The header stays within its bound and counts the entries it leaves out."""
    losses = [Loss(Severity.LOSSY, Reason.DROPPED, f"field{index}") for index in range(1000)]
    value = header_value(losses, limit=200)
    entries = value.split(",")
    assert len(value) <= 200
    assert entries[-1] == f"info;warnings_truncated;{1000 - (len(entries) - 1)}"
