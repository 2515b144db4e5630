"""Tools chosen by meaning: what is added, what is dropped, and what nothing touches."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from pointsman.core.errors import ConfigError
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.plugins.no_tool import lead
from pointsman.plugins.tool import Tool
from pointsman.plugins.tool_database import read_tools
from pointsman.plugins.tool_index import index_now
from pointsman.plugins.tool_ranking import Query, Ranking, Weights
from pointsman.plugins.tool_selection import MAX_OFFERED, ToolSelection
from pointsman.plugins.tools import ToolPolicy
from unit.plugins.drafts import WordEncoder, applied, body_of, draft, function

ENCODER = WordEncoder()


def known(name: str, *parts: Any) -> Tool:
    return Tool(name, *parts, definition=msgspec.Raw(msgspec.json.encode(function(name))))


KNOWN = index_now(
    [known("weather", "rain and sun", "sky", ("forecast",)), known("mail", "send letters", "office")],
    ENCODER,
)


def names(body: dict[str, Any]) -> list[str]:
    return [tool["function"]["name"] for tool in body.get("tools", [])]


def ask(text: str, **fields: Any) -> Any:
    return draft(messages=[{"role": "user", "content": text}], **fields)


def test_added_tools_come_after_the_clients_own() -> None:
    """The client's tools and their order stay; one of the same name is not added."""
    plugin = ToolSelection(ENCODER, known=KNOWN, threshold=0.2, top_k=1)
    assert names(body_of(applied(plugin, ask("rain", tools=[function("own")])))) == ["own", "weather"]
    assert not applied(plugin, ask("rain", tools=[function("weather")])).edited


def test_nothing_fitting_adds_nothing() -> None:
    """Without tools a choice among them goes; a request that had some keeps both."""
    plugin = ToolSelection(ENCODER, known=KNOWN, threshold=0.99)
    assert "tool_choice" not in body_of(applied(plugin, ask("rain", tool_choice="auto")))
    assert not applied(plugin, ask("rain", tool_choice="auto", tools=[function("own")])).edited


def test_filtering_keeps_what_is_in_use() -> None:
    """A tool that was called, or that the choice insists on, stays whatever its score."""
    offered = [function("weather", "rain"), function("called"), function("wanted"), function("idle")]
    messages = [
        {"role": "user", "content": "x"},
        {
            "role": "assistant",
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "called"}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "y"},
        {"role": "user", "content": "rain"},
    ]
    sent = draft(
        messages=messages, tools=offered, tool_choice={"type": "function", "function": {"name": "wanted"}}
    )
    body = body_of(applied(ToolSelection(ENCODER, mode="filter", threshold=0.5), sent))
    assert names(body) == ["weather", "called", "wanted"]
    assert body["tool_choice"]["function"]["name"] == "wanted"


@pytest.mark.parametrize(("empty", "left"), [(True, []), (False, ["a", "b"])])
def test_when_nothing_fits_the_document_decides(empty: bool, left: list[str]) -> None:
    """Either no tools at all, or those the request came with."""
    plugin = ToolSelection(ENCODER, mode="filter", threshold=0.99, fallback_to_empty=empty)
    assert names(body_of(applied(plugin, ask("rain", tools=[function("a"), function("b")])))) == left


def test_the_best_are_preserved_below_the_threshold() -> None:
    """``preserve`` keeps so many whatever their score."""
    plugin = ToolSelection(ENCODER, mode="filter", threshold=0.99, preserve=1)
    tools = [function("a"), function("weather", "rain rain rain"), function("b")]
    assert names(body_of(applied(plugin, ask("rain", tools=tools)))) == ["weather"]


def test_auto_concerns_only_requests_that_say_so() -> None:
    """Own tools are filtered, without any the database is searched; other choices are left alone."""
    plugin = ToolSelection(ENCODER, mode="auto", known=KNOWN, threshold=0.2, top_k=1)
    assert names(body_of(applied(plugin, ask("rain", tool_choice="auto")))) == ["weather"]
    own = [function("letters", "send"), function("drops", "rain")]
    assert names(body_of(applied(plugin, ask("rain", tools=own, tool_choice="auto")))) == ["drops"]
    assert not applied(plugin, ask("rain")).edited
    assert not applied(plugin, ask("rain", tools=own, tool_choice="required")).edited


def test_a_failing_encoder_costs_the_choice_not_the_request() -> None:
    """The request goes on with its own tools, and the trace says why."""
    plugin = ToolSelection(WordEncoder(broken=True), mode="filter", threshold=0.9)
    found = applied(plugin, ask("rain", tools=[function("a")]))
    assert not found.edited
    assert found.notes == ("tool selection: skipped, RuntimeError",)


def test_a_flood_of_tools_is_not_compared() -> None:
    """Above the bound a request keeps all its tools."""
    many = [function(f"t{number}") for number in range(MAX_OFFERED + 1)]
    found = applied(ToolSelection(ENCODER, mode="filter", threshold=0.9), ask("rain", tools=many))
    assert not found.edited
    assert str(MAX_OFFERED) in found.notes[0]


