"""When compression starts, how far it goes, and what clients and failures may do about it."""

from typing import Any

import msgspec
import pytest

from pointsman.core.errors import HttpError
from pointsman.core.request import Dialect
from pointsman.plugins.compressed_text import MAX_CHARACTERS, compressed
from pointsman.plugins.compression_control import Control, Wish
from pointsman.plugins.context_compression import Budget, ContextCompression, Treatment
from pointsman.plugins.extract import NOTICE, shortened
from pointsman.plugins.terms import terms
from unit.plugins.drafts import applied, body_of, draft

FILLER = "".join(f"Step {number} went as planned and took {number} seconds.\n" for number in range(60))
NEEDLE = "The disk of node seven was full.\n"
OUTPUT = FILLER + NEEDLE + FILLER
QUESTION = "Which disk was full?"
SMALL = Budget(trigger=200, target=150)


def conversation(*outputs: str, question: str = QUESTION) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = [
        {"role": "system", "content": FILLER},
        {"role": "user", "content": question},
    ]
    for number, output in enumerate(outputs):
        call = {"id": str(number), "type": "function", "function": {"name": "logs", "arguments": "{}"}}
        turns.append({"role": "assistant", "content": None, "tool_calls": [call]})
        turns.append({"role": "tool", "tool_call_id": str(number), "content": output})
    return turns


def test_what_answers_the_question_stays() -> None:
    """Of a long output the sentence asked about is left; instructions and calls are untouched."""
    sent = conversation(OUTPUT)
    found = applied(ContextCompression(SMALL, Treatment(60)), draft(messages=sent))
    messages = body_of(found)["messages"]
    assert messages[:3] == sent[:3]
    assert messages[3]["content"].startswith(NOTICE)
    assert NEEDLE in messages[3]["content"]
    assert len(messages[3]["content"]) <= 4 * 60
    assert messages[3]["tool_call_id"] == "0"
    assert "estimated" in found.notes[0]


def test_below_the_trigger_nothing_happens() -> None:
    """A conversation that fits is forwarded as it came."""
    found = applied(ContextCompression(Budget(trigger=10**6)), draft(messages=conversation(OUTPUT)))
    assert not found.edited


def test_the_oldest_go_first_and_only_as_far_as_needed() -> None:
    """Once the whole fits its target, later outputs stay whole."""
    sent = conversation(OUTPUT, OUTPUT)
    size = len(OUTPUT) // 4
    plugin = ContextCompression(Budget(trigger=2 * size, target=2 * size), Treatment(60))
    messages = body_of(applied(plugin, draft(messages=sent)))["messages"]
    assert len(messages[3]["content"]) < len(OUTPUT)
    assert messages[5]["content"] == OUTPUT


@pytest.mark.parametrize(
    ("budget", "window", "answer", "expected"),
    [
        (Budget(), None, None, (8192, 4096)),
        (Budget(), 32000, None, (16000, 8000)),
        (Budget(trigger=30000, target=29000), 32000, 8000, (24000, 24000)),
        (Budget(trigger=30000, target=29000, reserve=2500), 32000, 8000, (29500, 29000)),
        (Budget(trigger=100, target=500), None, None, (100, 100)),
        (Budget(trigger=9000, always=True), None, None, (4500, 4500)),
        (Budget(), 100, 90, (50, 25)),
    ],
)
def test_the_budget_follows_the_window(
    budget: Budget, window: int | None, answer: int | None, expected: tuple[int, int]
) -> None:
    """What is left open comes from the model's window and the answer's length; the target never exceeds the trigger."""
    assert budget.bounds(window, answer) == expected


