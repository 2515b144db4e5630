"""What holds of every cache: keys that never meet, a store like a naive one, replays that say the same."""

import asyncio
import json
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.cache.admission import Assembly, refusal_of
from pointsman.cache.question import question_of
from pointsman.cache.replay import Form, pieces, replay
from pointsman.cache.veto import Check, differ, marks_of
from pointsman.dialects import sse
from pointsman.dialects.body import parse_object
from pointsman.stores.entry import Entry, Meaning
from pointsman.stores.memory import MemoryStore

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool"])},
    optional={
        "content": TEXT | st.lists(st.builds(lambda text: {"type": "text", "text": text}, TEXT), max_size=3),
        "name": TEXT,
        "tool_calls": st.lists(JSON, max_size=2),
    },
)
REQUEST = st.fixed_dictionaries(
    {"model": TEXT, "messages": st.lists(MESSAGE, min_size=1, max_size=4)},
    optional={
        "temperature": st.floats(0, 2),
        "seed": st.integers(0, 9),
        "tools": st.lists(JSON, max_size=2),
        "response_format": JSON,
        "vendor": JSON,
        "stream": st.booleans(),
    },
)


def _apart(request: dict[str, Any]) -> dict[str, Any]:
    """Everything but the question and how it is answered: what the key must tell apart."""
    rest = {name: value for name, value in request.items() if name != "stream"}
    last = request["messages"][-1]
    content = last.get("content")
    if last["role"] == "user" and isinstance(content, str):
        rest["messages"] = [*request["messages"][:-1], {**last, "content": "?"}, "one text"]
    elif last["role"] == "user" and content:
        rest["messages"] = [*request["messages"][:-1], {**last, "content": len(content)}, "several texts"]
    return rest


def _question(request: dict[str, Any]) -> list[str]:
    last = request["messages"][-1]
    content = last.get("content") if last["role"] == "user" else None
    return [content] if isinstance(content, str) else [part["text"] for part in content or ()]


@settings(max_examples=400)
@given(REQUEST, REQUEST, st.data())
def test_requests_that_differ_in_anything_but_the_question_never_meet(
    one: dict[str, Any], other: dict[str, Any], data: st.DataObject
) -> None:
    """Partitions are equal exactly when all but the question is, and digests exactly when that is too."""
    for name in data.draw(st.sets(st.sampled_from(sorted({*one, *other})))):
        # Mostly alike: pairs drawn apart would differ everywhere.
        if name in one:
            other = {**other, name: one[name]}
    first = question_of(parse_object(json.dumps(one).encode()), ["x"])
    second = question_of(parse_object(json.dumps(other).encode()), ["x"])
    assert first is not None
    assert second is not None
    alike = json.dumps(_apart(one), sort_keys=True) == json.dumps(_apart(other), sort_keys=True)
    assert (first.partition == second.partition) == alike
    if alike:
        assert (first.digest == second.digest) == (_question(one) == _question(other))


@given(REQUEST, st.lists(TEXT, max_size=4), st.lists(TEXT, max_size=4))
def test_circumstances_never_run_together(request: dict[str, Any], one: list[str], other: list[str]) -> None:
    """Who asks, which model and the rest outside the body: other circumstances, another partition."""
    body = parse_object(json.dumps(request).encode())
    first, second = question_of(body, one), question_of(body, other)
    assert first is not None
    assert second is not None
    assert (first.partition == second.partition) == (one == other)


@given(REQUEST, st.booleans())
def test_spaces_the_order_of_keys_and_streaming_do_not_matter(request: dict[str, Any], stream: bool) -> None:
    """The same request written otherwise, or asked for as a stream, is the same request."""
    turned = dict(reversed({**request, "stream": stream}.items()))
    first = question_of(parse_object(json.dumps(request).encode()), [])
    assert first == question_of(parse_object(json.dumps(turned, indent=2).encode()), [])


class _Naive:
    """A list and nothing clever."""

    def __init__(self, most: int, eviction: str) -> None:
        self.most, self.eviction = most, eviction
        self.kept: list[tuple[Entry, int]] = []
        """With its uses; in the order in which they leave, but for ``lfu``."""

    def expire(self, now: float) -> None:
        self.kept = [each for each in self.kept if each[0].expires > now]

    def put(self, entry: Entry) -> None:
        self.kept = [each for each in self.kept if each[0].key != entry.key]
        self.kept.append((entry, 0))
        while len(self.kept) > self.most:
            uses = [count for _, count in self.kept]
            self.kept.pop(uses.index(min(uses)) if self.eviction == "lfu" else 0)

    def use(self, entry: Entry) -> None:
        for place, (kept, uses) in enumerate(self.kept):
            if kept is entry:
                self.kept[place] = (kept, uses + 1)
                if self.eviction != "fifo":
                    self.kept.append(self.kept.pop(place))
                return

    def nearest(self, partition: bytes, vector: Any, most: int) -> list[float]:
        found = [
            float(each.meaning.vector @ vector)
            for each, _ in self.kept
            if each.meaning is not None and each.partition == partition
        ]
        return sorted(found, reverse=True)[:most]


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "use", "look", "wait"]),
        st.integers(0, 2),
        st.integers(0, 5),
        st.integers(1, 9),
    ),
    max_size=60,
)


