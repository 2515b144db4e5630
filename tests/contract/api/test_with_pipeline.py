import json
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.core.decision import Decision
from pointsman.core.model import Candidate, Target
from pointsman.core.request import ChatRequest
from pointsman.core.rule import Leaf
from pointsman.core.signal import Signal, SignalKey
from pointsman.dialects.openai_models import ListedModel
from pointsman.fleet.catalog import Catalog
from pointsman.pipeline import Pipeline
from pointsman.plugins.fast_response import FastResponse
from pointsman.plugins.system_prompt import SystemPrompt
from pointsman.policy import Policy

from .backend import FakeBackend, call, drive

MATH = SignalKey("domain", "math")
SECRET_WORD = SignalKey("domain", "secret")


class Words:
    """Signals by plain words, in place of an encoder."""

    family = "domain"
    keys = frozenset({MATH, SECRET_WORD})
    immediate = True

    async def evaluate(self, request: ChatRequest) -> tuple[Signal, ...]:
        """`math` and `secret` match themselves."""
        return (
            Signal(MATH, matched="math" in request.text, confidence=0.8),
            Signal(SECRET_WORD, matched="secret" in request.text, confidence=1.0),
        )


def real() -> FakeBackend:
    """A backend whose router is the real pipeline."""
    base = Target("base", "base", "base")
    expert = Target("math-expert", "math-expert", "base")
    decisions = (
        Decision("math", Leaf(MATH), (Candidate(expert),), plugins=(SystemPrompt("You do maths."),)),
        Decision("block", Leaf(SECRET_WORD), (), priority=50, plugins=(FastResponse("No."),)),
    )
    catalog = Catalog(
        targets={"base": base, "math-expert": expert},
        virtual=frozenset({"MoM"}),
        listed=(ListedModel("MoM", virtual=True), ListedModel("base", virtual=False)),
        default=base,
    )
    backend = FakeBackend()
    backend.fake = Pipeline(catalog, Policy(decisions=decisions, evaluators=(Words(),)))  # type: ignore[assignment]  # the real one
    return backend


def ask(path: str, body: Any) -> Any:
    """The JSON of a 200."""
    answer = call("POST", path, json=body, backend=real())
    assert answer.status == 200, answer.body
    return answer.json


def test_the_pipeline_classifies_as_it_routes() -> None:
    """Decision and model are those a chat request would have got."""
    found = ask("/api/v1/classify/intent", {"text": "some math"})
    assert found["routing_decision"] == "math"
    assert found["recommended_model"] == "math-expert"
    assert found["decision_result"]["matched_rules"] == ["domain:math"]


def test_an_early_answer_is_a_decision_without_a_model() -> None:
    """A request that would be answered by a plugin has a decision and no model."""
    found = ask("/api/v1/eval", {"text": "a secret"})
    assert found["routing_decision"] == "block"
    assert found["decision_result"]["plugins"] == ["fast_response"]
    assert found["selection_status"] == "unavailable"
    assert found["selected_model"] == ""


def test_a_text_without_a_decision_goes_to_the_default() -> None:
    """The default model, and the signals that did not match."""
    found = ask("/api/v1/eval", {"text": "hello"})
    assert found["selection_status"] == "fallback"
    assert found["selected_model"] == "base"
    assert found["decision_result"]["unmatched_signals"] == {"domains": ["math", "secret"]}


@pytest.mark.parametrize("path", ["/api/v1/classify/intent", "/api/v1/eval"])
def test_an_unknown_model_is_a_400(path: str) -> None:
    """The pipeline's own refusal, in the management API's shape."""
    answer = call("POST", path, json={"text": "x", "model": "gpt-9"}, backend=real())
    assert answer.status == 400
    assert answer.error["message"] == 'model "gpt-9" is not available'


def test_both_ports_list_the_same_models() -> None:
    """The list of the data plane, entry for entry."""
    listed = call("GET", "/v1/models", backend=real()).json
    assert [model["id"] for model in listed["data"]] == ["MoM", "base"]


TURNS = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "system", "assistant", "tool", "", "x"])},
    optional={"content": st.none() | st.text(max_size=10) | st.just([{"type": "text", "text": "math"}])},
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "text": st.text(max_size=10),
        "messages": st.lists(TURNS, max_size=4),
        "model": st.sampled_from(["MoM", "base", "", "nope"]),
        "tools": st.lists(st.dictionaries(st.text(max_size=4), st.integers(), max_size=2), max_size=2),
        "metadata": st.dictionaries(st.text(max_size=80), st.text(max_size=600), max_size=20),
        "options": st.fixed_dictionaries(
            {}, optional={"trace": st.booleans(), "return_probabilities": st.booleans()}
        ),
    },
)


@settings(max_examples=60, deadline=None)
@given(st.lists(BODIES, max_size=6))
def test_no_well_formed_request_is_a_5xx(bodies: list[dict[str, Any]]) -> None:
    """Any conversation, tools or metadata the pipeline may dislike are a 400 or a 200."""

    async def scenario(http: aiohttp.ClientSession) -> set[int]:
        statuses = set()
        for body in bodies:
            for path in ("/api/v1/classify/intent", "/api/v1/eval"):
                async with http.post(path, data=json.dumps(body).encode()) as response:
                    statuses.add(response.status)
        return statuses

    assert drive(scenario, real()) <= {200, 400}
