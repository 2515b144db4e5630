"""Rate limits: who is counted, what a refusal says, and what bounds the counts."""

from typing import Any

import msgspec
import pytest

from pointsman.core.errors import RateLimited
from pointsman.core.request import ChatRequest, Identity
from pointsman.dialects import openai_chat
from pointsman.dialects.errors import error_reply
from pointsman.quota.estimate import ANSWER_TOKENS, MOST_ANSWER_TOKENS, estimated_tokens
from pointsman.quota.ledger import Ledger
from pointsman.quota.limiter import Limiter
from pointsman.quota.rule import Rule


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def asked(
    text: str = "hello", *, user: str = "ann", groups: tuple[str, ...] = (), **more: Any
) -> ChatRequest:
    body = {"model": "MoM", "messages": [{"role": "user", "content": text}], **more}
    request = openai_chat.understand(msgspec.json.encode(body))
    return msgspec.structs.replace(request, identity=Identity(user=user, groups=groups))


def refused(limiter: Limiter, request: ChatRequest, model: str = "base") -> RateLimited:
    with pytest.raises(RateLimited) as raised:
        limiter.admit(request, model)
    return raised.value


def test_each_user_has_a_limit_on_each_model() -> None:
    """One user's requests to one model leave the others' room, and their own on other models."""
    limiter = Limiter((Rule("r", requests=1),), clock=Clock())
    limiter.admit(asked(), "base")
    refused(limiter, asked())
    limiter.admit(asked(), "other")
    limiter.admit(asked(user="bob"), "base")


@pytest.mark.parametrize(
    ("rule", "counts"),
    [
        (Rule("r", requests=0, user="ann"), True),
        (Rule("r", requests=0, user="bob"), False),
        (Rule("r", requests=0, user="*"), True),
        (Rule("r", requests=0, group="staff"), True),
        (Rule("r", requests=0, group="guests"), False),
        (Rule("r", requests=0, model="base"), True),
        (Rule("r", requests=0, model="other"), False),
        (Rule("r", requests=0, user="ann", group="guests"), False),
    ],
)
def test_a_rule_concerns_whom_it_names(rule: Rule, counts: bool) -> None:
    """User, group and selected model must all fit; empty and ``*`` fit everyone."""
    limiter = Limiter((rule,), clock=Clock())
    request = asked(groups=("staff", "night"))
    if counts:
        refused(limiter, request)
    else:
        limiter.admit(request, "base")


def test_every_rule_must_allow_and_a_refusal_counts_nothing() -> None:
    """A request that one rule refuses uses up no room in another."""
    clock = Clock()
    rules = (Rule("slow", unit="hour", requests=3), Rule("fast", unit="second", requests=1))
    limiter = Limiter(rules, clock=clock)
    limiter.admit(asked(), "base")
    assert "fast" in refused(limiter, asked()).message
    clock.now += 2
    limiter.admit(asked(), "base")
    clock.now += 2
    limiter.admit(asked(), "base")
    clock.now += 2
    error = refused(limiter, asked())
    assert "slow" in error.message
    assert error.retry_after is not None
    assert 3590 < error.retry_after <= 3660


def test_after_the_wait_it_names_the_request_passes() -> None:
    """``retry-after`` is neither too short nor, by more than a slot and a second, too long."""
    clock = Clock()
    limiter = Limiter((Rule("r", requests=2),), clock=clock)
    limiter.admit(asked(), "base")
    clock.now += 20
    limiter.admit(asked(), "base")
    error = refused(limiter, asked())
    assert error.retry_after is not None
    assert 40 <= error.retry_after <= 42
    clock.now += error.retry_after
    limiter.admit(asked(), "base")


def test_the_refusal_is_a_429_with_its_headers() -> None:
    """Clients get the status, the wait and the limit in the usual headers."""
    limiter = Limiter((Rule("per user", requests=1),), clock=Clock())
    limiter.admit(asked(), "base")
    reply = error_reply(refused(limiter, asked()))
    assert reply.status == 429
    assert msgspec.json.decode(reply.body)["error"]["type"] == "rate_limit_error"
    assert reply.headers["x-vsr-response-path"] == "rate_limited"
    assert reply.headers["x-ratelimit-limit"] == "1"
    assert reply.headers["x-ratelimit-remaining"] == "0"
    assert reply.headers["x-ratelimit-reset"] == reply.headers["retry-after"] == "61"


def test_tokens_are_estimated_and_then_corrected() -> None:
    """What a request really used replaces what it was expected to use, once."""
    ledger = Ledger()
    limiter = Limiter((Rule("r", tokens=1000),), ledger, clock=Clock())
    limiter.admit(asked(max_tokens=900), "base", "one")
    assert refused(limiter, asked(max_tokens=200)).remaining < 150
    ledger.settle("one", 50)
    ledger.settle("one", 0)
    limiter.admit(asked(max_tokens=900), "base", "two")
    ledger.settle("two", 5000)
    assert refused(limiter, asked(max_tokens=1)).remaining == 0


def test_a_request_larger_than_the_limit_passes_alone() -> None:
    """An estimate above the whole limit counts as the whole limit: it waits for an empty window, not forever."""
    clock = Clock()
    limiter = Limiter((Rule("r", tokens=100),), clock=clock)
    limiter.admit(asked("word " * 4000), "base")
    error = refused(limiter, asked("word " * 4000))
    clock.now += error.retry_after or 0
    limiter.admit(asked("word " * 4000), "base")


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, ANSWER_TOKENS),
        ({"max_tokens": 7}, 7),
        ({"max_tokens": 70, "max_completion_tokens": 7}, 7),
        ({"max_tokens": 10**9}, MOST_ANSWER_TOKENS),
        ({"max_tokens": None}, ANSWER_TOKENS),
        ({"max_tokens": "many"}, ANSWER_TOKENS),
    ],
)
def test_the_expected_answer_is_what_the_client_allows_within_bounds(
    fields: dict[str, Any], answer: int
) -> None:
    """The prompt by its length, the answer by the smaller of the client's limits, at most a constant."""
    prompt = estimated_tokens(asked("a" * 400, max_tokens=0))
    assert prompt == 104
    assert estimated_tokens(asked("a" * 400, **fields)) == prompt + answer


def test_the_counts_are_bounded() -> None:
    """With all buckets taken the one longest unused gives way, and is counted as evicted."""
    ledger = Ledger(max_buckets=2, max_charges=2)
    limiter = Limiter((Rule("r", requests=1, tokens=10**6),), ledger, clock=Clock())
    limiter.admit(asked(user="a"), "base", "1")
    limiter.admit(asked(user="b"), "base", "2")
    refused(limiter, asked(user="a"))
    limiter.admit(asked(user="c"), "base", "3")
    assert (len(ledger), ledger.evicted, ledger.waiting) == (2, 1, 2)
    refused(limiter, asked(user="a"))
    limiter.admit(asked(user="b"), "base", "4")
    assert (len(ledger), ledger.evicted) == (2, 2)


def test_counts_survive_new_rules() -> None:
    """A ledger handed to the next generation still knows what was used up under the same name."""
    clock, ledger = Clock(), Ledger()
    Limiter((Rule("r", requests=1),), ledger, clock=clock).admit(asked(), "base")
    refused(Limiter((Rule("new", requests=9), Rule("r", requests=1)), ledger, clock=clock), asked())
