"""Our Envoy and our own ext_proc server together: both sides of ``wire.contract``."""

import asyncio
from pathlib import Path

import pytest
from envoy_lab import Lab, eventually
from routed_lab import RoutedLab

from pointsman.core.verdict import Forward, HeaderEdits, Reply

pytestmark = pytest.mark.envoy


def test_our_server_and_our_envoy_agree() -> None:
    """Pool, rewrites, conditional response headers, replies and the outcome's metadata all arrive."""
    forward = Forward(
        "main",
        body=b'{"new": true}',
        headers=HeaderEdits(set={"x-selected-model": "m"}),
        path="/v1/new",
        response_headers={"x-vsr-schema-version": "2"},
        success_headers={"x-vsr-selected-model": "m"},
    )

    async def body() -> None:
        async with RoutedLab(forward) as lab:
            status, answer, headers = await lab.ask()
            assert (status, answer) == (200, {"backend": "b0"})
            assert (headers["x-vsr-schema-version"], headers["x-vsr-selected-model"]) == ("2", "m")
            seen = lab.backends[0].seen[-1]
            assert (seen["path"], seen["body"]) == ("/v1/new", b'{"new": true}')
            assert lab.router.managed is True
            lab.backends[0].status = 500
            status, _, headers = await lab.ask()
            assert (status, headers["x-vsr-schema-version"]) == (500, "2")
            assert "x-vsr-selected-model" not in headers
            lab.router.verdict = Reply(429, {"content-type": "application/json"}, b'{"mine": 1}')
            assert (await lab.ask())[:2] == (429, {"mine": 1})
            async with lab.session.get("/v1/models") as models:
                assert (models.status, await models.text()) == (200, "models")
            await eventually(lambda: len(lab.outcomes) == 4, "four outcomes")
            (served,) = [outcome for outcome in lab.outcomes if outcome.completed and outcome.status == 200]
            assert served.metadata["request_id"] == served.request_id != ""
            await lab.server.stop(0)
            assert (await lab.ask())[0] == 503

    asyncio.run(body())


def test_a_running_stream_survives_our_server() -> None:
    """The server ends the decision's stream itself, so its own end costs no running answer."""

    async def body() -> None:
        stream = {"stream": True, "chunks": 20, "pause_s": 0.05}
        async with RoutedLab(Forward("main")) as lab, lab.open(stream) as response:
            first = await response.content.readline()
            await eventually(lambda: lab.server.streams == 0, "the end of the decision's stream")
            await lab.server.stop(0)
            rest = await response.content.read()
            assert first == b"data: 0\n"
            assert rest.endswith(b"data: [DONE]\n\n")

    asyncio.run(body())


def test_the_sockets_are_gone_with_the_lab() -> None:
    """Nothing of a run stays in the file system."""

    async def body() -> Path:
        async with Lab(replicas=1) as lab:
            await lab.ask()
            return lab.run.path

    assert not asyncio.run(body()).exists()
