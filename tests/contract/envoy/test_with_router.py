"""Our Envoy and our own ext_proc server together: both sides of ``wire.contract``."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from envoy_lab import Lab, eventually

from pointsman.core.errors import HttpError
from pointsman.core.request import Head
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward, HeaderEdits, Reply, Verdict
from pointsman.transports.extproc.server import ExtProcOptions, ExtProcServer

pytestmark = pytest.mark.envoy


@dataclass
class _Router:
    """Gives every request the same verdict; ``GET`` is answered from the request line."""

    verdict: Verdict
    managed: bool | None = None

    def preview(self, head: Head, *, managed: bool) -> Reply | None:
        self.managed = managed
        return Reply(200, {"content-type": "text/plain"}, b"models") if head.method == "GET" else None

    async def route(self, head: Head, body: bytes) -> Ruling:
        del body
        return Ruling(self.verdict, Trace(request_id=head.request_id))

    def refuse(self, head: Head, error: HttpError) -> Ruling:
        reply = Reply(error.status, {}, error.message.encode())
        return Ruling(reply, Trace(request_id=head.request_id))


class _RoutedLab(Lab):
    """The lab, with the real server in the stub's place."""

    router: _Router
    server: ExtProcServer

    async def start_decider(self) -> None:
        self.server = ExtProcServer(
            lambda: self.router, ExtProcOptions(address=f"unix:{self.plan.extproc_socket}")
        )
        await self.server.start()


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
        lab = _RoutedLab(replicas=1)
        lab.router = _Router(forward)
        async with lab:
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
        lab = _RoutedLab(replicas=1)
        lab.router = _Router(Forward("main"))
        async with lab, lab.open({"stream": True, "chunks": 20, "pause_s": 0.05}) as response:
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
