"""Indexes and the load view, against the simplest things that could do their work."""

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from pointsman.dialects.body import Body
from pointsman.fleet.kv_decode import AllBlocksCleared, BlockRemoved, BlockStored, decode
from pointsman.fleet.kv_sequence import Sequence, Step
from pointsman.fleet.load import Loads
from pointsman.placement.kv_index import KvIndex, Tokens
from pointsman.placement.naive_prefix_index import NaivePrefixIndex
from pointsman.placement.prefix_index import ENTRY_BYTES, BlockIndex
from pointsman.placement.prompt import BLOCK_BYTES, prompt_keys, rendered

ADDRESSES = ("a", "b", "c")
PROMPTS = st.lists(st.integers(0, 2), max_size=7).map(tuple)


def keys(path: tuple[int, ...]) -> tuple[int, ...]:
    """Chained keys of a path in a tree of prompts."""
    found, key = [], 0
    for step in path:
        key = hash((key, step))
        found.append(key)
    return tuple(found)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("learn"), PROMPTS, st.sampled_from(ADDRESSES)),
            st.tuples(st.just("forget"), PROMPTS, st.sampled_from(ADDRESSES)),
            st.tuples(st.just("keep"), PROMPTS, st.sampled_from(ADDRESSES)),
        ),
        max_size=60,
    ),
    st.integers(1, 12),
    PROMPTS,
)
def test_the_prefix_index_matches_as_plain_lists_do(
    steps: list[tuple[str, tuple[int, ...], str]], blocks: int, asked: tuple[int, ...]
) -> None:
    """Whatever is learned, evicted and forgotten, halving finds what walking finds."""
    fast, naive = BlockIndex(blocks=blocks), NaivePrefixIndex(blocks=blocks)
    for step, path, address in steps:
        for index in (fast, naive):
            if step == "learn":
                index.learn(keys(path), address)
            elif step == "forget":
                index.forget(address)
            else:
                index.keep([address])
        assert fast.match(keys(asked), ADDRESSES) == naive.match(keys(asked), ADDRESSES)


@given(st.lists(st.tuples(PROMPTS, st.sampled_from(ADDRESSES)), max_size=60), st.integers(1, 20))
def test_the_prefix_index_keeps_its_bound_and_beginnings(
    learned: list[tuple[tuple[int, ...], str]], entries: int
) -> None:
    """Over all endpoints there are never more blocks than fit, and no block without those before it."""
    index = BlockIndex(max_bytes=entries * ENTRY_BYTES)
    for path, address in learned:
        index.learn(keys(path), address)
        assert len(index) <= entries
        assert index.bytes <= entries * ENTRY_BYTES
        assert len(index) == sum(len(blocks) for blocks in index._seen.values())
        for known, address_of in learned:
            held = [key in index._seen.get(address_of, ()) for key in keys(known)]
            assert held == sorted(held, reverse=True)


@given(
    st.lists(
        st.tuples(st.sampled_from(["began", "ended", "lost"]), st.integers(0, 8), st.sampled_from(ADDRESSES)),
        max_size=80,
    ),
    st.integers(1, 6),
)
def test_in_flight_counts_what_began_and_did_not_end(steps: list[tuple[str, int, str]], most: int) -> None:
    """As a list of open requests would count, however often an end is told; the oldest go beyond the bound."""
    loads = Loads(pending=most, clock=lambda: 0.0)
    open_: dict[str, str] = {}
    for step, number, address in steps:
        request = str(number)
        if step == "began":
            loads.began(request, address, ADDRESSES, tokens=10)
            open_.pop(request, None)
            if len(open_) >= most:
                del open_[next(iter(open_))]
            open_[request] = address
        else:
            loads.ended(request, reached=step == "ended")
            open_.pop(request, None)
        counts = Counter(open_.values())
        assert [load.in_flight for load in loads.view(ADDRESSES)] == [counts[each] for each in ADDRESSES]
        assert loads.pending == len(open_) <= most
    for request in list(open_):
        loads.ended(request)
    assert [load.in_flight for load in loads.view(ADDRESSES)] == [0, 0, 0]
    assert [load.in_flight_tokens for load in loads.view(ADDRESSES)] == [0, 0, 0]


