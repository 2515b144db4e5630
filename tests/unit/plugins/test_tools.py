"""Which tools reach the model, and what refers to them."""

from typing import Any

import msgspec
import pytest

from pointsman.core.request import Dialect
from pointsman.dialects.body import parse_object
from pointsman.plugins.tool import offered
from pointsman.plugins.tool_choice import with_tools
from pointsman.plugins.tools import ToolPolicy, Tools
from unit.plugins.drafts import applied, body_of, draft, function

BLOCK_B = Tools("filtered", ToolPolicy(block=frozenset({"b"})))


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ("auto", "auto"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "a"}}),
        ({"type": "function", "function": {"name": "b"}}, "auto"),
        ({"type": "custom", "custom": {"name": "b"}}, "auto"),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [function("a"), function("b")]},
            },
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [function("a")]}},
        ),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [function("b")]}}, "auto"),
    ],
)
def test_a_choice_that_names_a_removed_tool_leaves_the_choice(choice: Any, left: Any) -> None:
    """Other choices stay to the letter."""
    body = body_of(applied(BLOCK_B, draft(tools=[function("a"), function("b")], tool_choice=choice)))
    assert body["tools"] == [function("a")]
    assert body["tool_choice"] == left


def test_without_tools_nothing_refers_to_them() -> None:
    """When the last tool goes, choice and parallelism go as well."""
    sent = draft(tools=[function("b")], tool_choice="required", parallel_tool_calls=True)
    assert set(body_of(applied(BLOCK_B, sent))) == {"model", "messages"}


def test_mode_none_takes_the_older_functions_too() -> None:
    """Both spellings of tools go; a request without any is not touched."""
    sent = draft(functions=[{"name": "a"}], function_call="auto", tools=[function("a")])
    assert set(body_of(applied(Tools("none"), sent))) == {"model", "messages"}
    assert not applied(Tools("none"), draft()).edited


def test_older_functions_pass_the_same_lists() -> None:
    """``functions`` and ``function_call`` are held to the lists as ``tools`` is."""
    sent = draft(functions=[{"name": "a"}, {"name": "b"}], function_call={"name": "b"})
    body = body_of(applied(BLOCK_B, sent))
    assert body["functions"] == [{"name": "a"}]
    assert body["function_call"] == "auto"
    assert "functions" not in body_of(applied(BLOCK_B, draft(functions=[{"name": "b"}])))


def test_a_tool_of_an_unknown_kind_passes_no_list_of_allowed_ones() -> None:
    """Hosted tools go by their type."""
    sent = draft(tools=[{"type": "web_search"}, {"type": "function", "function": {"name": "a"}}, {}])
    allow = Tools("filtered", ToolPolicy(allow=frozenset({"web_search"})))
    assert body_of(applied(allow, sent))["tools"] == [{"type": "web_search"}]


def test_history_keeps_what_was_said_beside_a_call() -> None:
    """Calls and results go, messages that would be empty go, the rest stays in order."""
    call = [{"id": "1", "type": "function", "function": {"name": "a", "arguments": "{}"}}]
    messages = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "Let me look.", "tool_calls": call},
        {"role": "tool", "tool_call_id": "1", "content": "r"},
        {"role": "assistant", "content": None, "tool_calls": call},
        {"role": "function", "name": "a", "content": "r"},
        {"role": "assistant", "content": "Done."},
    ]
    found = applied(Tools("none", strip_history=True), draft(messages=messages))
    assert body_of(found)["messages"] == [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "Let me look."},
        {"role": "assistant", "content": "Done."},
    ]


def test_anthropics_tools_go_by_their_own_names() -> None:
    """The lists hold for Anthropic's format, whose free choice is spelt differently."""
    body = parse_object(
        msgspec.json.encode(
            {"tools": [{"name": "a"}, {"name": "b"}], "tool_choice": {"type": "tool", "name": "b"}}
        )
    )
    kept = [tool for tool in offered(body) if tool.name == "a"]
    assert with_tools(body, kept, Dialect.ANTHROPIC_MESSAGES).get("tool_choice") == {"type": "auto"}


def test_other_endpoints_are_left_alone() -> None:
    """Completions and embeddings have no tools."""
    sent = draft()
    request = msgspec.structs.replace(sent.request, dialect=Dialect.OPENAI_EMBEDDINGS)
    found = applied(BLOCK_B, msgspec.structs.replace(sent, request=request))
    assert found.notes == ("tools: not applicable to this endpoint",)
