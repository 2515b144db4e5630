"""Families that read the form of a request: context, structure, event, conversation, metadata, authz."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pointsman.config.document import Settings
from pointsman.config.signals import FAMILY_KEYS, Signals
from pointsman.core.errors import ConfigError
from pointsman.core.request import ChatRequest, Dialect, Identity, Message
from pointsman.core.signal import Signal, SignalKey
from pointsman.signals.context import estimate
from pointsman.signals.event import URGENT
from pointsman.signals.observe import observe
from pointsman.signals.table import Dependencies, build_evaluators
from pointsman.signals.words import MAX_CHARACTERS


def look(family: str, rule: Mapping[str, Any], request: ChatRequest | str) -> Signal:
    """The signal of one rule of the document, built as a document's are."""
    if isinstance(request, str):
        request = conversation(Message("user", request))
    signals = Signals.model_validate({FAMILY_KEYS[family]: [{"name": "rule", **rule}]})
    key = SignalKey(family, rule.get("role", "rule"))
    dependencies = Dependencies(None, Settings(version="v0.3"))  # type: ignore[arg-type]  # none of these families encodes
    found = asyncio.run(observe(build_evaluators(signals, {key}, dependencies), request, timeout_s=5.0))
    return found.get(key)


def conversation(*messages: Message, **rest: Any) -> ChatRequest:
    return ChatRequest(Dialect.OPENAI_CHAT, "MoM", messages, b"", **rest)


def feature(
    kind: str, source: str, predicate: Mapping[str, float] | None = None, **rest: Any
) -> dict[str, Any]:
    """A rule with a feature."""
    rule: dict[str, Any] = {"feature": {"type": kind, "source": {"type": source, **rest}}}
    return rule | ({"predicate": predicate} if predicate else {})


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("abcd", 1),
        ("abcde", 2),
        ("你好", 2),
        ("你好 hello", 4),
        ("naïve", 2),
        ("\ud800" * 4, 1),
        ("\U00020000", 1),
    ],
)
def test_tokens_are_estimated_by_script(text: str, tokens: int) -> None:
    """Four bytes are a token, and so is each Chinese character."""
    assert estimate([text]) == tokens


def test_a_context_rule_is_a_range_over_all_messages() -> None:
    """Both ends are included, 1K is a thousand, and every message counts."""
    rule = {"min_tokens": "1K", "max_tokens": 2000}
    for each, matched in ((499.5, False), (500, True), (1000, True), (1000.25, False)):
        turns = [Message(role, "x" * int(each * 4)) for role in ("system", "user")]
        signal = look("context", rule, conversation(*turns))
        assert (signal.matched, signal.confidence) == (matched, float(matched))
    assert look("context", {"min_tokens": 0}, "").matched


QUESTIONS = {"pattern": "[?？]"}


