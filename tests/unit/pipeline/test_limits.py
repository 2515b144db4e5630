"""Rate limits in the path of a request."""

import asyncio

import msgspec

from pointsman.core.model import Target
from pointsman.core.request import Head
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward, Reply
from pointsman.fleet.catalog import Catalog
from pointsman.pipeline import Pipeline
from pointsman.quota.ledger import Ledger
from pointsman.quota.limiter import Limiter
from pointsman.quota.rule import Rule

BASE = Target("base", "base", "base")
CATALOG = Catalog(targets={"base": BASE}, virtual=frozenset({"MoM"}), listed=(), default=BASE)


def ruled(pipeline: Pipeline, model: str, user: str = "ann", request_id: str = "") -> Ruling:
    headers = {"x-authz-user-id": user, "x-request-id": request_id}
    body = msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": "hi"}]})
    return asyncio.run(pipeline.route(Head("POST", "/v1/chat/completions", headers), body))


def test_the_limit_of_the_selected_model_counts_however_it_was_chosen() -> None:
    """A model named itself and one that was selected share the limit of that model; the user is the caller's."""
    pipeline = Pipeline(CATALOG, limiter=Limiter((Rule("r", requests=2, model="base"),), clock=lambda: 0.0))
    assert isinstance(ruled(pipeline, "MoM").verdict, Forward)
    assert isinstance(ruled(pipeline, "base").verdict, Forward)
    third = ruled(pipeline, "MoM")
    assert isinstance(third.verdict, Reply)
    assert third.verdict.status == 429
    assert third.verdict.headers["x-vsr-response-path"] == "rate_limited"
    assert "limit" in third.trace.phases_us
    assert third.trace.selection is not None
    assert isinstance(ruled(pipeline, "MoM", user="bob").verdict, Forward)


def test_a_request_that_reaches_no_model_counts_nothing() -> None:
    """What the router refuses before it has selected a model uses up no limit."""
    pipeline = Pipeline(CATALOG, limiter=Limiter((Rule("r", requests=1),), clock=lambda: 0.0))
    assert isinstance(ruled(pipeline, "unknown").verdict, Reply)
    assert isinstance(ruled(pipeline, "base").verdict, Forward)


def test_questions_about_routing_use_up_nothing() -> None:
    """The unmetered pipeline decides the same and counts nothing."""
    pipeline = Pipeline(CATALOG, limiter=Limiter((Rule("r", requests=1),), clock=lambda: 0.0))
    for _ in range(3):
        assert isinstance(ruled(pipeline.unmetered(), "base").verdict, Forward)
    assert isinstance(ruled(pipeline, "base").verdict, Forward)


def test_usage_settles_what_was_charged_under_the_requests_id() -> None:
    """The id that the data plane gave the request is the one under which its usage is reported."""
    ledger = Ledger()
    pipeline = Pipeline(CATALOG, limiter=Limiter((Rule("r", tokens=600),), ledger, lambda: 0.0))
    assert isinstance(ruled(pipeline, "base", request_id="one").verdict, Forward)
    assert isinstance(ruled(pipeline, "base").verdict, Reply)
    ledger.settle("one", 10)
    assert isinstance(ruled(pipeline, "base").verdict, Forward)
