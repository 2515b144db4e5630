"""The plugin response_cache in a router: who gets whose answer, and what is never kept."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from pointsman.cache.answers import Answers
from pointsman.stores.entry import Entry, Meaning, Near
from unit.cache.answers import QUESTION, USAGE, Router, completion

PARAPHRASE = "Please tell me what the capital city of Portugal is"
ANNA = {"x-authz-user-id": "anna"}
BORIS = {"x-authz-user-id": "boris"}


@pytest.fixture
def router() -> Iterator[Callable[..., Router]]:
    """Makes routers and closes them."""
    made: list[Router] = []

    def make(configuration: Mapping[str, Any] | None = None, **more: Any) -> Router:
        made.append(Router(configuration, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_second_time_it_answers(router: Callable[..., Router]) -> None:
    """A repeat and a paraphrase get the first answer, with its counts, under a new id."""

    async def run() -> None:
        one = router()
        first = await one.answered()
        assert first.response_headers["x-vsr-cache-scope"] == "anonymous"
        for question in (QUESTION, PARAPHRASE):
            again = await one.hit(question)
            assert again is not None
            body = json.loads(again.body)
            assert body["choices"] == completion()["choices"]
            assert body["usage"] == USAGE
            assert body["id"].startswith("chatcmpl-cache-")
        assert one.told == ["miss", "stored", "hit:exact", "hit:semantic"]

    asyncio.run(run())


def test_only_repeats_hit_in_exact_mode(router: Callable[..., Router]) -> None:
    """``mode: exact`` compares nothing."""

    async def run() -> None:
        one = router({"mode": "exact"})
        await one.answered()
        assert await one.hit(PARAPHRASE) is None
        assert await one.hit() is not None

    asyncio.run(run())


def test_the_threshold_of_the_plugin_goes_before_the_stores(router: Callable[..., Router]) -> None:
    """The nested key, the short one, the store's, in this order."""

    async def hits(configuration: dict[str, Any], **more: Any) -> bool:
        one = router(configuration, **more)
        await one.answered()
        return await one.hit(PARAPHRASE) is not None

    store = {"global": {"stores": {"response_cache": {"similarity_threshold": 1.0}}}}

    async def run() -> None:
        assert not await hits({}, **store)
        assert await hits({"similarity_threshold": 0.8}, **store)
        assert not await hits({"similarity_threshold": 0.8, "semantic": {"similarity_threshold": 1.0}})

    asyncio.run(run())


@pytest.mark.parametrize(
    ("scope", "mine", "others"),
    [
        ("user", ANNA, BORIS),
        ("user", ANNA, {}),
        ("user", {**ANNA, "x-authz-tenant-id": "a"}, {**ANNA, "x-authz-tenant-id": "b"}),
        ("team", {"x-authz-team-id": "red"}, {"x-authz-team-id": "blue"}),
        ("team", {"x-authz-user-groups": "red,all"}, {"x-authz-user-groups": "blue,all"}),
        ("tenant", {"x-authz-tenant-id": "a"}, {"x-authz-tenant-id": "b"}),
        ("tenant", {"x-authz-tenant-id": "a"}, {}),
        ("user", {}, ANNA),
    ],
)
def test_nobody_gets_answers_of_another_group(
    router: Callable[..., Router], scope: str, mine: dict[str, str], others: dict[str, str]
) -> None:
    """Users, teams and tenants are apart, and from those nobody knows; within the group it hits."""

    async def run() -> None:
        one = router({"scope": scope})
        await one.answered(headers=mine)
        assert await one.hit(headers=others) is None
        assert await one.hit(PARAPHRASE, headers=others) is None
        again = await one.hit(headers=mine)
        assert again is not None
        assert again.headers["x-vsr-cache-scope"] == (scope if mine else "anonymous")

    asyncio.run(run())


def test_global_answers_are_for_all(router: Callable[..., Router]) -> None:
    """``scope: global`` asks for no identity."""

    async def run() -> None:
        one = router({"scope": "global"})
        await one.answered(headers=ANNA)
        again = await one.hit(headers={**BORIS, "x-authz-tenant-id": "b"})
        assert again is not None
        assert again.headers["x-vsr-cache-scope"] == "global"

    asyncio.run(run())