@settings(max_examples=200)
@given(ACTIONS, st.sampled_from(["fifo", "lru", "lfu"]), st.integers(1, 5))
def test_the_store_is_a_naive_one_but_faster(
    actions: list[tuple[str, int, int, int]], eviction: str, most: int
) -> None:
    """The same entries are kept, and the same are nearest, whatever order they leave in; bytes add up."""
    clock = [0.0]
    store = MemoryStore(max_entries=most, eviction=eviction, now=lambda: clock[0])
    naive = _Naive(most, eviction)

    async def run() -> None:
        for action, space, number, amount in actions:
            partition, question = b"p%d" % space, b"q%d" % number
            vector = np.array([np.cos(number), np.sin(number)], np.float32)
            if action == "put":
                meaning = Meaning("engine", vector) if number % 3 else None
                entry = Entry(partition, question, "", b"a" * amount, clock[0], clock[0] + amount, meaning)
                naive.expire(clock[0])
                await store.put(entry)
                naive.put(entry)
            elif action == "use":
                found = await store.exact(partition, question)
                if found is not None:
                    await store.used(found)
                    naive.use(found)
            elif action == "wait":
                clock[0] += 1
            naive.expire(clock[0])
            near = await store.nearest(partition, Meaning("engine", vector), most=2)
            assert np.allclose([each.similarity for each in near], naive.nearest(partition, vector, 2))
            assert not await store.nearest(partition, Meaning("another", vector), most=2)
            kept = {each.key for each, _ in naive.kept}
            for key in ((b"p%d" % p, b"q%d" % q) for p in range(3) for q in range(6)):
                assert (await store.exact(*key) is not None) == (key in kept)
            assert store.size() == (len(naive.kept), sum(each.size for each, _ in naive.kept))

    asyncio.run(run())


@given(st.lists(st.integers(1, 4000), max_size=20), st.integers(600, 9000))
def test_bytes_are_bounded(sizes: list[int], most: int) -> None:
    """Whatever is put in, no more than the bound is kept, and an entry above it is not."""

    async def run() -> None:
        store = MemoryStore(max_entries=100, max_bytes=most)
        for number, size in enumerate(sizes):
            await store.put(Entry(b"p", b"%d" % number, "", b"a" * size, 0, float("inf")))
            assert store.bytes <= most
        assert bool(store.size()[0]) == any(Entry(b"", b"", "", b"a" * n, 0, 1).size <= most for n in sizes)

    asyncio.run(run())


ANSWERS = st.builds(
    lambda content, thought, usage: {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": content, **thought},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": usage,
    },
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=400).filter(str.strip),
    st.just({}) | st.builds(lambda text: {"reasoning_content": text}, TEXT.filter(bool)),
    st.just({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
)


@given(ANSWERS)
def test_an_answer_streamed_again_can_be_kept_again(answer: dict[str, Any]) -> None:
    """JSON to stream to JSON is the same answer, but for its id and time."""
    assert refusal_of(answer) is None
    told = replay(msgspec.json.encode(answer), Form(stream=True, usage=True), created=5)
    assembly = Assembly(1 << 20)
    for payload in sse.Decoder().feed(told.body):
        assembly.take(payload)
    document = assembly.document()
    assert document is not None
    assert {**document, "id": "1", "created": 1} == answer
    assert refusal_of(document) is None


@given(st.text(max_size=500))
def test_pieces_are_the_text(text: str) -> None:
    """Nothing is lost or added between pieces."""
    assert "".join(pieces(text)) == text
    assert all(pieces(text))


@given(st.text(max_size=200), st.text(max_size=200))
def test_words_are_compared_both_ways_alike(one: str, other: str) -> None:
    """A text never differs from itself, and two differ whichever was asked first."""
    assert differ(marks_of(one), marks_of(one)) is None
    for check in Check:
        there, back = (
            differ(*pair, check)
            for pair in ((marks_of(one), marks_of(other)), (marks_of(other), marks_of(one)))
        )
        assert (there is None) == (back is None)
