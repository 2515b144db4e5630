import asyncio
from typing import Any

import aiohttp
import pytest

from pointsman.core.errors import Unavailable
from pointsman.transports.api import Limits

from .backend import SECRET, FakeBackend, FakeRouter, call, drive

INTENT = "/api/v1/classify/intent"
BATCH = "/api/v1/classify/batch"
EVAL = "/api/v1/eval"


def post(path: str, body: Any, **given: Any) -> Any:
    """The JSON of a 200."""
    answer = call("POST", path, json=body, **given)
    assert answer.status == 200, answer.body
    return answer.json


def test_a_matched_decision_is_the_category() -> None:
    """With a decision, category and routing decision are its name, as in the semantic router."""
    found = post(INTENT, {"text": "do some math"})
    assert found["classification"].pop("processing_time_ms") >= 0
    assert found == {
        "classification": {"category": "math_route", "confidence": 0.91},
        "recommended_model": "math-expert",
        "routing_decision": "math_route",
        "matched_signals": {"domains": ["math"]},
        "decision_result": {
            "decision_name": "math_route",
            "confidence": 0.91,
            "matched_rules": ["domain:math"],
        },
        "signal_errors": {"keyword:urgent": "deadline 4000 ms exceeded"},
    }


def test_without_a_decision_the_domain_is_the_category() -> None:
    """The most probable domain, and whether it is certain enough."""
    found = post(INTENT, {"text": "a contract"})
    assert found["classification"]["category"] == "law"
    assert found["classification"]["confidence"] == 0.75
    assert found["routing_decision"] == "high_confidence_specialized"
    assert found["recommended_model"] == "general"
    assert "decision_result" not in found


def test_the_threshold_moves_certainty() -> None:
    """A threshold above the confidence makes the same text uncertain."""
    found = post(INTENT, {"text": "a contract", "options": {"confidence_threshold": 0.8}})
    assert found["routing_decision"] == "low_confidence_general"


def test_probabilities_come_when_asked_for() -> None:
    """Asked for, every domain has its probability, with a decision too; else there are none."""
    asked = {"text": "do some math", "options": {"return_probabilities": True}}
    assert post(INTENT, asked)["probabilities"] == {"math": 0.2, "law": 0.75, "other": 0.05}
    assert "probabilities" not in post(INTENT, {"text": "do some math"})


def test_a_trace_shows_every_leaf() -> None:
    """Asked for, the rule tree of each decision comes with the outcome of all its leaves."""
    (evaluated,) = post(INTENT, {"text": "do some math", "options": {"trace": True}})["eval_trace"]
    assert evaluated["decision_name"] == "math_route"
    assert [leaf["matched"] for leaf in evaluated["root_trace"]["conditions"]] == [True, False]


def test_a_conversation_is_routed_as_it_is() -> None:
    """Messages, tools and metadata reach the router as a client would have sent them."""
    backend = FakeBackend()
    turns = [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": [{"type": "text", "text": "do some math"}]},
    ]
    tools = [{"type": "function", "function": {"name": "f"}}]
    post(INTENT, {"messages": turns, "tools": tools, "metadata": {"tier": "gold"}}, backend=backend)
    assert backend.fake is not None
    (asked,) = backend.fake.asked
    assert asked["model"] == "MoM"
    assert [turn["role"] for turn in asked["messages"]] == ["system", "user"]
    assert asked["tools"] == tools
    assert asked["metadata"] == {"tier": "gold"}


def test_a_named_model_is_not_classified_away() -> None:
    """A model the client named itself is what it would get."""
    assert post(INTENT, {"text": "do some math", "model": "named"})["recommended_model"] == "named"


def test_an_unknown_model_is_the_clients_mistake() -> None:
    """The router's refusal comes back with its status and words."""
    answer = call("POST", INTENT, json={"text": "x", "model": "nope"})
    assert answer.status == 400
    assert answer.error["message"] == 'model "nope" is not available'


def test_without_a_virtual_model_one_must_be_named() -> None:
    """A document without virtual names cannot classify a bare text, and says so."""
    backend = FakeBackend()
    backend.virtual = ""
    answer = call("POST", INTENT, json={"text": "x"}, backend=backend)
    assert answer.status == 400
    assert answer.error["field"] == "model"


def test_a_request_nothing_can_answer_is_still_classified() -> None:
    """Without any model to recommend the classification comes, and the recommendation stays away."""
    found = post(INTENT, {"text": "down"})
    assert "recommended_model" not in found
    assert found["classification"]["category"] == "law"


def test_without_an_encoder_the_category_is_other() -> None:
    """A document that needs no encoder classifies by decisions alone."""
    backend = FakeBackend()
    backend.domains = {}
    found = post(INTENT, {"text": "a contract"}, backend=backend)
    assert found["classification"]["category"] == "other"
    assert found["classification"]["confidence"] == 0.0


def test_before_the_first_build_classification_is_unavailable() -> None:
    """Without a router there is nothing to ask."""
    backend = FakeBackend()
    backend.fake = None
    assert call("POST", INTENT, json={"text": "x"}, backend=backend).status == 503


def test_a_busy_encoder_is_a_503() -> None:
    """The backend's own unavailability passes with its words."""

    class Busy(FakeBackend):
        async def domain_probabilities(self, text: str) -> Any:
            del text
            raise Unavailable("the encoder has too much to do", retry_after=2)

    answer = call("POST", INTENT, json={"text": "a contract"}, backend=Busy())
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "2"


