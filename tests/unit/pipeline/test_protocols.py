"""A client's API against the one its model's endpoints speak."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from pointsman.core.decision import Decision
from pointsman.core.header_edits import HeaderEdits
from pointsman.core.model import Candidate, ReasoningFamily, Target
from pointsman.core.request import Head
from pointsman.core.rule import Node, Operator
from pointsman.core.verdict import Forward, Reply
from pointsman.fleet.catalog import Catalog
from pointsman.pipeline import Pipeline
from pointsman.plugins.draft import Draft
from pointsman.plugins.header_mutation import HeaderMutation
from pointsman.plugins.system_prompt import SystemPrompt
from pointsman.policy import Policy

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
VLLM = Target("vllm", "vllm", "vllm")
OPENAI = Target("gpt", "gpt", "gpt", extended=False)
CLAUDE = Target("claude", "claude-9", "claude", headers={"x-api-key": "ours"}, speaks_messages=True)
THINKER = msgspec.structs.replace(
    CLAUDE, name="thinker", family=ReasoningFamily("c", "top_level_reasoning_effort", "reasoning_effort")
)
ELSEWHERE = msgspec.structs.replace(CLAUDE, name="elsewhere", base_path="/anthropic/v1", headers={})
TARGETS = {target.name: target for target in (VLLM, OPENAI, CLAUDE, THINKER, ELSEWHERE)}
HI = [{"role": "user", "content": "hi"}]


class Reader:
    """A plugin that must see answers, as chat completions."""

    type = "reader"
    seen: list[bytes]

    def __init__(self) -> None:
        self.seen = []

    async def apply(self, draft: Draft) -> Draft:
        """Read the answer."""
        return draft.answered_through(lambda: self)

    async def start(self, status: int, headers: Mapping[str, str]) -> HeaderEdits:  # noqa: ARG002  # the port
        """No edits."""
        return HeaderEdits()

    async def feed(self, data: bytes, *, end: bool) -> bytes:  # noqa: ARG002  # the port
        """Remember and pass on."""
        self.seen.append(data)
        return data


def _pipeline(target: Target, *plugins: Any, **candidate: Any) -> Pipeline:
    decision = Decision("all", Node(Operator.AND), (Candidate(target, **candidate),), plugins=plugins)
    catalog = Catalog(targets=TARGETS, virtual=frozenset({"MoM"}), listed=(), default=VLLM)
    return Pipeline(catalog, Policy(decisions=(decision,)), now=lambda: 9.0)


def _route(
    path: str, body: Mapping[str, Any], pipeline: Pipeline | None = None, **headers: str
) -> Forward | Reply:
    head = Head("POST", path, {name.replace("_", "-"): value for name, value in headers.items()})
    raw = msgspec.json.encode({"messages": HI, **({"max_tokens": 9} if MESSAGES in path else {}), **body})
    return asyncio.run((pipeline or _pipeline(VLLM)).route(head, raw)).verdict


def _forward(*arguments: Any, **headers: str) -> tuple[Forward, dict[str, Any]]:
    verdict = _route(*arguments, **headers)
    assert isinstance(verdict, Forward), verdict
    return verdict, msgspec.json.decode(verdict.body or b"{}")


def test_the_same_api_on_both_sides_changes_nothing() -> None:
    """No body, no path, no filter, no header of the translation."""
    for path, model in ((CHAT, "vllm"), (f"{MESSAGES}?beta=true", "claude")):
        body = {"model": TARGETS[model].wire_name} if model == "vllm" else {"model": model}
        forward, _ = _forward(path, body)
        assert (forward.path, forward.answer) == (None, None)
        assert (forward.body is None) == (model == "vllm")
        assert "x-vsr-client-protocol" not in forward.response_headers


def test_debugging_shows_the_protocols_anyway() -> None:
    """Somebody who debugs sees which API was spoken where."""
    forward, _ = _forward(MESSAGES, {"model": "claude"}, None, x_vsr_debug="true")
    assert forward.response_headers["x-vsr-client-protocol"] == "anthropic"
    assert forward.response_headers["x-vsr-upstream-protocol"] == "anthropic"


def test_messages_to_an_openai_engine() -> None:
    """Path, body and credentials are translated; the answer comes back through a filter."""
    forward, body = _forward(
        f"{MESSAGES}?beta=true",
        {"model": "vllm", "system": "s", "top_k": 3, "stop_sequences": ["x"]},
        None,
        x_api_key="mine",
        anthropic_version="2023-06-01",
    )
    assert (forward.path, forward.answer is None) == (CHAT, False)
    assert (body["stop"], body["top_k"], body["messages"][0]["role"]) == (["x"], 3, "system")
    assert forward.headers.set["authorization"] == "Bearer mine"
    assert {"x-api-key", "anthropic-version", "anthropic-beta"} <= set(forward.headers.remove)
    assert forward.response_headers["x-vsr-upstream-protocol"] == "openai"


def test_what_openai_itself_refuses_is_left_out_and_said() -> None:
    """VLLM's own fields go to engines that know them only; the client is told what was dropped."""
    forward, body = _forward(MESSAGES, {"model": "gpt", "top_k": 3})
    assert "top_k" not in body
    assert "top_k" in forward.response_headers["x-vsr-protocol-warnings"]


