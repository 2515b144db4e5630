import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from pointsman.core.decision import Decision
from pointsman.core.model import Candidate, ReasoningFamily, Target
from pointsman.core.request import ChatRequest, Head, Identity
from pointsman.core.rule import Leaf, Node, Operator
from pointsman.core.signal import Signal, SignalKey
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward, Reply
from pointsman.dialects.openai_models import ListedModel
from pointsman.fleet.catalog import Catalog
from pointsman.fleet.state import Status
from pointsman.pipeline import Limits, Pipeline
from pointsman.plugins.fast_response import FastResponse
from pointsman.plugins.header_mutation import HeaderMutation
from pointsman.plugins.system_prompt import SystemPrompt
from pointsman.policy import Policy

MATH = SignalKey("domain", "math")
SECRET = SignalKey("keyword", "secret")
QWEN = ReasoningFamily("qwen3", "chat_template_kwargs", "enable_thinking")
BASE = Target("base", "base", "base", QWEN)
LORA = Target("math-expert", "math-expert", "base", QWEN, parent="base")
MAPPED = Target("alias", "vendor/model-7b", "alias")
CATALOG = Catalog(
    targets={"base": BASE, "math-expert": LORA, "alias": MAPPED},
    virtual=frozenset({"MoM"}),
    listed=(ListedModel("MoM", virtual=True), ListedModel("base", virtual=False)),
    default=BASE,
)
DECISIONS = (
    Decision(
        "math_decision",
        Leaf(MATH),
        (Candidate(LORA, use_reasoning=True),),
        priority=10,
        plugins=(
            SystemPrompt("You do maths.", replace=True),
            HeaderMutation({"x-team": "maths"}, ("x-drop",)),
        ),
    ),
    Decision("block", Leaf(SECRET), (), priority=50, plugins=(FastResponse("No."),)),
)


class Words:
    """Signals by plain words in the text, in place of the real families."""

    family = "domain"
    keys = frozenset({MATH, SECRET})
    immediate = True

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        return (
            Signal(MATH, matched="derivative" in request.text, confidence=0.75),
            Signal(SECRET, matched="secret" in request.text, confidence=1.0),
        )


def pipeline(**changes: Any) -> Pipeline:
    policy = Policy(decisions=DECISIONS, evaluators=(Words(),))
    return msgspec.structs.replace(Pipeline(CATALOG, policy, now=lambda: 9.0), **changes)


def head(path: str = "/v1/chat/completions", method: str = "POST", **headers: str) -> Head:
    return Head(method, path, {name.replace("_", "-"): value for name, value in headers.items()})


def chat(text: str, model: str = "MoM", **fields: Any) -> bytes:
    return msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": text}], **fields})


def route(body: bytes, at: Head | None = None, router: Pipeline | None = None) -> Ruling:
    return asyncio.run((router or pipeline()).route(at or head(), body))


def forwarded(ruling: Ruling) -> tuple[Forward, Mapping[str, Any]]:
    assert isinstance(ruling.verdict, Forward)
    assert ruling.verdict.body is not None
    return ruling.verdict, msgspec.json.decode(ruling.verdict.body)


def replied(ruling: Ruling) -> tuple[Reply, Mapping[str, Any]]:
    assert isinstance(ruling.verdict, Reply)
    return ruling.verdict, msgspec.json.decode(ruling.verdict.body)


def test_a_virtual_model_becomes_the_decisions_expert() -> None:
    """The body names the adapter, the pool is its base model's, and prompt and reasoning are set."""
    verdict, body = forwarded(route(chat("derivative of x^3")))
    assert (verdict.pool, body["model"]) == ("base", "math-expert")
    assert body["messages"][0] == {"role": "system", "content": "You do maths."}
    assert body["chat_template_kwargs"] == {"enable_thinking": True}
    assert verdict.headers.set == {"x-team": "maths", "x-selected-model": "math-expert"}
    assert verdict.headers.remove == ("x-drop",)


