"""Reading metrics pages and asking for tokens, from real servers that behave and misbehave."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest
from aiohttp import web

from pointsman.core.endpoint import Endpoint, Health
from pointsman.fleet.engine_tokens import EngineTokens
from pointsman.fleet.load import Loads
from pointsman.fleet.load_watch import LoadWatch, Look
from pointsman.fleet.roster import Roster

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(path: str, handler: Handler, method: str = "GET") -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def looked(loads: Loads, *endpoints: Endpoint) -> Counter[Look]:
    looks: Counter[Look] = Counter()
    watch = LoadWatch(
        Roster(endpoints), loads, interval_s=1.0, timeout_s=0.3, on_look=lambda look: looks.update([look])
    )
    async with aiohttp.ClientSession() as session:
        await watch.look(session)
    return looks


def test_what_engines_report_reaches_the_load_view() -> None:
    """Each endpoint is read once although it serves two pools; the dead, the foreign and the slow are counted."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="vllm:num_requests_running 3\n")

    async def foreign(_: web.Request) -> web.Response:
        return web.Response(text="up 1\n")

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"vllm:num_requests_running 3\n" * 40_000)

    async def main() -> None:
        loads = Loads()
        async with (
            serving("/metrics", page) as well,
            serving("/metrics", foreign) as other,
            serving("/metrics", slow) as late,
            serving("/metrics", endless) as vast,
        ):
            looks = await looked(
                loads,
                Endpoint(well, "one"),
                Endpoint(well, "two"),
                Endpoint(other, "one"),
                Endpoint(late, "one"),
                Endpoint(vast, "one"),
                Endpoint("127.0.0.1:1", "one"),
                Endpoint("127.0.0.1:2", "one", health=Health.DOWN),
            )
            assert loads.view([well])[0].busy == 3
        assert looks == {Look.OK: 1, Look.NOT_VLLM: 1, Look.UNREACHABLE: 3}
        assert loads.endpoints == (well,)

    asyncio.run(main())


def test_the_watch_goes_on_until_it_is_ended() -> None:
    """Looks follow each other, and cancelling leaves nothing behind."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="vllm:num_requests_running 1\n")

    async def main() -> None:
        looks: Counter[Look] = Counter()
        third = asyncio.Event()

        def heard(look: Look) -> None:
            looks[look] += 1
            if looks[look] >= 3:
                third.set()

        async with serving("/metrics", page) as address:
            roster = Roster([Endpoint(address, "m")])
            watch = LoadWatch(roster, Loads(), interval_s=0.01, timeout_s=1.0, on_look=heard)
            task = asyncio.create_task(watch.run())
            async with asyncio.timeout(20):
                await third.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


def test_tokens_are_asked_for_once() -> None:
    """The same prompt again is answered from memory; what is no prompt is not sent."""
    asked: list[dict[str, object]] = []

    async def tokenize(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"tokens": [1, 2, 3], "count": 3})

    async def main() -> None:
        tokens = EngineTokens(timeout_s=5.0)
        async with serving("/tokenize", tokenize, "POST") as address:
            body = {"prompt": msgspec.Raw(b'"hello"'), "user": msgspec.Raw(b'"anna"')}
            found = [await tokens.of(f"http://{address}", "m", body) for _ in range(3)]
        await tokens.close()
        assert found == [(1, 2, 3)] * 3
        assert asked == [{"model": "m", "prompt": "hello"}]

    asyncio.run(main())


@pytest.mark.parametrize("answer", [web.Response, None])
def test_an_engine_that_does_not_tell_is_left_alone_for_a_while(answer: type | None) -> None:
    """After an error, or too long a silence, requests go on without tokens and nobody asks again at once."""
    count = 0

    async def tokenize(_: web.Request) -> web.Response:
        nonlocal count
        count += 1
        if answer is None:
            await asyncio.sleep(30)
        return web.Response(status=500)

    async def main() -> None:
        tokens = EngineTokens(timeout_s=0.2, rest_s=60.0)
        async with serving("/tokenize", tokenize, "POST") as address:
            for number in range(5):
                body = {"prompt": msgspec.Raw(b'"%d"' % number)}
                assert await tokens.of(f"http://{address}", "m", body) is None
        await tokens.close()
        assert count == 1

    asyncio.run(main())