def test_chat_to_an_anthropic_provider() -> None:
    """Path, body, version and credentials are the provider's; the client's key is not sent on."""
    forward, body = _forward(CHAT, {"model": "claude", "stop": ["x"]}, None, authorization="Bearer mine")
    assert (forward.path, forward.answer is None) == (MESSAGES, False)
    assert (body["model"], body["stop_sequences"], body["max_tokens"]) == ("claude-9", ["x"], 4096)
    assert forward.headers.set["x-api-key"] == "ours"
    assert forward.headers.set["anthropic-version"] == "2023-06-01"
    assert "authorization" in forward.headers.remove


def test_a_provider_without_a_key_gets_the_clients() -> None:
    """As with OpenAI's API, a client's own key passes where the document has none."""
    forward, _ = _forward(CHAT, {"model": "elsewhere"}, None, authorization="Bearer mine")
    assert forward.headers.set["x-api-key"] == "mine"
    assert forward.path == "/anthropic/v1/messages"


def test_a_decision_prompts_either_way() -> None:
    """A system prompt is written in the API of whoever reads it."""
    prompt = SystemPrompt("P")
    _, native = _forward(MESSAGES, {"model": "MoM", "system": "s"}, _pipeline(CLAUDE, prompt))
    assert native["system"] == "P\n\ns"
    _, chat = _forward(MESSAGES, {"model": "MoM", "system": "s"}, _pipeline(VLLM, prompt))
    assert chat["messages"][0] == {"role": "system", "content": "P\n\ns"}
    _, crossed = _forward(CHAT, {"model": "MoM"}, _pipeline(CLAUDE, prompt))
    assert crossed["system"] == "P"


def test_reasoning_reaches_an_anthropic_provider() -> None:
    """A candidate that reasons says so in the words of the provider's API."""
    _, body = _forward(CHAT, {"model": "MoM"}, _pipeline(THINKER, use_reasoning=True, effort="high"))
    assert body["output_config"]["effort"] == "high"


def test_a_header_the_operator_sets_stays() -> None:
    """Translation removes the client's headers, not those a decision adds."""
    mutation = HeaderMutation({"anthropic-beta": "tools"})
    forward, _ = _forward(CHAT, {"model": "MoM"}, _pipeline(CLAUDE, mutation))
    assert forward.headers.set["anthropic-beta"] == "tools"


@pytest.mark.parametrize(
    ("path", "target", "answer"),
    [
        (CHAT, VLLM, "chat"),
        (MESSAGES, VLLM, "chat"),
        (CHAT, CLAUDE, "message"),
        (MESSAGES, CLAUDE, "message"),
    ],
)
def test_plugins_read_chat_completions_on_every_way(path: str, target: Target, answer: str) -> None:
    """Whatever client and provider speak, a plugin sees one format, and the client its own."""
    reader = Reader()
    forward, _ = _forward(path, {"model": "MoM"}, _pipeline(target, reader))
    assert forward.answer is not None
    work = forward.answer()
    documents = {
        "chat": {"id": "1", "model": "m", "choices": [{"index": 0, "message": {"content": "yes"}}]},
        "message": {"id": "1", "model": "m", "content": [{"type": "text", "text": "yes"}]},
    }

    async def run() -> bytes:
        await work.start(200, {"content-type": "application/json"})
        return await work.feed(msgspec.json.encode(documents[answer]), end=True)

    out = msgspec.json.decode(asyncio.run(run()))
    (seen,) = reader.seen
    assert msgspec.json.decode(seen)["choices"][0]["message"]["content"] == "yes"
    assert ("choices" in out, "stop_reason" in out) == (path == CHAT, path == MESSAGES)


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/embeddings"])
def test_what_an_anthropic_provider_cannot_do_is_refused(path: str) -> None:
    """There is nothing to translate completions or embeddings to."""
    verdict = _route(path, {"model": "claude", "prompt": "x", "input": "x"})
    assert isinstance(verdict, Reply)
    assert (verdict.status, b"chat completions and messages only" in verdict.body) == (400, True)


@pytest.mark.parametrize(("path", "shape"), [(MESSAGES, {"type", "error"}), (CHAT, {"error"})])
def test_refusals_have_the_clients_shape(path: str, shape: set[str]) -> None:
    """An error of ours is one its client can read."""
    verdict = _route(path, {"model": "nobody"})
    assert isinstance(verdict, Reply)
    assert (verdict.status, set(msgspec.json.decode(verdict.body))) == (400, shape)


def test_engines_count_tokens_and_other_providers_do_not() -> None:
    """An engine is asked in its own words; refusals have Anthropic's shape."""
    count = f"{MESSAGES}/count_tokens"
    verdict = _route(count, {"model": VLLM.name, "messages": []})
    assert isinstance(verdict, Forward)
    assert verdict.answer is None
    refused = _route(count, {"model": CLAUDE.name, "messages": []})
    assert isinstance(refused, Reply)
    assert (refused.status, set(msgspec.json.decode(refused.body))) == (400, {"type", "error"})
    reply = _pipeline(VLLM).preview(Head("GET", count, {}), managed=True)
    assert reply is not None
    assert (reply.status, set(msgspec.json.decode(reply.body))) == (405, {"type", "error"})
