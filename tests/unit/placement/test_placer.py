"""From a request to an endpoint, and what is remembered of it."""

import asyncio
import math

import msgspec
import pytest

from pointsman.config.placement import Placement
from pointsman.core.endpoint import Endpoint, Health
from pointsman.core.model import Target
from pointsman.dialects.body import Body, parse_object
from pointsman.fleet.kv_decode import BlockStored
from pointsman.fleet.load import Loads
from pointsman.fleet.load_report import EngineReport
from pointsman.fleet.roster import Roster
from pointsman.placement.base import View
from pointsman.placement.kv_index import ENTRY_BYTES, KvIndex, Tokens
from pointsman.placement.memory import Memory
from pointsman.placement.placer import Placer, Wanted
from pointsman.placement.prefix_index import BlockIndex
from pointsman.placement.prompt import BLOCK_TOKENS, MAX_BLOCKS, given_ids, prompt_keys, prompt_seed, rendered
from pointsman.placement.table import build_policy

TARGET = Target("m", "m", "m")


def roster(count: int = 3, **changes: object) -> Roster:
    return Roster(
        Endpoint(f"10.0.0.{number}:8000", "m", **{"health": Health.READY, **changes})
        for number in range(1, count + 1)
    )


def placer(name: str = "prefixaware", endpoints: Roster | None = None, **changes: object) -> Placer:
    policy = build_policy(name, Placement())  # type: ignore[arg-type]
    assert policy is not None
    return Placer(policy, Placement(), endpoints or roster(), Memory(Loads(clock=lambda: 0.0)), **changes)


def chat(*texts: str, **fields: object) -> Wanted:
    turns = [{"role": "user", "content": text} for text in texts]
    raw = msgspec.json.encode({"model": "m", "messages": turns, **fields})
    return Wanted(TARGET, parse_object(raw), len(raw))


def test_a_conversation_returns_to_where_it_was() -> None:
    """The second turn is expected to find the first in the cache of the endpoint that had it."""
    where = placer()
    first = asyncio.run(where.place(chat("a" * 4000)))
    assert first is not None
    where.memory.began("1", "m", first, where.roster)
    where.memory.ended("1", first.primary, failed=False)
    second = asyncio.run(where.place(chat("a" * 4000, "and then?")))
    assert second is not None
    assert second.primary == first.primary
    assert second.cached == len(first.keys) * BLOCK_TOKENS
    assert second.destinations == (second.primary, *second.fallbacks)
    assert set(second.destinations) == {f"10.0.0.{number}:8000" for number in (1, 2, 3)}
    assert second.scores[0].address == second.primary
    assert second.scores[0].parts["prefix"] > 0.9
    assert "cached" in second.reason


@pytest.mark.parametrize(
    ("endpoints", "pools"),
    [
        (Roster(), None),
        (roster(1), None),
        (roster(3, health=Health.DOWN), None),
        (roster(3), frozenset({"other"})),
    ],
)
def test_what_is_left_to_the_data_plane(endpoints: Roster, pools: frozenset[str] | None) -> None:
    """Pools without a choice, without anyone eligible, or with a policy of their own are not placed."""
    assert asyncio.run(placer(endpoints=endpoints, pools=pools).place(chat("hello"))) is None


def test_placing_changes_nothing() -> None:
    """Questions about routing are placed as well; only what really goes on its way is remembered."""
    where = placer()
    asyncio.run(where.place(chat("a" * 4000)))
    assert len(where.memory.prefixes) == 0
    assert where.memory.loads.pending == 0
    assert where.memory.usual_tokens("m") == 0


def test_a_fallback_that_answered_is_remembered() -> None:
    """A request that another endpoint served makes that one known for its prompt, and the first suspect."""
    where = placer()
    first = asyncio.run(where.place(chat("a" * 4000)))
    assert first is not None
    other = first.fallbacks[0]
    where.memory.began("1", "m", first, where.roster)
    where.memory.ended("1", other, failed=False)
    second = asyncio.run(where.place(chat("a" * 4000, "and then?")))
    assert second is not None
    assert second.primary == other
    assert first.primary not in second.destinations


def test_who_left_is_forgotten() -> None:
    """Endpoints that are no longer in the roster leave the indexes and the load view."""
    where = placer()
    for number in range(3):
        placed = asyncio.run(where.place(chat(str(number) * 4000)))
        assert placed is not None
        where.memory.began(str(number), "m", placed, where.roster)
    where.memory.caches.apply("10.0.0.9:8000", 0, [BlockStored((1,), None, (1, 2), 2)])
    where.memory.refresh(roster(1))
    assert where.memory.loads.endpoints == ("10.0.0.1:8000",)
    assert where.memory.prefixes.match((1,), ["10.0.0.2:8000"]) == [0]
    assert len(where.memory.caches) == 0


def test_caches_hold_what_engines_say() -> None:
    """An endpoint's list is as long as its cache, once its metrics tell how long that is."""
    where = placer()
    where.memory.loads.reported("10.0.0.1:8000", EngineReport(cache_tokens=4 * BLOCK_TOKENS))
    where.memory.refresh(where.roster)
    keys = tuple(range(10))
    for address in ("10.0.0.1:8000", "10.0.0.2:8000"):
        where.memory.prefixes.learn(keys, address)
    assert where.memory.prefixes.match(keys, ["10.0.0.1:8000", "10.0.0.2:8000"]) == [4, 10]


