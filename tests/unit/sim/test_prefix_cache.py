from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sim_lab import Client, chat, drive, until

from pointsman.sim import RunningSim, tokens
from pointsman.sim.kv_events import AllBlocksCleared, BlockRemoved, BlockStored
from pointsman.sim.prefix_cache import BLOCK_TOKENS, Chain, PrefixCache

PROMPTS = st.lists(st.lists(st.sampled_from("ab"), max_size=100), max_size=20)


def _use(cache: PrefixCache, chain: Chain) -> None:
    """What a request does that ends at once."""
    cache.release(cache.hold(chain))


def _prompt(length: int, start: int = 0) -> list[str]:
    return [str(start + number) for number in range(length)]


def test_a_prompt_is_found_in_whole_blocks() -> None:
    """Only full blocks count, and at least one token is left to compute."""
    cache = PrefixCache(100)
    prompt = _prompt(40)
    assert cache.match(Chain(prompt)) == 0
    _use(cache, Chain(prompt))
    assert cache.match(Chain(prompt)) == 32
    assert cache.match(Chain(prompt[:32])) == 16
    assert cache.match(Chain([*prompt[:20], *prompt])) == 16


def test_another_adapter_or_salt_shares_nothing() -> None:
    """Adapters and salts keep their prefixes apart."""
    cache = PrefixCache(100)
    _use(cache, Chain(["a"] * 64))
    assert cache.match(Chain(["a"] * 64, "sql", 1)) == 0
    assert cache.match(Chain(["a"] * 64, salt="mine")) == 0


def test_a_chain_goes_on_from_known_hashes() -> None:
    """Hashing the rest behind known hashes gives what hashing all of it gives."""
    prompt = _prompt(70)
    whole = Chain(prompt).hashes
    assert Chain(prompt, known=whole[:2]).hashes == whole


def test_the_least_recently_used_prompt_goes_first() -> None:
    """A full cache drops the prompt that was not used for the longest time."""
    cache = PrefixCache(2)
    first, second, third = (Chain([str(number)] * 17) for number in range(3))
    for used in (first, second, first, third):
        _use(cache, used)
    assert (cache.match(first), cache.match(second), cache.match(third)) == (16, 0, 16)


def test_the_tail_of_a_prompt_goes_before_its_head() -> None:
    """Of one prompt the last block is evicted first, for a head without its tail is still worth something."""
    cache = PrefixCache(3)
    long, other = Chain(_prompt(49)), Chain(_prompt(16, 1000))
    _use(cache, long)
    _use(cache, other)
    assert cache.match(long) == 32


def test_held_blocks_stay() -> None:
    """What running requests hold is never evicted; a prompt that finds no place is cached in part or not."""
    cache = PrefixCache(2)
    running = Chain(_prompt(32))
    held = cache.hold(running)
    assert cache.hold(Chain(_prompt(64, 1000))) == []
    assert cache.held == 2
    cache.release(held)
    assert (cache.held, len(cache)) == (0, 2)


def test_nothing_hangs_on_a_block_that_is_gone() -> None:
    """After a clear, the rest of a sequence is not cached behind a head that no longer is."""
    cache = PrefixCache(10)
    chain = Chain(_prompt(64))
    held = cache.hold(Chain(chain.tokens[:32]))
    cache.clear()
    assert cache.hold(chain, 2) == []
    cache.release(held)
    assert len(cache) == 0


@settings(deadline=None)
@given(PROMPTS, st.integers(min_value=1, max_value=8), st.integers(min_value=0, max_value=3))
def test_events_tell_what_the_cache_holds(prompts: list[list[str]], capacity: int, keep: int) -> None:
    """Whoever follows the events knows exactly which blocks are cached, within the budget, at every step."""
    cache = PrefixCache(capacity)
    cache.recording = True
    known: set[int] = set()
    held: list[list[int]] = []
    for number, prompt in enumerate(prompts):
        held.append(cache.hold(Chain(prompt)))
        if len(held) > keep:
            cache.release(held.pop(0))
        if number == 10:
            cache.clear()
            held.clear()
        for event in cache.take_events():
            if isinstance(event, BlockStored):
                assert not known.intersection(event.block_hashes)
                assert event.parent_block_hash is None or event.parent_block_hash in known
                assert len(event.token_ids) == BLOCK_TOKENS * len(event.block_hashes)
                known.update(event.block_hashes)
            elif isinstance(event, BlockRemoved):
                assert known.issuperset(event.block_hashes)
                known.difference_update(event.block_hashes)
            else:
                assert isinstance(event, AllBlocksCleared)
                known.clear()
        assert known == {*cache._held, *cache._idle}
        assert len(cache) <= capacity


def test_an_event_says_where_its_blocks_belong() -> None:
    """A stored block carries its tokens, its parent, its adapter, and a salt for the first block alone."""
    cache = PrefixCache(10)
    cache.recording = True
    prompt = _prompt(32)
    _use(cache, Chain(prompt, "sql", 3, "salt"))
    _use(cache, Chain([*prompt, *_prompt(16, 500)], "sql", 3, "salt"))
    first, second = cache.take_events()
    assert isinstance(first, BlockStored)
    assert isinstance(second, BlockStored)
    assert first.token_ids == [tokens.id_of(piece) for piece in prompt]
    assert (first.lora_name, first.lora_id, first.medium, first.block_size) == ("sql", 3, "GPU", 16)
    assert first.extra_keys == [["sql", "salt"], ["sql"]]
    assert first.parent_block_hash is None
    assert second.parent_block_hash == first.block_hashes[-1]


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


def test_the_next_turn_finds_the_last_answer() -> None:
    """Generated tokens are cached too: a conversation that goes on hits beyond its last prompt."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        turns = [{"role": "user", "content": "word " * 20}]
        first = (await http.post("/v1/chat/completions", {"messages": turns})).json()
        turns.append(first["choices"][0]["message"])
        turns.append({"role": "user", "content": "and now?"})
        second = (await http.post("/v1/chat/completions", {"messages": turns})).json()
        return first["usage"]["prompt_tokens"], second["usage"]["prompt_tokens_details"]["cached_tokens"]

    prompt, cached = drive(scenario, answer_tokens=64)
    assert cached >= prompt + 32


def test_a_shared_prompt_fills_the_cache_once() -> None:
    """Two running requests with one long prompt use little more of the cache than one."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        body = chat("word " * 800, stream=True)
        path = "/v1/chat/completions"
        async with http.stream(path, body) as one:
            await one.content.readline()
            alone = sim.sim.engine.load().kv_usage
            async with http.stream(path, body) as other:
                await other.content.readline()
                both = sim.sim.engine.load().kv_usage
        await until(lambda: sim.load == (0, 0))
        return alone, both, sim.sim.engine.load().kv_usage

    alone, both, after = drive(scenario, rate=5, answer_tokens=1000, kv_blocks=100)
    assert 0.5 < alone <= both < alone + 0.05
    assert after == 0