def test_anonymous_requests_can_be_kept_out(router: Callable[..., Router]) -> None:
    """``anonymous: skip``: whom the scope cannot place is told so, and nothing is kept."""

    async def run() -> None:
        one = router({"anonymous": "skip"})
        first = await one.answered()
        assert first.response_headers["x-vsr-cache-scope"] == "none"
        assert first.answer is None
        assert one.told == ["bypass:anonymous"]

    asyncio.run(run())


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.2},
        {"seed": 7},
        {"response_format": {"type": "json_object"}},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"some_vendor_field": 1},
        {"user": "me"},
        {"headers": {"authorization": "Bearer other"}},
        {"headers": {"openai-project": "p"}},
        {"path": "/v1/chat/completions?api-version=2"},
    ],
)
def test_whatever_can_change_the_answer_is_part_of_the_key(
    router: Callable[..., Router], change: dict[str, Any]
) -> None:
    """The same question with another parameter, key or path is another request."""

    async def run() -> None:
        one = router()
        await one.answered()
        assert await one.hit(**change) is None
        assert await one.hit() is not None

    asyncio.run(run())


def test_the_conversation_before_the_question_is_part_of_the_key(router: Callable[..., Router]) -> None:
    """The last question alone means nothing in another conversation."""
    first = [{"role": "user", "content": "I moved to Spain."}, {"role": "assistant", "content": "Nice!"}]
    last = {"role": "user", "content": "What is the capital?"}

    async def run() -> None:
        one = router()
        await one.answered(messages=[*first, last])
        assert (
            await one.hit(messages=[{"role": "user", "content": "I moved to Peru."}, first[1], last]) is None
        )
        assert await one.hit(messages=[last]) is None
        assert await one.hit(messages=[*first, last]) is not None

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (completion(finish_reason="length"), "finish"),
        (completion(finish_reason="content_filter"), "finish"),
        (completion("", message={"tool_calls": [{"id": "1"}]}, finish_reason="tool_calls"), "tools"),
        (completion("  "), "empty"),
        (completion(message={"refusal": "no"}), "refused"),
        (completion(logprobs={"content": []}), "logprobs"),
        ({**completion(), "choices": completion()["choices"] * 2}, "choices"),
        ({**completion(), "x_vsr_response_warnings": ["response_pii"]}, "guarded"),
        ({"error": {"message": "no"}}, "unreadable"),
        (b"not json", "unreadable"),
        (completion("word " * 60_000), "too_large"),
        (b'data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\n\n', "cut"),
        (b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n', "cut"),
        (b'data: {"error":{"message":"no"}}\n\ndata: [DONE]\n\n', "unreadable"),
        (b'data: {"choices":[{"index":0,"delta":{"new":"a"}}]}\n\ndata: [DONE]\n\n', "unknown"),
    ],
)
def test_what_is_not_whole_is_never_kept(
    router: Callable[..., Router], answer: dict[str, Any] | bytes, reason: str
) -> None:
    """Cut, refused, erroneous, guarded and odd answers are for their client alone, and counted."""

    async def run() -> None:
        one = router()
        await one.answered(answer=answer)
        assert one.told == ["miss", f"refused:{reason}"]
        assert await one.hit() is None

    asyncio.run(run())


def test_errors_are_never_kept(router: Callable[..., Router]) -> None:
    """Only 200 is an answer."""

    async def run() -> None:
        one = router()
        await one.answered(status=500)
        assert one.told == ["miss", "refused:status"]

    asyncio.run(run())


def test_an_answer_without_counts_is_given_to_those_who_need_none(router: Callable[..., Router]) -> None:
    """A stream kept without usage answers such streams; JSON goes to the model, whose answer replaces it."""
    stream = (
        b'data: {"model":"base","choices":[{"index":0,"delta":{"content":"Lisbon"},"finish_reason":"stop"}]}\n\n'
        b"data: [DONE]\n\n"
    )

    async def run() -> None:
        one = router()
        await one.answered(answer=stream, stream=True)
        assert await one.hit(stream=True) is not None
        assert await one.hit(stream=True, stream_options={"include_usage": True}) is None
        await one.answered()
        assert "left:replaced" in one.told
        assert await one.hit(stream=True, stream_options={"include_usage": True}) is not None

    asyncio.run(run())