def test_success_headers_serve_both_eras() -> None:
    """Decision, confidence, algorithm and model, and the first era's category, reasoning and prompt."""
    verdict, _ = forwarded(route(chat("derivative")))
    assert dict(verdict.success_headers) == {
        "x-vsr-selected-model": "math-expert",
        "x-vsr-selected-algorithm": "single",
        "x-vsr-selected-recipe": "default",
        "x-vsr-selected-reasoning": "on",
        "x-vsr-injected-system-prompt": "true",
        "x-vsr-selected-decision": "math_decision",
        "x-vsr-selected-confidence": "0.7500",
        "x-vsr-selected-category": "math",
    }
    assert dict(verdict.response_headers) == {"x-vsr-schema-version": "2", "x-vsr-response-path": "upstream"}


def test_debug_headers_are_asked_for() -> None:
    """Matched signals are told only to a client that sends ``x-vsr-debug: true``."""
    verdict, _ = forwarded(route(chat("derivative"), head(x_vsr_debug="true")))
    assert verdict.success_headers["x-vsr-matched-domains"] == "math"


def test_no_match_goes_to_the_default_model() -> None:
    """The default model gets the request as a named model would: its name is set and nothing else."""
    ruling = route(chat("hello", temperature=0.5))
    verdict, body = forwarded(ruling)
    assert body == {"model": "base", "messages": [{"role": "user", "content": "hello"}], "temperature": 0.5}
    assert verdict.success_headers["x-vsr-selected-algorithm"] == "default"
    assert "x-vsr-selected-decision" not in verdict.success_headers


def test_no_match_and_no_default_is_the_callers_400() -> None:
    """Without a default model, an unmatched request is refused in words."""
    router = pipeline(catalog=msgspec.structs.replace(CATALOG, default=None))
    reply, body = replied(route(chat("hello"), router=router))
    assert reply.status == 400
    assert "no default model" in body["error"]["message"]


def test_a_named_model_is_left_alone() -> None:
    """No signal runs, no prompt is set, and the very bytes of the client are forwarded."""
    raw = b' {"model" : "base", "messages":[{"role":"user","content":"derivative"}], "t": 1.0} '
    ruling = route(raw)
    assert isinstance(ruling.verdict, Forward)
    assert ruling.verdict.body is None
    assert len(ruling.trace.signals) == 0
    assert ruling.trace.match is None


def test_a_named_model_gets_its_wire_name() -> None:
    """``provider_model_id`` is what the engine is asked for; the logical name is what the client is told."""
    verdict, body = forwarded(route(chat("x", model="alias")))
    assert body["model"] == "vendor/model-7b"
    assert verdict.headers.set["x-selected-model"] == "alias"


def test_an_unknown_model_is_400() -> None:
    """The message names the model, in the contract's words."""
    reply, body = replied(route(chat("x", model="gpt-99")))
    assert reply.status == 400
    assert body["error"]["message"] == 'model "gpt-99" is not available'


@pytest.mark.parametrize("stream", [False, True])
def test_a_canned_answer_ends_the_path(stream: bool) -> None:
    """A fast response outranks by priority, answers 200 in the asked form, and no model is selected."""
    ruling = route(chat("my secret derivative", stream=stream))
    assert isinstance(ruling.verdict, Reply)
    assert ruling.verdict.status == 200
    assert ruling.verdict.headers["x-vsr-fast-response"] == "true"
    assert ruling.verdict.headers["x-vsr-selected-decision"] == "block"
    assert ruling.verdict.headers["x-vsr-response-path"] == "fast_response"
    assert ruling.trace.selection is None
    form = "text/event-stream" if stream else "application/json"
    assert ruling.verdict.headers["content-type"].startswith(form)


def test_a_refused_body_keeps_its_trace() -> None:
    """A malformed request is answered and its reason recorded."""
    ruling = route(b"{nope")
    reply, body = replied(ruling)
    assert reply.status == 400
    assert ruling.trace.error == body["error"]["message"]
    assert ruling.trace.phases_us["total"] > 0


def test_messages_are_bounded() -> None:
    """More messages than the limit are refused with the limit named."""
    router = pipeline(limits=Limits(max_messages=1))
    raw = msgspec.json.encode({"model": "MoM", "messages": [{"role": "user", "content": "a"}] * 2})
    _, body = replied(route(raw, router=router))
    assert body["error"]["param"] == "messages"
    assert "at most 1" in body["error"]["message"]


