import msgspec
import pytest

from pointsman.core.errors import RequestError
from pointsman.core.request import Dialect, Message
from pointsman.dialects import openai_chat
from pointsman.dialects.body import parse_object
from pointsman.dialects.sse import Decoder

USER = '{"model":"MoM","messages":[{"role":"user","content":"hi"}]'


def body(text: str) -> bytes:
    return text.encode()


def test_string_content_is_read() -> None:
    """A plain string content becomes the message's text and the user's text."""
    request = openai_chat.understand(body(USER + "}"))
    assert request.messages == (Message("user", "hi"),)
    assert (request.text, request.model, request.dialect) == ("hi", "MoM", Dialect.OPENAI_CHAT)


def test_text_parts_are_joined() -> None:
    """Of a part list, the text parts are read in order and other parts are passed over."""
    parts = (
        '[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"b"}]'
    )
    request = openai_chat.understand(
        body(f'{{"model":"m","messages":[{{"role":"user","content":{parts}}}]}}')
    )
    assert request.text == "a\nb"


def test_signals_read_the_last_user_turn() -> None:
    """An assistant turn after the question does not hide the question."""
    turns = '[{"role":"user","content":"first"},{"role":"user","content":"second"},{"role":"assistant"}]'
    assert openai_chat.understand(body(f'{{"model":"m","messages":{turns}}}')).text == "second"


def test_stream_null_means_no_stream() -> None:
    """Clients that send ``stream: null`` get a plain answer, as OpenAI's API does."""
    assert openai_chat.understand(body(USER + ',"stream":null}')).stream is False


@pytest.mark.parametrize(
    ("text", "param", "says"),
    [
        ("", None, "malformed JSON"),
        ("[]", None, "expected object"),
        ('{"messages":[]}', "model", "missing required field: model"),
        ('{"model":"m"}', "messages", "missing required field: messages"),
        ('{"model":5,"messages":[]}', "model", "expected str"),
        ('{"model":"","messages":[{"role":"user"}]}', "model", "must not be empty"),
        ('{"model":"m","messages":[]}', "messages", "must not be empty"),
        ('{"model":"m","messages":{}}', "messages", "expected array"),
        ('{"model":"m","messages":[{"content":"x"}]}', "messages[0].role", "missing required field"),
        ('{"model":"m","messages":[{"role":"user","content":7}]}', "messages[0].content", "expected str"),
        (USER + ',"stream":"yes"}', "stream", "expected bool"),
        (USER + ',"stream_options":[]}', "stream_options", "expected object"),
        (USER + ',"tools":{}}', "tools", "expected array"),
        (USER + ',"metadata":{"a":1}}', "metadata", "expected a string"),
        (USER + ',"temperature":NaN}', None, "malformed JSON"),
        (USER + ',"x":' + "[" * 100_000 + "]" * 100_000 + "}", None, "nested too deeply"),
        ('{"model":"m","messages":[{"role":"user","content":"\\ud800"}]}', None, "malformed JSON"),
    ],
)
def test_a_wrong_body_is_refused_with_its_field(text: str, param: str | None, says: str) -> None:
    """Each way a body can be wrong is a 400 that names the field and says what was expected."""
    with pytest.raises(RequestError) as caught:
        openai_chat.understand(body(text))
    assert caught.value.status == 400
    assert caught.value.param == param
    assert says in caught.value.message


def test_a_system_prompt_is_prepended() -> None:
    """Without a system message, the prompt becomes the first message and the rest is kept as bytes."""
    given = parse_object(body(USER + ',"t":1.0}'))
    out = openai_chat.with_system_prompt(given, "SYS", replace=False).encode().decode()
    system = '{"role":"system","content":"SYS"}'
    assert out == f'{{"model":"MoM","messages":[{system},{{"role":"user","content":"hi"}}],"t":1.0}}'


@pytest.mark.parametrize(
    ("content", "replace", "expected"),
    [
        ('"old"', False, "SYS\n\nold"),
        ('"old"', True, "SYS"),
        ("null", False, "SYS"),
        (
            '[{"type":"text","text":"old"}]',
            False,
            [{"type": "text", "text": "SYS"}, {"type": "text", "text": "old"}],
        ),
        ('[{"type":"text","text":"old"}]', True, "SYS"),
    ],
)
def test_a_system_prompt_meets_the_clients_own(content: str, replace: bool, expected: object) -> None:
    """Inserting puts the prompt before the client's text; replacing drops that text; other keys stay."""
    raw = f'{{"model":"m","messages":[{{"role":"system","name":"n","content":{content}}},{{"role":"user"}}]}}'
    out = openai_chat.with_system_prompt(parse_object(body(raw)), "SYS", replace=replace)
    first, second = out.get("messages")
    assert first == {"role": "system", "name": "n", "content": expected}
    assert second == {"role": "user"}


def test_an_answer_as_json_is_a_chat_completion() -> None:
    """A canned answer has the shape of a finished completion, with no tokens used."""
    reply = openai_chat.answer("no", stream=False, created=7, headers={"x": "y"})
    document = msgspec.json.decode(reply.body)
    assert (reply.status, reply.headers["x"], document["id"]) == (200, "y", "chatcmpl-fast-7")
    assert document["choices"][0]["message"]["content"] == "no"
    assert document["usage"]["total_tokens"] == 0


def test_an_answer_as_a_stream_adds_up() -> None:
    """A streamed canned answer is valid SSE whose deltas join to the text and that ends with [DONE]."""
    text = "  two  spaces and 汉字 "
    reply = openai_chat.answer(text, stream=True, created=7, headers={})
    events = Decoder().feed(reply.body)
    assert events[-1] == b"[DONE]"
    chunks = [msgspec.json.decode(event) for event in events[:-1]]
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == text
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