@pytest.mark.parametrize(
    ("rule", "text", "matched"),
    [
        (feature("count", "regex", {"gte": 2}, **QUESTIONS), "why? 为什么？", True),
        (feature("count", "regex", {"gte": 2}, **QUESTIONS), "why?", False),
        (feature("count", "regex", {"lte": 1}, **QUESTIONS), "why", True),
        (feature("exists", "regex", pattern=r"(?m)^\s*\d+\.\s+"), "do\n1. this", True),
        (feature("exists", "regex", pattern=r"(?m)^\s*\d+\.\s+"), "do 1. this", False),
        (feature("exists", "regex", pattern="STEP"), "step", True),
        (feature("exists", "regex", pattern="STEP", case_sensitive=True), "step", False),
        (
            feature("count", "keyword_set", {"gte": 3}, keywords=["at most", "至少"]),
            "at most at most 至少",
            True,
        ),
        (feature("count", "keyword_set", {"gte": 1}, keywords=["under"]), "understand blunder", False),
        (
            feature("density", "keyword_set", {"gte": 0.25}, keywords=["under"]),
            "under two, please (soon)",
            True,
        ),
        (
            feature("density", "keyword_set", {"gt": 0.25}, keywords=["under"]),
            "under two, please (soon)",
            False,
        ),
        (feature("density", "keyword_set", {"gte": 0.2, "lte": 0.2}, keywords=["至少"]), "至少写三行", True),
        (feature("density", "regex", {"lt": 0.05}, **QUESTIONS), "", True),
        (feature("density", "regex", {"lt": 0.05}, **QUESTIONS), "why?", False),
        (
            feature("sequence", "sequence", sequences=[["first", "then"], ["先", "再"]]),
            "First wash, then dry",
            True,
        ),
        (feature("sequence", "sequence", sequences=[["first", "then"], ["先", "再"]]), "请先洗再晾", True),
        (feature("sequence", "sequence", sequences=[["first", "then"]]), "then do it first", False),
        (feature("sequence", "sequence", {"gte": 2}, sequences=[["a", "b"], ["b", "c"]]), "a b c", True),
        (feature("count", "text_bytes", {"gte": 6, "lte": 6}), "你好", True),
        (feature("count", "text_bytes", {"gt": 6}), "你好", False),
    ],
)
def test_the_form_of_a_text_is_measured(rule: Mapping[str, Any], text: str, *, matched: bool) -> None:
    """A feature is a number and the predicate bounds it; unwritten, more than nothing matches."""
    signal = look("structure", rule, text)
    assert (signal.matched, signal.confidence, signal.error) == (matched, float(matched), "")


def test_of_a_long_text_occurrences_are_counted_at_its_ends() -> None:
    """The middle of a text longer than what is read is not counted, though its bytes are."""
    text = "?" * MAX_CHARACTERS * 2
    exactly = {"gte": MAX_CHARACTERS, "lte": MAX_CHARACTERS}
    assert look("structure", feature("count", "regex", exactly, pattern="[?]"), text).matched
    assert look("structure", feature("count", "text_bytes", {"gte": len(text)}), text).matched


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        (feature("density", "sequence", sequences=[["a"]]), "type"),
        (feature("exists", "text_bytes"), "type"),
        (feature("sequence", "regex", pattern="a"), "type"),
        (feature("count", "keyword_set"), "keywords"),
        (feature("exists", "regex"), "pattern"),
        (feature("sequence", "sequence", sequences=[[]]), "sequences"),
    ],
)
def test_features_without_a_measure_are_refused(rule: Mapping[str, Any], key: str) -> None:
    """A feature its source does not have, or a source of nothing, is an error at its place."""
    with pytest.raises(ConfigError, match=rf"routing\.signals\.structure\[0\]\.feature\.source\.{key}"):
        look("structure", rule, "x")


PAYMENT = {
    "event_types": ["payment_failed"],
    "severities": ["critical", "high"],
    "action_codes": ["TXN_DECLINE"],
    "temporal": True,
}


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ('{"type":"payment_failed","severity":"low"}', 0.625),
        ("PAYMENT_FAILED, high", 0.75),
        ("payment_failed high TXN_DECLINE", 0.875),
        ("payment_failed high TXN_DECLINE, 请尽快处理", 1.0),
        ("highly unlikely: payment_failed_once", 0.0),
    ],
)
def test_events_are_as_sure_as_criteria_are_met(text: str, confidence: float) -> None:
    """One criterion suffices; confidence is a half and half the share of criteria met."""
    signal = look("event", PAYMENT, text)
    assert (signal.matched, signal.confidence) == (confidence > 0, confidence)


@pytest.mark.parametrize("word", URGENT)
def test_each_word_of_urgency_counts(word: str) -> None:
    """Every word listed is found, and one criterion of one is certain."""
    assert look("event", {"temporal": True}, f"do it {word.upper()}!").confidence == 1.0
    assert not look("event", {"event_types": ["x"]}, word).matched


def test_an_event_of_nothing_is_refused() -> None:
    """A rule without criteria would never match."""
    with pytest.raises(ConfigError, match=r"routing\.signals\.events\[0\]"):
        look("event", {}, "x")


