from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sim_lab import Client, chat, drive

from pointsman.sim import RunningSim
from pointsman.sim.prefix_cache import BLOCK_TOKENS, PrefixCache

TOKENS = st.lists(st.sampled_from("ab"), max_size=200)


def test_a_stored_prompt_is_found_in_whole_blocks() -> None:
    """Only full blocks count, and at least one token is left to compute."""
    cache = PrefixCache(100)
    prompt = [str(number) for number in range(40)]
    assert cache.match("", prompt) == 0
    cache.store("", prompt)
    assert cache.match("", prompt) == 32
    assert cache.match("", prompt[:32]) == 16
    assert cache.match("", [*prompt[:20], *prompt]) == 16


def test_another_seed_shares_nothing() -> None:
    """Adapters and salts keep their prefixes apart."""
    cache = PrefixCache(100)
    cache.store("left", ["a"] * 64)
    assert cache.match("right", ["a"] * 64) == 0


@settings(deadline=None)
@given(st.lists(TOKENS, max_size=20), st.integers(min_value=1, max_value=8))
def test_the_cache_never_grows_beyond_its_bound(prompts: list[list[str]], capacity: int) -> None:
    """Whatever is stored, at most `capacity` blocks are held, and a match is a whole number of blocks."""
    cache = PrefixCache(capacity)
    for prompt in prompts:
        cache.store("", prompt)
        assert len(cache) <= capacity
        matched = cache.match("", prompt)
        assert matched % BLOCK_TOKENS == 0
        assert matched <= max(0, len(prompt) - 1)


def test_the_least_recently_used_prompt_goes_first() -> None:
    """A full cache drops the prompt that was not looked at for the longest time."""
    cache = PrefixCache(2)
    first, second, third = ([str(number)] * 17 for number in range(3))
    cache.store("", first)
    cache.store("", second)
    assert cache.match("", first) == 16
    cache.store("", third)
    assert cache.match("", second) == 0
    assert cache.match("", first) == 16


def test_usage_and_metrics_show_the_hits() -> None:
    """The second request with the same long prompt reports cached tokens; another salt does not."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        bodies = [chat("word " * 60), chat("word " * 60), chat("word " * 60, cache_salt="other")]
        answers = [(await http.post("/v1/chat/completions", body)).json() for body in bodies]
        page = (await http.get("/metrics")).text
        return [each["usage"]["prompt_tokens_details"]["cached_tokens"] for each in answers], page

    (first, second, salted), page = drive(scenario)
    assert (first, salted) == (0, 0)
    assert second > 0
    assert f'vllm:prefix_cache_hits_total{{engine="0",model_name="tiny"}} {float(second)}' in page
