"""Rate limits through the real Envoy."""

from collections.abc import Callable
from typing import Any

import openai
import pytest

from support.gateway import Gateway

pytestmark = pytest.mark.envoy


def limited(settings: dict[str, Any]) -> None:
    """Two requests an hour to the base model, however it was chosen."""
    rule = {"name": "hourly", "match": {"model": "base-model"}, "requests_per_unit": 2, "unit": "hour"}
    settings.setdefault("global", {}).setdefault("services", {})["ratelimit"] = {
        "providers": [{"type": "local-limiter", "rules": [rule]}]
    }


def test_the_third_request_of_the_hour_waits(own_gateway: Callable[..., Gateway]) -> None:
    """A 429 with its headers reaches the client, OpenAI's own raises its error; other models are free."""
    gateway = own_gateway(limited)
    assert [gateway.chat("hello", "base-model").status for _ in range(2)] == [200, 200]
    answer = gateway.chat("hello", "base-model")
    assert answer.status == 429
    assert answer.json()["error"]["type"] == "rate_limit_error"
    assert answer.headers["x-vsr-response-path"] == "rate_limited"
    assert answer.headers["x-ratelimit-limit"] == "2"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert 3500 < int(answer.headers["retry-after"]) <= 3660
    with pytest.raises(openai.RateLimitError):
        gateway.client().chat.completions.create(
            model="base-model", messages=[{"role": "user", "content": "hello"}]
        )
    assert gateway.chat("hello", "math-expert").status == 200