def test_events_of_engines_count_more_than_what_was_sent() -> None:
    """With token ids at hand, an engine that tells of its cache is taken at its word."""

    class NeverAsked:
        async def of(self, *_: object) -> None:
            raise AssertionError("the request has its ids")

    where = placer("kvaware", tokens=NeverAsked())
    ids = list(range(1000))
    raw = msgspec.json.encode({"model": "m", "prompt": ids})
    event = BlockStored(tuple(range(50)), None, tuple(ids[:800]), 16)
    where.memory.caches.apply("10.0.0.2:8000", 0, [event])
    placed = asyncio.run(where.place(Wanted(TARGET, parse_object(raw), len(raw))))
    assert placed is not None
    assert placed.primary == "10.0.0.2:8000"
    assert placed.cached == 800


def test_the_usual_length_follows_the_pool() -> None:
    """The mean of the latest prompts, for each pool."""
    where = placer()
    for number, length in enumerate((400, 800)):
        placed = asyncio.run(where.place(chat("x" * length)))
        assert placed is not None
        where.memory.began(str(number), "m", placed, where.roster)
    assert 150 < where.memory.usual_tokens("m") < 180
    assert where.memory.usual_tokens("other") == 0


def test_ages_say_what_would_be_pushed_out() -> None:
    """Room is infinite age; a full cache gives up what was touched longest ago."""
    index = BlockIndex(blocks=4)
    index.learn((1, 2), "a")
    index.learn((3, 4), "a")
    index.learn((5,), "b")
    assert index.ages([1, 3], ["a", "b"]) == [2.0, math.inf]
    assert index.ages([3, 0], ["a", "b"]) == [1.0, math.inf]
    assert index.ages([1], ["unknown"]) == [math.inf]


def test_prompts_in_the_order_of_templates() -> None:
    """System messages, then tools, then the conversation; other tools leave the system prompt in common."""
    system, user = {"role": "system", "content": "s" * 600}, {"role": "user", "content": "u" * 600}

    def keys(tool: str) -> tuple[int, ...]:
        body = {"messages": [system, user], "tools": [{"type": "function", "function": {"name": tool}}]}
        return prompt_keys(rendered(parse_object(msgspec.json.encode(body))), 1)

    one, other = keys("a"), keys("b")
    assert one[:2] == other[:2]
    assert one[2:] != other[2:]
    anthropic = parse_object(msgspec.json.encode({"system": "s" * 600, "messages": [user]}))
    assert rendered(anthropic).startswith(b'"sss')


def test_only_so_much_of_a_prompt_is_looked_at() -> None:
    """A prompt of megabytes costs no more keys than the bound."""
    wanted = chat("a" * 3_000_000, "b" * 3_000_000)
    assert len(prompt_keys(rendered(wanted.body), 1)) == MAX_BLOCKS


def test_salts_models_and_ids() -> None:
    """What engines never share has other keys; ids of a prompt are read where it has them."""
    plain, salted = Body({}), Body({"cache_salt": msgspec.Raw(b'"s"')})
    assert len({prompt_seed("a", plain), prompt_seed("b", plain), prompt_seed("a", salted)}) == 3
    assert given_ids(Body({"prompt": msgspec.Raw(b"[1,2]")})) == (1, 2)
    assert given_ids(Body({"prompt": msgspec.Raw(b'"text"')})) == ()
    assert given_ids(plain) == ()


def test_the_kv_index_keeps_its_bound() -> None:
    """More blocks than fit push out the oldest of the largest cache; what follows them is left out."""
    index = KvIndex(max_bytes=10 * ENTRY_BYTES)
    for number in range(30):
        index.apply("a", 0, [BlockStored((number,), number - 1 if number else None, (number,), 1)])
        assert len(index) <= 10
    assert index.bytes <= 10 * ENTRY_BYTES
    index.apply("a", 0, [BlockStored((99,), 0, (7,), 1)])
    assert index.orphans == 1


def test_adapters_salts_and_ranks_are_kept_apart() -> None:
    """A prompt matches under its own adapter and salt alone, in the best of an engine's ranks."""
    index = KvIndex()
    index.apply("a", 0, [BlockStored((1,), None, (1, 2), 2, lora="sql")])
    index.apply("a", 1, [BlockStored((1, 2), None, (1, 2, 3, 4), 2, extras=(("pepper",), ()))])
    asked = (1, 2, 3, 4, 5)
    assert index.match(Tokens(asked), ["a"]) == [0]
    assert index.match(Tokens(asked, lora="sql"), ["a"]) == [2]
    assert index.match(Tokens(asked, salt="pepper"), ["a"]) == [4]
    index.reset("a", 1)
    assert index.match(Tokens(asked, salt="pepper"), ["a"]) == [0]
    assert index.knows("a")
    index.reset("a")
    assert not index.knows("a")


def test_a_defect_costs_no_request() -> None:
    """A choice that fails leaves the request to the data plane, and is kept to be told."""

    def broken(asked: object, views: object) -> list[View]:  # noqa: ARG001  # a filter
        raise ZeroDivisionError

    where = placer()
    profile = msgspec.structs.replace(where.policy.profile, filters=(broken,))
    where = msgspec.structs.replace(where, policy=msgspec.structs.replace(where.policy, profile=profile))
    assert asyncio.run(where.place(chat("hello"))) is None
    assert where.memory.failures == 1
    assert isinstance(where.memory.failure, ZeroDivisionError)
