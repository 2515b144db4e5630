import asyncio

import aiohttp
import pytest

from pointsman.core.errors import StartError
from pointsman.observe import Metrics
from pointsman.transports.api import HttpServer, metrics_app


def test_the_metrics_port_has_metrics_alone() -> None:
    """The second application shows metrics and nothing of the management API."""

    async def scenario() -> tuple[int, bytes, int, int]:
        metrics = Metrics()
        async with (
            HttpServer(metrics_app(metrics.render), purpose="metrics", port=0) as server,
            aiohttp.ClientSession(server.url) as http,
        ):
            async with http.get("/metrics") as response:
                status, body = response.status, await response.read()
            async with http.get("/config") as config, http.post("/metrics") as posted:
                return status, body, config.status, posted.status

    status, body, config, posted = asyncio.run(scenario())
    assert (status, config, posted) == (200, 404, 405)
    assert b"pointsman_build_info" in body


def test_a_port_in_use_names_the_address_and_the_remedy() -> None:
    """A start that fails says what, where, why and what to do."""

    async def scenario() -> None:
        app = metrics_app(lambda: b"")
        async with HttpServer(app, purpose="metrics", port=0) as first:
            second = HttpServer(
                metrics_app(lambda: b""),
                purpose="the management API",
                port=first.port,
                remedy="use --api-port",
            )
            with pytest.raises(StartError) as caught:
                await second.start()
            assert str(caught.value) == (
                f"the management API cannot listen on 127.0.0.1:{first.port}: the address is in use; "
                "use --api-port"
            )

    asyncio.run(scenario())


def test_an_address_that_is_not_ours_is_a_start_error() -> None:
    """A wrong bind address fails the same way."""

    async def scenario() -> None:
        with pytest.raises(StartError, match="no such address"):
            await HttpServer(metrics_app(lambda: b""), purpose="x", port=0, host="192.0.2.1").start()

    asyncio.run(scenario())


def test_the_default_address_is_the_loopback() -> None:
    """Without a bind address nobody but this machine gets in."""

    async def scenario() -> str:
        async with HttpServer(metrics_app(lambda: b""), purpose="x", port=0) as server:
            return server.url

    assert asyncio.run(scenario()).startswith("http://127.0.0.1:")


def test_stopping_twice_is_harmless_and_frees_the_port() -> None:
    """After a stop the port can be taken again."""

    async def scenario() -> None:
        server = HttpServer(metrics_app(lambda: b""), purpose="x", port=0)
        await server.start()
        await server.stop()
        await server.stop()
        async with HttpServer(metrics_app(lambda: b""), purpose="y", port=server.port):
            pass

    asyncio.run(scenario())
