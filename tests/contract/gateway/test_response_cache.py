"""The tutorial's caches through the real Envoy, with the clients people use."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
import yaml

from support.gateway import Engine, Gateway, http, start_gateway

pytestmark = pytest.mark.envoy

TUTORIAL = Path(__file__).parents[2] / "unit" / "config" / "documents" / "tutorial.yaml"


def _tutorial(document: dict[str, Any], engines: list[Engine]) -> None:
    """The tutorial's document; only addresses are changed."""
    written = yaml.safe_load(TUTORIAL.read_text())["config"]
    written["listeners"] = document["listeners"]
    written["providers"]["models"][0]["backend_refs"] = [
        {"name": engine.name, "endpoint": f"127.0.0.1:{engine.port}", "weight": 1} for engine in engines
    ]
    document.clear()
    document.update(written)


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory, engines: list[Engine]) -> Iterator[Gateway]:
    """A gateway with the tutorial's document."""
    running = start_gateway(
        tmp_path_factory.mktemp("tutorial"), engines, lambda document: _tutorial(document, engines)
    )
    yield running
    assert running.process.stop() == 0, running.process.text()[-4000:]


def ask(gateway: Gateway, text: str, **more: Any) -> Any:
    """The answer and its headers, through OpenAI's client."""
    return gateway.client().chat.completions.with_raw_response.create(
        model="MoM", messages=[{"role": "user", "content": text}], **more
    )


def told(gateway: Gateway, text: str, **more: Any) -> tuple[list[Any], Any]:
    """The chunks of a stream and its headers."""
    raw = ask(gateway, text, stream=True, **more)
    return list(raw.parse()), raw.headers


def requests(engines: list[Engine]) -> int:
    """How many the engines have had."""
    found = 0
    for engine in engines:
        page = http(f"{engine.url}/metrics").body.decode()
        found += sum(
            int(float(line.split()[-1]))
            for line in page.splitlines()
            if line.startswith("vllm:request_success_total")
        )
    return found


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        ("psychology_decision", "What is classical conditioning in psychology?"),
        ("health_decision", "What are the symptoms of influenza in adults?"),
        ("general_decision", "Who wrote the national anthem of Iceland?"),
    ],
)
def test_the_tutorials_caches_hit_for_clients_nobody_knows(
    tutorial: Gateway, engines: list[Engine], decision: str, text: str
) -> None:
    """The second time the three caching decisions answer without an engine, and say with whom they share."""
    first = ask(tutorial, text)
    assert first.headers["x-vsr-selected-decision"] == decision
    assert first.headers["x-vsr-response-path"] == "upstream"
    assert "x-vsr-cache-hit" not in first.headers
    before = requests(engines)
    second = ask(tutorial, text)
    assert second.headers["x-vsr-cache-hit"] == "true"
    assert second.headers["x-vsr-response-path"] == "cache"
    assert second.headers["x-vsr-cache-scope"] == "anonymous"
    assert second.headers["x-vsr-selected-decision"] == decision
    assert requests(engines) == before
    one, two = first.parse(), second.parse()
    assert two.choices[0].message.content == one.choices[0].message.content
    assert two.usage == one.usage
    assert two.id != one.id


def test_an_answer_kept_from_json_is_streamed(tutorial: Gateway) -> None:
    """OpenAI's client reads the replayed stream: the same text, one end, and the counts when it asks for them."""
    text = "How does operant conditioning shape behaviour in psychology?"
    whole = ask(tutorial, text).parse()
    chunks, headers = told(tutorial, text, stream_options={"include_usage": True})
    assert headers["x-vsr-cache-hit"] == "true"
    assert headers["content-type"].startswith("text/event-stream")
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == whole.choices[0].message.content
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == [
        "stop"
    ]
    assert chunks[-1].usage == whole.usage
    plain, _ = told(tutorial, text)
    assert all(chunk.usage is None for chunk in plain)


def test_an_answer_kept_from_a_stream_is_given_as_json(tutorial: Gateway) -> None:
    """A whole stream with its counts is kept; JSON has the same text and the same counts."""
    text = "What is cognitive dissonance in social psychology?"
    chunks, first = told(tutorial, text, stream_options={"include_usage": True})
    assert "x-vsr-cache-hit" not in first
    raw = ask(tutorial, text)
    assert raw.headers["x-vsr-cache-hit"] == "true"
    answer = raw.parse()
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert answer.choices[0].message.content == said
    assert answer.usage == chunks[-1].usage