def test_a_batch_has_one_result_a_text_and_statistics() -> None:
    """Results in order, and the distribution over them."""
    found = post(BATCH, {"texts": ["a", "b", "c"], "task_type": "intent"})
    assert [result["category"] for result in found["results"]] == ["law", "law", "law"]
    assert found["total_count"] == 3
    assert found["statistics"] == {
        "category_distribution": {"law": 3},
        "avg_confidence": pytest.approx(0.75),
        "low_confidence_count": 0,
    }


def test_a_batch_counts_what_is_below_the_threshold() -> None:
    """The threshold of the options decides what counts as low."""
    asked = {"texts": ["a"], "options": {"confidence_threshold": 0.9, "return_probabilities": True}}
    found = post(BATCH, asked)
    assert found["statistics"]["low_confidence_count"] == 1
    assert found["results"][0]["probabilities"]["math"] == 0.2


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"texts": []}, "INVALID_INPUT", "texts"),
        ({}, "INVALID_INPUT", "texts"),
        ({"texts": ["x"] * 101}, "INVALID_INPUT", "texts"),
        ({"texts": ["x", "  "]}, "INVALID_INPUT", "texts[1]"),
        ({"texts": ["x" * 200_001]}, "INVALID_INPUT", "texts[0]"),
        ({"texts": ["x"], "task_type": "nope"}, "INVALID_TASK_TYPE", "task_type"),
    ],
)
def test_a_bad_batch_is_refused_by_name(body: Any, code: str, field: str) -> None:
    """Empty, absent, too many, blank, too long, or for a task there is not: a 400 that names the field."""
    answer = call("POST", BATCH, json=body)
    assert answer.status == 400
    assert (answer.error["code"], answer.error["field"]) == (code, field)


def test_the_batch_limit_is_reachable() -> None:
    """Exactly as many texts as allowed pass."""
    assert post(BATCH, {"texts": ["x"] * 3}, limits=Limits(max_batch=3))["total_count"] == 3
    assert call("POST", BATCH, json={"texts": ["x"] * 4}, limits=Limits(max_batch=3)).status == 400


def test_a_batch_without_an_encoder_is_unavailable() -> None:
    """The semantic router's code for it."""
    backend = FakeBackend()
    backend.domains = {}
    answer = call("POST", BATCH, json={"texts": ["x"]}, backend=backend)
    assert answer.status == 503
    assert answer.error["code"] == "UNIFIED_CLASSIFIER_UNAVAILABLE"


def test_eval_says_everything_that_would_happen() -> None:
    """The decision, the signals used and matched, the model and how it was chosen, without a model call."""
    found = post(EVAL, {"text": "do some math"})
    assert found == {
        "original_text": "do some math",
        "requested_model": "MoM",
        "decision_result": {
            "decision_name": "math_route",
            "algorithm": "static",
            "plugins": ["system_prompt"],
            "used_signals": {"domains": ["math"], "keywords": ["urgent"]},
            "matched_signals": {"domains": ["math"]},
            "unmatched_signals": {"keywords": ["urgent"]},
        },
        "recommended_models": ["math-expert"],
        "selected_model": "math-expert",
        "selection_status": "selected",
        "selection_method": "static",
        "selection_reason": "",
        "routing_decision": "math_route",
        "metrics": {
            "domain": {"execution_time_ms": 2.5, "confidence": 0.91},
            "keyword": {"execution_time_ms": 0.0, "confidence": 0.0},
        },
        "signal_confidences": {"domain:math": 0.91},
        "signal_errors": {"keyword:urgent": "deadline 4000 ms exceeded"},
        "eval_trace": None,
    }


@pytest.mark.parametrize(
    ("text", "status"), [("math", "selected"), ("a contract", "fallback"), ("down", "unavailable")]
)
def test_eval_says_how_the_model_came_about(text: str, status: str) -> None:
    """Chosen by a decision, the default, or none."""
    assert post(EVAL, {"text": text})["selection_status"] == status


def test_eval_traces_on_demand() -> None:
    """The query parameter and the option both bring the trace."""
    assert post(f"{EVAL}?trace=true", {"text": "math"})["eval_trace"]
    assert post(EVAL, {"text": "math", "options": {"trace": True}})["eval_trace"]


def test_no_credential_is_in_any_classification() -> None:
    """What a target's headers hold never shows."""
    for path in (INTENT, EVAL):
        answer = call("POST", path, json={"text": "math", "options": {"trace": True}})
        assert SECRET not in answer.body.decode()


def test_classifications_beyond_the_bound_are_turned_away() -> None:
    """The bound is reached: the next request gets a 503 at once, and places come back afterwards."""
    backend = FakeBackend()
    router = FakeRouter()
    backend.fake = router

    async def scenario(http: aiohttp.ClientSession) -> tuple[list[int], int]:
        router.hold = asyncio.Event()
        held = [asyncio.create_task(http.post(INTENT, json={"text": "math"})) for _ in range(2)]
        await asyncio.sleep(0.1)
        statuses = []
        for path, body in ((INTENT, {"text": "x"}), (EVAL, {"text": "x"}), (BATCH, {"texts": ["x"]})):
            async with http.post(path, json=body) as refused:
                statuses.append(refused.status)
                assert refused.headers["Retry-After"] == "1"
        router.hold.set()
        for response in await asyncio.gather(*held):
            statuses.append(response.status)
            response.release()
        async with http.post(INTENT, json={"text": "math"}) as after:
            return statuses, after.status

    assert drive(scenario, backend, Limits(max_concurrent=2)) == ([503, 503, 503, 200, 200], 200)