CALL = Message("assistant", "", ("search", "fetch"))
ANSWER = Message("tool", "found")
USER = Message("user", "hi", images=2)


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        (("message", {}), 5),
        (("message", {"role": "user"}), 1),
        (("message", {"role": "non_user"}), 4),
        (("message", {"role": "developer"}), 0),
        (("tool_definition", {}), 3),
        (("assistant_tool_call", {}), 2),
        (("assistant_tool_cycle", {}), 2),
        (("image_content", {}), 2),
    ],
)
def test_a_conversations_parts_are_counted(rule: tuple[str, dict[str, str]], count: int) -> None:
    """Each source has its number, and exists asks whether there is any."""
    source, rest = rule
    request = conversation(Message("system", ""), USER, CALL, ANSWER, ANSWER, tools=("a", "b", "c"))
    assert look(
        "conversation", feature("count", source, {"gte": count, "lte": count}, **rest), request
    ).matched
    assert not look("conversation", feature("count", source, {"gt": count}, **rest), request).matched
    assert look("conversation", feature("exists", source, **rest), request).matched is (count > 0)


@pytest.mark.parametrize(
    ("messages", "active"),
    [
        ((USER,), False),
        ((), False),
        ((USER, CALL, ANSWER, ANSWER), True),
        ((USER, CALL, ANSWER, ANSWER, Message("assistant", "done")), False),
        ((USER, CALL, ANSWER, ANSWER, USER), True),
        ((USER, CALL, ANSWER, ANSWER, Message("assistant", "done"), USER), False),
        ((USER, CALL, ANSWER, Message("assistant", "well")), True),
    ],
)
def test_a_tool_loop_is_active_until_it_is_answered(messages: tuple[Message, ...], *, active: bool) -> None:
    """It is while a tool spoke last or just before the user, or a call has no answer."""
    signal = look("conversation", feature("exists", "active_tool_loop"), conversation(*messages))
    assert signal.matched is active


def test_only_messages_have_roles() -> None:
    """A role of anything else would silently mean nothing."""
    with pytest.raises(ConfigError, match=r"conversation\[0\]\.feature\.source\.role"):
        look("conversation", feature("count", "image_content", role="user"), "x")


@pytest.mark.parametrize(
    ("predicate", "values"),
    [
        ({"equals": "eu"}, {"eu"}),
        ({"in": ["eu", "us"]}, {"eu", "us"}),
        ({"exists": True}, {"eu", "us", ""}),
        ({"exists": False}, {None}),
        ({"exists": True, "in": ["gb", "us"]}, {"us"}),
    ],
)
def test_metadata_is_compared(predicate: dict[str, Any], values: set[str | None]) -> None:
    """All that a predicate sets must hold; a missing key equals nothing."""
    for value in ("eu", "us", "", None):
        metadata = {} if value is None else {"region": value}
        request = conversation(USER, metadata=metadata)
        signal = look("metadata", {"key": "region", "predicate": predicate}, request)
        assert signal.matched is (value in values)
        assert value not in {"eu", "us"} or value not in signal.detail.split()


def test_metadata_of_nothing_is_refused() -> None:
    """A predicate that sets nothing would match every request."""
    with pytest.raises(ConfigError, match=r"metadata\[0\]\.predicate"):
        look("metadata", {"key": "region", "predicate": {}}, "x")


def test_roles_name_no_user_in_their_detail() -> None:
    """What is shown says by what a role is held, and never who holds it."""
    binding = {
        "role": "admin",
        "subjects": [{"kind": "User", "name": "ann"}, {"kind": "Group", "name": "ops"}],
    }
    for identity, detail in (
        (Identity("ann", ("ops",)), "user"),
        (Identity("bob", ("x", "ops")), "group ops"),
    ):
        signal = look("authz", binding, conversation(USER, identity=identity))
        assert (signal.matched, signal.detail) == (True, detail)
    assert not look("authz", binding, conversation(USER, identity=Identity("ops", ("ann",)))).matched
    assert look("authz", binding, conversation(USER, identity=Identity("", ("ops",)))).error
