"""One order to many engines."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from pointsman.core.endpoint import Endpoint
from pointsman.fleet.controls import MAX_ANSWER, Order, tell

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serving(handle: Handle) -> tuple[web.AppRunner, str]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"127.0.0.1:{runner.addresses[0][1]}"


def told(handle: Handle, order: Order, copies: int = 1, **more: Any) -> Any:
    async def run() -> Any:
        runner, address = await serving(handle)
        try:
            endpoints = [Endpoint(address, "p", name=str(number)) for number in range(copies)]
            return await tell(
                endpoints, order, headers={"p": {"authorization": "k"}}, **{"timeout_s": 5.0, **more}
            )
        finally:
            await runner.cleanup()

    return asyncio.run(run())


def test_an_engine_gets_the_order_as_it_is() -> None:
    """Method, query, body and the pool's credentials; what it answers comes back decoded."""

    async def handle(request: web.Request) -> web.Response:
        return web.json_response(
            [request.method, request.path_qs, await request.text(), request.headers["authorization"]]
        )

    order = Order("POST", "/wake_up", (("tags", "a b"), ("tags", "c")), b'{"x":1}')
    [outcome] = told(handle, order)
    assert outcome.done
    assert outcome.body == ["POST", "/wake_up?tags=a+b&tags=c", '{"x":1}', "k"]


def test_what_is_no_json_is_a_text() -> None:
    """VLLM answers some orders in plain words, others with nothing."""

    async def words(_: web.Request) -> web.Response:
        return web.Response(text="Success")

    async def nothing(_: web.Request) -> web.Response:
        return web.Response(status=404)

    [outcome] = told(words, Order("POST", "/"))
    assert (outcome.body, outcome.done) == ("Success", True)
    [outcome] = told(nothing, Order("POST", "/"))
    assert (outcome.body, outcome.status, outcome.done) == (None, 404, False)


def test_an_engine_that_does_not_answer_holds_up_nobody() -> None:
    """Its outcome says so when its time is over."""

    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    [outcome] = told(hang, Order("POST", "/"), timeout_s=0.05)
    assert (outcome.status, outcome.error) == (None, "no answer within 0.05 s")


def test_an_answer_without_end_is_cut() -> None:
    """Nobody has to keep more than a bound."""

    async def much(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * (MAX_ANSWER + 1))

    [outcome] = told(much, Order("GET", "/"))
    assert (outcome.status, "more than" in outcome.error) == (None, True)


def test_engines_that_are_gone_are_told_apart() -> None:
    """One outcome each, in the order of the engines."""

    async def run() -> Any:
        gone = Endpoint("127.0.0.1:1", "p")
        return await tell([gone, gone], Order("POST", "/"), headers={}, timeout_s=5.0)

    first, second = asyncio.run(run())
    assert first.error
    assert second.status is None


def test_only_so_many_are_spoken_to_at_once() -> None:
    """Of ten, never more than three."""
    inside = most = 0

    async def count(_: web.Request) -> web.Response:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.01)
        inside -= 1
        return web.Response()

    outcomes = told(count, Order("POST", "/"), copies=10, at_once=3)
    assert (most, len(outcomes)) == (3, 10)
    assert all(outcome.done for outcome in outcomes)
