"""Compression over any conversation: what it may change, and what it never does."""

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.tokens import estimate_tokens
from pointsman.dialects.body import parse_object
from pointsman.plugins.compressed_text import compressed
from pointsman.plugins.context_compression import ContextCompression, Treatment
from pointsman.plugins.extract import shortened
from pointsman.plugins.passages import passages
from pointsman.plugins.terms import terms

Sentence = st.sampled_from(
    [
        "The build failed with error 42. ",
        "Nothing happened here.\n",
        "部署在周五失败了。",
        "原因是磁盘已满！",
        "Why? Because the disk was full.\n\n",
        "- an item\n",
        "```python\nprint('x. y. z.')\n```\n",
        "~~~\n",
        "| a | b |\n",
        '"Quoted." ',
        "word " * 30,
        "x" * 200,
        "\r\n",
        "\t",
        "é ü. ",
    ]
)
Prose = st.lists(Sentence, max_size=40).map("".join)
Strange = st.text(max_size=200)
Data = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | Prose,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
Text = Prose | Strange | Data.map(json.dumps) | Data.map(lambda value: json.dumps(value, ensure_ascii=False))
Content = Text | st.lists(
    Text.map(lambda text: {"type": "text", "text": text})
    | st.just({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}),
    max_size=3,
)
Message = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool"]), "content": Content}
)
QUESTION = frozenset(terms("Why did the build fail?"))


@given(Text, st.integers(1, 200))
def test_a_text_never_grows_and_is_shortened_once(text: str, target: int) -> None:
    """The result is never longer, and shortening it again changes nothing."""
    once = compressed(text, QUESTION, target)
    assert len(once) <= len(text)
    assert compressed(once, QUESTION, target) == once


@given(Prose, st.integers(20, 200))
def test_prose_reaches_its_target_unless_code_is_longer(text: str, target: int) -> None:
    """What is left without its code fits into the target, or nothing could be left out."""
    once = shortened(text, QUESTION, target)
    assert once == text or estimate_tokens(once) <= target


@given(Strange | Prose)
def test_passages_are_the_whole_text(text: str) -> None:
    """Nothing is lost or changed where nothing is left out."""
    assert "".join(piece.text for piece in passages(text)) == text


@given(Prose, st.integers(1, 200))
def test_code_is_kept_to_the_letter(text: str, target: int) -> None:
    """Every line of every block of code survives, in order."""

    def code(of: str) -> list[str]:
        return [piece.text for piece in passages(of) if piece.code]

    assert code(shortened(text, QUESTION, target)) == code(text)


@given(Data, st.integers(1, 200))
def test_json_stays_json_of_the_same_shape(value: Any, target: int) -> None:
    """Keys, numbers and order stay; only strings become shorter."""
    text = json.dumps([value])
    result = json.loads(compressed(text, QUESTION, target))

    def shape(of: Any) -> Any:
        if isinstance(of, dict):
            return [(key, shape(each)) for key, each in of.items()]
        if isinstance(of, list):
            return [shape(each) for each in of]
        return "text" if isinstance(of, str) else of

    assert shape(result) == shape([value])


@settings(max_examples=200)
@given(st.lists(Message, min_size=1, max_size=8), st.integers(1, 400), st.integers(1, 400))
def test_a_conversation_keeps_its_roles_instructions_and_question(
    messages: list[dict[str, Any]], trigger: int, target: int
) -> None:
    """Roles, order, instructions, the last user turn and pictures stay; doing it again changes nothing."""
    plugin = ContextCompression(tool_outputs=Treatment(60), history=Treatment(30))
    body = parse_object(msgspec.json.encode({"model": "m", "messages": messages}))
    after, size_before, size_after = plugin.compress(body, max(trigger, target), target)
    result = after.get("messages")
    assert size_after <= size_before
    assert [message["role"] for message in result] == [message["role"] for message in messages]
    last = max((at for at, message in enumerate(messages) if message["role"] == "user"), default=-1)
    for at, (old, new) in enumerate(zip(messages, result, strict=True)):
        if old["role"] in {"system", "developer"} or at == last:
            assert new == old
        assert len(json.dumps(new, ensure_ascii=False)) <= len(json.dumps(old, ensure_ascii=False))
        if isinstance(old["content"], list):
            kinds = [part["type"] for part in old["content"]]
            assert [part["type"] for part in new["content"]] == kinds
    again, _, size_again = plugin.compress(after, max(trigger, target), target)
    assert size_again == size_after
    assert again.get("messages") == result