def test_a_virtual_model_does_not_embed() -> None:
    """Embeddings need a named model; the message says so."""
    reply, body = replied(route(b'{"model":"MoM","input":"x"}', head("/v1/embeddings")))
    assert reply.status == 400
    assert "name an embedding model" in body["error"]["message"]


def test_completions_are_routed_without_a_system_message() -> None:
    """A legacy completion reaches the expert; what it has no place for is left out and noted."""
    raw = b'{"model":"MoM","prompt":"derivative"}'
    ruling = route(raw, head("/v1/completions"))
    _, body = forwarded(ruling)
    assert body == {"model": "math-expert", "prompt": "derivative"}
    assert any("not applicable" in note for note in ruling.trace.rewrites)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (msgspec.structs.replace(BASE, base_path="/api/v3"), "/api/v3/chat/completions?a=1"),
        (msgspec.structs.replace(BASE, chat_path="/chat"), "/chat"),
        (BASE, None),
    ],
)
def test_a_provider_may_live_elsewhere(target: Target, expected: str | None) -> None:
    """The path is rewritten only where the provider's layout differs."""
    router = pipeline(catalog=msgspec.structs.replace(CATALOG, targets={"base": target}))
    verdict = route(chat("x", model="base"), head("/v1/chat/completions?a=1"), router).verdict
    assert isinstance(verdict, Forward)
    assert verdict.path == expected


@pytest.mark.parametrize(
    ("method", "path", "managed", "status"),
    [
        ("GET", "/v1/models", True, 200),
        ("GET", "/v1/models/base", True, 200),
        ("GET", "/v1/models/nope", True, 404),
        ("POST", "/v1/models", True, 405),
        ("GET", "/v1/chat/completions", True, 405),
        ("POST", "/v1/nope", False, 404),
        ("GET", "/metrics", True, 404),
        ("GET", "/metrics", False, None),
        ("POST", "/v1/chat/completions", True, None),
    ],
)
def test_the_request_line_alone_decides_some(
    method: str, path: str, managed: bool, status: int | None
) -> None:
    """Lists and wrong paths are answered without a body; a foreign data plane keeps its other paths."""
    reply = pipeline().preview(head(path, method), managed=managed)
    assert (reply.status if reply else None) == status


def test_an_entrypoints_recipe_decides_alone() -> None:
    """A name of an entrypoint is decided by its recipe's rules only, and the header names the recipe."""
    recipe = Policy("privacy", (Decision("safe", Node(Operator.AND), (Candidate(MAPPED),)),))
    router = pipeline(recipes={"private": recipe})
    verdict, body = forwarded(route(chat("derivative", "private"), router=router))
    assert body["model"] == "vendor/model-7b"
    assert verdict.success_headers["x-vsr-selected-recipe"] == "privacy"
    assert verdict.success_headers["x-vsr-selected-decision"] == "safe"


class Fleet:
    """A fleet in which some pools have a status of their own."""

    def __init__(self, **states: Status) -> None:
        self.states = states

    def status(self, pool: str) -> Status:
        return self.states.get(pool, Status.OK)


@pytest.mark.parametrize(
    ("states", "chosen"),
    [
        ({}, "base"),
        ({"base": Status.DOWN}, "alias"),
        ({"base": Status.SATURATED}, "alias"),
        ({"base": Status.SATURATED, "alias": Status.DOWN}, "base"),
        ({"base": Status.DOWN, "alias": Status.DOWN}, "base"),
    ],
)
def test_a_candidate_that_cannot_serve_loses_to_the_next(states: dict[str, Status], chosen: str) -> None:
    """Down and saturated candidates give way; with none left the first is tried all the same."""
    decision = Decision("any", Node(Operator.AND), (Candidate(BASE), Candidate(MAPPED)))
    router = pipeline(policy=Policy(decisions=(decision,)), fleet=Fleet(**states))
    ruling = route(chat("hello"), router=router)
    assert ruling.trace.selection is not None
    assert ruling.trace.selection.candidate.target.name == chosen


def test_who_asks_is_read_from_the_headers() -> None:
    """Identity comes from the headers of the gateway before us, never from the body."""
    ruling = route(chat("hello", user="mallory"), head(x_authz_user_id="ann", x_authz_user_groups="a, b,"))
    assert ruling.trace.request is not None
    assert ruling.trace.request.identity == Identity("ann", ("a", "b"))