BLOCK = 2


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("store"), st.lists(st.integers(0, 1), min_size=2, max_size=8)),
            st.tuples(st.just("remove"), st.lists(st.integers(0, 1), min_size=2, max_size=8)),
            st.tuples(st.just("clear"), st.just([])),
        ),
        max_size=40,
    ),
    st.lists(st.integers(0, 1), max_size=9),
)
def test_the_kv_index_matches_what_the_engine_holds(
    steps: list[tuple[str, list[int]]], asked: list[int]
) -> None:
    """Against a set of the prefixes that an engine stored and has not removed."""
    index, held = KvIndex(), set()
    for kind, tokens in steps:
        full = [tuple(tokens[: end + BLOCK]) for end in range(0, len(tokens) - BLOCK + 1, BLOCK)]
        if kind == "clear":
            index.apply("a", 0, [AllBlocksCleared()])
            held.clear()
        elif kind == "remove" and full[-1] in held and not any(_extends(each, full[-1]) for each in held):
            # Engines drop the end of a prompt before its beginning.
            index.apply("a", 0, [BlockRemoved((_name(full[-1]),))])
            held.discard(full[-1])
        elif kind == "store":
            for prefix in full:
                if prefix not in held:
                    parent = prefix[:-BLOCK]
                    event = BlockStored(
                        (_name(prefix),), _name(parent) if parent else None, prefix[-BLOCK:], BLOCK
                    )
                    index.apply("a", 0, [event])
                    held.add(prefix)
        assert len(index) == len(held)
    expected = 0
    while expected + BLOCK <= len(asked) and tuple(asked[: expected + BLOCK]) in held:
        expected += BLOCK
    assert index.match(Tokens(tuple(asked)), ["a", "b"]) == [expected, 0]


def _extends(longer: tuple[int, ...], shorter: tuple[int, ...]) -> bool:
    return len(longer) > len(shorter) and longer[: len(shorter)] == shorter


def _name(prefix: tuple[int, ...]) -> int:
    return hash(("engine", prefix)) & (2**64 - 1)


EVENTS = st.one_of(
    st.tuples(
        st.just("BlockStored"),
        st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=4),
        st.one_of(st.none(), st.integers(0, 2**64 - 1)),
        st.integers(1, 4),
    ),
    st.tuples(st.just("BlockRemoved"), st.lists(st.integers(0, 2**64 - 1), max_size=4)),
    st.tuples(st.just("AllBlocksCleared")),
)


@given(st.lists(EVENTS, max_size=6), st.integers(0, 7))
def test_maps_and_arrays_say_the_same(events: list[tuple], rank: int) -> None:
    """An event decodes to the same value in both encodings, with fields of later releases or without."""
    arrays, maps = [], []
    for event in events:
        if event[0] == "BlockStored":
            _, names, parent, size = event
            tokens = list(range(size * len(names)))
            arrays.append(["BlockStored", names, parent, tokens, size, None, "GPU", "sql", [["sql"]], 0, 1])
            maps.append(
                {
                    "type": "BlockStored",
                    "block_hashes": names,
                    "parent_block_hash": parent,
                    "token_ids": tokens,
                    "block_size": size,
                    "lora_name": "sql",
                    "extra_keys": [["sql"]],
                    "some_later_field": {"a": 1},
                }
            )
        elif event[0] == "BlockRemoved":
            arrays.append([*event, "GPU"])
            maps.append({"type": event[0], "block_hashes": event[1], "medium": "GPU"})
        else:
            arrays.append([event[0]])
            maps.append({"type": event[0]})
    one, other = (decode(msgspec.msgpack.encode([1.5, each, rank])) for each in (arrays, maps))
    assert one == other
    assert len(one.events) == len(events)
    assert one.rank == rank


@given(st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)))
def test_no_message_is_applied_twice_or_out_of_order(heard: set[int], kept: set[int]) -> None:
    """A subscriber that misses messages and gets some of them again applies a growing sequence of numbers."""
    sequence, applied = Sequence(), []
    for number in sorted(heard):
        step = sequence.live(number)
        if step is Step.GAP:
            again = sorted(each for each in kept if sequence.expected <= each <= number)
            applied += [each for each in again if sequence.replayed(each) is Step.APPLY]
            if sequence.expected <= number:
                sequence.skip_to(number + 1)
                step = Step.APPLY
        if step is Step.APPLY:
            applied.append(number)
    assert applied == sorted(set(applied))
    assert heard <= set(applied) | kept


TEXTS = st.text(min_size=0, max_size=700)


@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS, st.integers(0, 1))
def test_a_later_turn_begins_with_the_keys_of_the_earlier(texts: list[str], more: str, tools: int) -> None:
    """All blocks of a conversation but its last are those of its continuation; another model shares none."""
    turns = [{"role": "user", "content": text} for text in texts]
    offered = {"tools": msgspec.Raw(b'[{"type":"function"}]')} if tools else {}

    def of(messages: list[dict[str, str]], seed: int = 1) -> tuple[int, ...]:
        return prompt_keys(
            rendered(Body({"messages": msgspec.Raw(msgspec.json.encode(messages)), **offered})), seed
        )

    before, after = of(turns), of([*turns, {"role": "assistant", "content": more}])
    assert after[: len(before)] == before
    assert (
        len(before)
        == len(rendered(Body({"messages": msgspec.Raw(msgspec.json.encode(turns)), **offered})))
        // BLOCK_BYTES
    )
    assert not set(of(turns, seed=2)) & set(before)