def test_clients_control_the_cache_where_the_document_lets_them(router: Callable[..., Router]) -> None:
    """no-cache asks anew, no-store keeps nothing, bypass does both, max-age=0 finds everything too old."""
    name = "x-vsr-cache-control"

    async def run() -> None:
        one = router({"request_controls": {"enabled": True}})
        await one.answered(headers={name: "no-store"})
        assert await one.hit() is None
        await one.answered()
        assert await one.hit(headers={name: "no-cache"}) is None
        assert await one.hit(headers={name: "bypass"}) is None
        assert await one.hit(headers={name: "max-age=0"}) is None
        assert await one.hit(headers={name: "max-age=60"}) is not None
        deaf = router()
        await deaf.answered()
        assert await deaf.hit(headers={name: "bypass"}) is not None

    asyncio.run(run())


def test_personal_data_that_was_masked_stays_with_its_user(router: Callable[..., Router]) -> None:
    """A request in which personal data was masked is kept for its own user, and in no wider scope."""
    question = "Write to anna.berg@example.com about the capital of Portugal"
    mask = [{"type": "pii_mask", "configuration": {}}]

    async def run() -> None:
        wide = router({"scope": "global"}, plugins=mask)
        await wide.answered(question)
        assert wide.told == ["bypass:personal"]
        anonymous = router({}, plugins=mask)
        await anonymous.answered(question)
        assert anonymous.told == ["bypass:personal"]
        own = router({}, plugins=mask)
        await own.answered(question, headers=ANNA)
        assert await own.hit(question, headers=ANNA) is not None
        other = question.replace("anna.berg", "carl.berg")
        assert await own.hit(other, headers=ANNA) is None

    asyncio.run(run())


def test_what_a_guard_objected_to_is_not_kept(router: Callable[..., Router]) -> None:
    """An answer that a guard of answers masked is for its client alone."""
    guard = [{"type": "response_pii", "configuration": {"action": "mask"}}]
    leak = completion("Ask anna.berg@example.com about it, she knows all about the city of Lisbon.")

    async def run() -> None:
        one = router({}, plugins=guard)
        await one.answered(answer=leak)
        assert one.told == ["miss", "refused:guarded"]
        await one.answered(answer=completion("It is a large one by the sea."))
        assert await one.hit() is not None

    asyncio.run(run())


def test_retention_of_the_decision_is_obeyed(router: Callable[..., Router]) -> None:
    """``emits.retention.drop`` keeps nothing."""

    async def run() -> None:
        one = router({}, decision={"emits": [{"kind": "retention", "retention": {"drop": True}}]})
        await one.answered()
        assert one.told == ["miss", "refused:asked"]

    asyncio.run(run())


def test_a_changed_document_starts_afresh_and_an_unchanged_one_does_not(
    router: Callable[..., Router],
) -> None:
    """Answers outlive a new generation; another revision, or other models, have their own."""

    async def run() -> None:
        answers = Answers()
        await router({}, answers=answers).answered()
        assert await router({}, answers=answers).hit() is not None
        assert await router({"revision": {"cache_epoch": "2"}}, answers=answers).hit() is None

    asyncio.run(run())


def test_a_cache_switched_off_keeps_nothing_and_forgets(router: Callable[..., Router]) -> None:
    """``stores.response_cache.enabled: false`` empties the store; requests pass unread."""
    off = {"global": {"stores": {"response_cache": {"enabled": False}}}}

    async def run() -> None:
        answers = Answers()
        await router({}, answers=answers).answered()
        forward = await router({}, answers=answers, **off).answered()
        assert forward.answer is None
        assert answers.store.size() == (0, 0)

    asyncio.run(run())


class _Broken:
    """A store that fails, or never answers."""

    backend = "memory"

    def __init__(self, *, slow: bool) -> None:
        self._slow = slow

    async def exact(self, partition: bytes, question: bytes) -> Entry | None:  # noqa: ARG002  # the port
        await self._fail()
        return None

    async def nearest(self, partition: bytes, meaning: Meaning, *, most: int) -> tuple[Near, ...]:  # noqa: ARG002
        await self._fail()
        return ()

    async def used(self, entry: Entry) -> None:  # noqa: ARG002  # the port
        await self._fail()

    async def put(self, entry: Entry) -> Mapping[str, int]:  # noqa: ARG002  # the port
        await self._fail()
        return {}

    def size(self) -> tuple[int, int]:
        return 0, 0

    async def _fail(self) -> None:
        if self._slow:
            await asyncio.Event().wait()
        raise OSError("the store is gone")