@pytest.mark.parametrize(
    ("header", "wish"),
    [
        ("", Wish()),
        ("bypass", Wish(bypass=True)),
        ("TARGET=500", Wish(target=500)),
        ("target=9999999, bypass", Wish(bypass=True, target=2000)),
        ("target=1", Wish(target=64)),
        ("target=-5", Wish()),
        ("target=²", Wish()),
        ("other", Wish()),
    ],
)
def test_clients_get_what_is_allowed(header: str, wish: Wish) -> None:
    """Directives are read without regard to case, bounded, and ignored when unknown or malformed."""
    control = Control("x-vsr-compression-control", frozenset({"bypass", "target"}), 2000)
    assert control.read({"x-vsr-compression-control": header}) == wish
    assert (
        Control("x-vsr-compression-control", frozenset()).read({"x-vsr-compression-control": header})
        == Wish()
    )


def test_a_client_may_opt_out_or_ask_for_longer_outputs() -> None:
    """``bypass`` forwards the body as it came; ``target`` sets the length of a tool output."""
    control = Control("x-control", frozenset({"bypass", "target"}))
    plugin = ContextCompression(SMALL, Treatment(60), control=control)
    sent = conversation(OUTPUT)
    assert not applied(plugin, draft({"x-control": "bypass"}, messages=sent)).edited
    longer = body_of(applied(plugin, draft({"x-control": "target=300"}, messages=sent)))
    assert 4 * 200 < len(longer["messages"][3]["content"]) <= 4 * 300


class Failing(ContextCompression, frozen=True):
    """Compression that cannot."""

    def compress(self, body: Any, trigger: int, target: int) -> Any:
        raise ValueError(f"{body} {trigger} {target}")


def test_a_failure_is_open_or_closed_as_the_document_says() -> None:
    """Open forwards the conversation with a note, closed answers 500."""
    sent = draft(messages=conversation(OUTPUT))
    found = applied(Failing(SMALL), sent)
    assert not found.edited
    assert found.notes == ("context compression: skipped, ValueError",)
    with pytest.raises(HttpError) as raised:
        applied(Failing(SMALL, fail_closed=True), sent)
    assert raised.value.status == 500


def test_when_time_is_up_the_rest_stays() -> None:
    """The clock is asked between messages: what it has no time for is forwarded whole."""
    moments = iter([0.0, 0.1, 99.0])
    plugin = ContextCompression(SMALL, Treatment(60), clock=lambda: next(moments))
    messages = body_of(applied(plugin, draft(messages=conversation(OUTPUT, OUTPUT))))["messages"]
    assert len(messages[3]["content"]) < len(OUTPUT)
    assert messages[5]["content"] == OUTPUT


@pytest.mark.parametrize("text", ['{"a": ' + "x. " * 500, "<html>" + "x. " * 500, "a" * 5000])
def test_what_is_not_understood_is_left_alone(text: str) -> None:
    """Broken JSON, markup and text without passages come back as they were."""
    assert compressed(text, frozenset(), 50) == text


def test_a_text_beyond_the_bound_is_left_alone() -> None:
    """Above the bound nothing is read, however long it is."""
    text = "A sentence. " * (MAX_CHARACTERS // 12 + 1)
    assert compressed(text, frozenset(), 50) == text
    assert len(compressed(text[: MAX_CHARACTERS - 1], frozenset(), 50)) < MAX_CHARACTERS


def test_chinese_is_cut_at_its_own_full_stops() -> None:
    """Sentences without spaces are told apart, and found by what they share with the question."""
    text = "".join(f"第{number}步按计划完成了。" for number in range(200)) + "七号节点的磁盘已满。"
    text += "".join(f"第{number}步也按计划完成了。" for number in range(200))
    result = shortened(text, frozenset(terms("哪个节点的磁盘满了？")), 60)
    assert "七号节点的磁盘已满。" in result
    assert len(result.encode()) <= 240


def test_other_endpoints_are_left_alone() -> None:
    """Completions have no turns to shorten."""
    sent = draft(messages=conversation(OUTPUT))
    request = msgspec.structs.replace(sent.request, dialect=Dialect.OPENAI_COMPLETIONS)
    found = applied(ContextCompression(SMALL), msgspec.structs.replace(sent, request=request))
    assert found.notes == ("context compression: not applicable to this endpoint",)