def test_the_parts_of_a_score() -> None:
    """Meaning, words, tags, name and category each rank the tool that has them first."""
    for weights, text, category in (
        (Weights(), "rain", ""),
        (Weights(embed=0, lexical=1), "rain", ""),
        (Weights(embed=0, tag=1), "forecast", ""),
        (Weights(embed=0, name=1), "weather", ""),
        (Weights(embed=0, category=1), "anything", "Sky"),
    ):
        best, other = Ranking(weights).ranked(Query(text, ENCODER.embed_now(text), category), KNOWN)
        assert best.tool.name == "weather"
        assert 0 <= other.score < best.score <= 1.001


def test_filters_come_before_scores() -> None:
    """Lists, common words and the category each leave only what they allow."""
    query = Query("send letters", ENCODER.embed_now("send letters"), "sky")

    def found(ranking: Ranking) -> list[str]:
        return [each.tool.name for each in ranking.ranked(query, KNOWN)]

    assert found(Ranking(policy=ToolPolicy(block=frozenset({"mail"})))) == ["weather"]
    assert found(Ranking(min_common_terms=1)) == ["mail"]
    assert found(Ranking(by_category=True)) == ["weather"]
    assert found(Ranking(pool=1)) == ["mail"]


def test_the_category_is_the_domain_the_signals_are_surest_of() -> None:
    """A domain below the confidence asked for is none."""
    signals = SignalSet.of([Signal(SignalKey("domain", "sky"), matched=True, confidence=0.6)])
    plugin = ToolSelection(ENCODER, known=KNOWN, ranking=Ranking(Weights(embed=0, category=1)), threshold=0.5)
    sent = draft(signals=signals)
    assert names(body_of(applied(plugin, sent))) == ["weather"]
    strict = ToolSelection(
        ENCODER, known=KNOWN, ranking=plugin.ranking, threshold=0.5, category_confidence=0.7
    )
    assert not applied(strict, sent).edited


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{}", "no list of tools"),
        ("[{}]", "no list of tools"),
        ('[{"tool": {"function": {}}}]', "no list of tools"),
        ("[" + ",".join([json.dumps({"tool": function("a")})] * 2) + "]", "two tools named 'a'"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_names_its_key(tmp_path: Path, text: str | None, complaint: str) -> None:
    """Missing, malformed and ambiguous files are the document's error, at the key that names them."""
    path = tmp_path / "tools.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=complaint) as raised:
        read_tools(str(path), "here.tools_db_path")
    assert raised.value.problems[0].path == "here.tools_db_path"


def test_the_tools_of_the_package_are_complete() -> None:
    """At least 120 tools, each with a description, category, tags and parameters an engine can read."""
    tools = read_tools("builtin:assistant", "here")
    assert len(tools) >= 120
    for tool in tools:
        written = json.loads(bytes(tool.definition))
        assert tool.description.endswith(".")
        assert tool.category
        assert tool.tags
        assert written["type"] == "function"
        parameters = written["function"]["parameters"]
        assert set(parameters.get("required", [])) <= set(parameters["properties"])


def test_the_labelled_requests_name_tools_of_the_package() -> None:
    """At least 240, half of them English and a fifth Chinese, and some that fit no tool."""
    names = {tool.name for tool in read_tools("builtin:assistant", "here")} | {"-"}
    page = Path(__file__).parents[3] / "bench" / "tool_queries.txt"
    rows = [line.split("|") for line in page.read_text().splitlines()]
    assert len(rows) >= 240
    assert all(set(tools.split(",")) <= names for _, _, tools in rows)
    assert 0.45 < sum(language == "en" for language, _, _ in rows) / len(rows) < 0.55
    assert 0.18 < sum(language == "zh" for language, _, _ in rows) / len(rows) < 0.25
    assert sum(tools == "-" for _, _, tools in rows) >= 40


def test_a_request_more_like_one_for_no_tool_gets_none() -> None:
    """The nearest tool must lead over phrases that need none by so much; what is preserved stays."""
    phrases = np.stack([ENCODER.embed_now("rain is funny")])
    text, other = "rain is funny today", "weather rain"
    assert lead(ENCODER.embed_now(text), KNOWN.vectors, phrases) < 0
    assert lead(ENCODER.embed_now(other), KNOWN.vectors, phrases) > 0
    plugin = ToolSelection(ENCODER, known=KNOWN, no_tool=phrases)
    assert not applied(plugin, ask(text)).edited
    assert names(body_of(applied(plugin, ask(other)))) == ["weather", "mail"]
    own = [function("weather", "rain"), function("idle")]
    keeping = ToolSelection(ENCODER, mode="filter", no_tool=phrases, min_lead=0.5, preserve=1)
    assert names(body_of(applied(keeping, ask(text, tools=own)))) == ["weather"]