@pytest.mark.parametrize(("slow", "detail"), [(False, "error"), (True, "timeout")])
def test_a_store_that_fails_costs_nothing_but_hits(
    router: Callable[..., Router], slow: bool, detail: str
) -> None:
    """Requests go on, and each failure is counted."""
    quick = {"global": {"stores": {"response_cache": {"timeout_ms": 5 if slow else 60_000}}}}

    async def run() -> None:
        one = router({}, answers=Answers(_Broken(slow=slow)), **quick)
        await one.answered()
        assert one.told == [f"failed:{detail}", f"failed:{detail}", "miss", f"failed:{detail}"]

    asyncio.run(run())


def test_requests_at_once_wait_for_the_first(router: Callable[..., Router]) -> None:
    """While one is on its way, others with the same question wait for its answer instead of asking too."""
    patient = {"global": {"stores": {"response_cache": {"wait_ms": 60_000}}}}

    async def run() -> None:
        one = router({}, **patient)
        first = (await one.route()).verdict
        others = [asyncio.create_task(one.hit()) for _ in range(5)]
        done, _ = await asyncio.wait(others, timeout=0.05)
        assert not done
        work = first.answer()  # type: ignore[union-attr]
        await work.start(200, {"content-type": "application/json"})
        await work.feed(json.dumps(completion()).encode(), end=True)
        assert all(await asyncio.gather(*others))
        assert one.told.count("waited:ended") == 5
        assert len(one.runtime.answers.flights) == 0

    asyncio.run(run())


def test_a_first_one_that_never_ends_is_given_up_on(router: Callable[..., Router]) -> None:
    """Who waited in vain asks the model, and is the one that the next wait for."""
    hasty = {"global": {"stores": {"response_cache": {"wait_ms": 5}}}}

    async def run() -> None:
        one = router({}, **hasty)
        await one.route()
        await one.answered()
        assert "waited:in_vain" in one.told
        assert await one.hit() is not None

    asyncio.run(run())


def test_a_cancelled_request_leaves_nobody_waiting(router: Callable[..., Router]) -> None:
    """Cancelled while it looks for similar questions, it is no longer waited for."""

    async def run() -> None:
        one = router()
        for turns in range(1, 40):
            task = asyncio.create_task(one.route(f"{QUESTION} {turns}"))
            for _ in range(turns):
                await asyncio.sleep(0)
            if task.done():
                break
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert len(one.runtime.answers.flights) == 0

    asyncio.run(run())


def test_explaining_a_request_does_not_touch_the_cache(router: Callable[..., Router]) -> None:
    """Questions about routing are not answered from the cache and start nothing."""

    async def run() -> None:
        one = router()
        await one.answered()
        told = list(one.told)
        pipeline = one.runtime.pipeline
        one.runtime = type(one.runtime)(
            one.runtime.settings,
            one.runtime.catalog,
            one.runtime.encoder,
            pipeline.unmetered(),
            one.runtime.ledger,
        )
        assert await one.hit() is None
        assert one.told == told

    asyncio.run(run())


def test_hits_count_as_requests_and_not_as_tokens(router: Callable[..., Router]) -> None:
    """A rate limit on requests counts hits, since they come after it; one on tokens gets its estimate back."""

    def limits(rule: dict[str, Any]) -> dict[str, Any]:
        provider = {
            "type": "local-limiter",
            "rules": [{"name": "r", "match": {"user": "*"}, "unit": "hour", **rule}],
        }
        return {"global": {"services": {"ratelimit": {"providers": [provider]}}}}

    async def run() -> None:
        counted = router({}, **limits({"requests_per_unit": 2}))
        await counted.answered(headers=ANNA)
        assert await counted.hit(headers=ANNA) is not None
        third = (await counted.route(headers=ANNA)).verdict
        assert third.status == 429  # type: ignore[union-attr]
        tokens = router({}, **limits({"tokens_per_unit": 250}))
        await tokens.answered(headers={**ANNA, "x-request-id": "0"}, max_tokens=100)
        for number in range(1, 9):
            headers = {**ANNA, "x-request-id": str(number)}
            assert await tokens.hit(headers=headers, max_tokens=100) is not None

    asyncio.run(run())