def test_another_way_to_ask_hits_and_another_question_does_not(tutorial: Gateway) -> None:
    """By meaning a paraphrase hits; what differs in a word that matters goes to an engine."""
    ask(tutorial, "What are the symptoms of vitamin B12 deficiency?")
    again = ask(
        tutorial,
        "Please tell me what the symptoms of vitamin B12 deficiency are",
        extra_headers={"x-vsr-debug": "true"},
    )
    assert again.headers["x-vsr-cache-hit"] == "true"
    assert float(again.headers["x-vsr-cache-similarity"]) >= 0.8
    for other in (
        "What are the symptoms of vitamin B6 deficiency?",
        "What are not the symptoms of vitamin B12 deficiency?",
    ):
        assert "x-vsr-cache-hit" not in ask(tutorial, other).headers


def test_clients_with_keys_of_their_own_share_nothing(tutorial: Gateway) -> None:
    """An engine may know who has the right to ask: a key the gateway passes on is part of what must be equal."""
    text = "What did Jean Piaget say about stages of child psychology?"
    ask(tutorial, text)
    other = openai.OpenAI(base_url=f"{tutorial.url}/v1", api_key="sk-other", max_retries=0)
    raw = other.chat.completions.with_raw_response.create(
        model="MoM", messages=[{"role": "user", "content": text}]
    )
    assert "x-vsr-cache-hit" not in raw.headers


def test_anthropics_client_gets_answers_again_in_its_shape(tutorial: Gateway) -> None:
    """JSON and stream of the Messages API, from the cache."""
    client = anthropic.Anthropic(base_url=tutorial.url, api_key="sk-test", max_retries=0)
    asked: Any = {
        "model": "MoM",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "What is the placebo effect in psychology?"}],
    }
    first = client.messages.create(**asked)
    raw = client.messages.with_raw_response.create(**asked)
    assert raw.headers["x-vsr-cache-hit"] == "true"
    again = raw.parse()
    assert again.content == first.content
    assert first.content[0].type == "text"
    assert again.usage.output_tokens == first.usage.output_tokens
    with client.messages.stream(**asked) as stream:
        last = stream.get_final_message()
        assert stream.response.headers["x-vsr-cache-hit"] == "true"
    assert last.content[0].type == "text"
    assert last.content[0].text == first.content[0].text
    assert last.usage.output_tokens == first.usage.output_tokens


def test_errors_and_cut_answers_are_not_given_again(tutorial: Gateway, engines: list[Engine]) -> None:
    """What an engine refused, or stopped at the length limit, is asked anew."""
    text = "What is the bystander effect in social psychology?"
    for engine in engines:
        engine.fault("status:500")
    try:
        with pytest.raises(openai.APIStatusError):
            ask(tutorial, text)
    finally:
        for engine in engines:
            engine.fault(None)
    assert "x-vsr-cache-hit" not in ask(tutorial, text, max_tokens=1).headers
    cut = ask(tutorial, text, max_tokens=1)
    if cut.parse().choices[0].finish_reason == "length":
        assert "x-vsr-cache-hit" not in cut.headers


def test_hits_are_counted(tutorial: Gateway) -> None:
    """The metrics know hits and misses by decision, and how many answers are kept."""
    text = "What is retrograde amnesia in psychology?"
    ask(tutorial, text)
    ask(tutorial, text)
    page = http(f"{tutorial.api}/metrics").body.decode()
    line = 'llm_cache_plugin_hits_total{decision_name="psychology_decision",plugin_type="response_cache"}'
    assert line in page
    assert 'pointsman_cache_events_total{detail="exact",event="hit"}' in page


def test_the_same_question_at_once_is_answered_alike(tutorial: Gateway) -> None:
    """Many clients with one question all get an answer, whoever waits for whom."""
    text = "What is the Stroop effect in cognitive psychology?"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(tutorial, text).parse(), range(16)))
    assert all(answer.choices[0].finish_reason == "stop" for answer in answers)
    assert json.loads(ask(tutorial, text).text)["object"] == "chat.completion"
