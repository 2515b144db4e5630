"""How each kind of route becomes a request handler."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from pointsman.sim import audio, reply, wire
from pointsman.sim.envelope import Envelope, receive
from pointsman.sim.faults import Fault
from pointsman.sim.models import Models
from pointsman.sim.plan import Plan, Reading
from pointsman.sim.server import SIM, VISIT, Sim

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FAULT: web.RequestKey[Fault] = web.RequestKey("fault", Fault)


def generation(compose: Callable[[Envelope, Models], Plan]) -> Handler:
    """A route that generates tokens."""

    async def handle(request: web.Request) -> web.StreamResponse:
        plan = compose(await receive(request), request.app[SIM].models)
        return await reply.send(request, plan, request.get(FAULT))

    return handle


def reading(compose: Callable[[Envelope, Models], Reading]) -> Handler:
    """A route that reads a prompt and generates nothing."""

    async def handle(request: web.Request) -> web.StreamResponse:
        found = compose(await receive(request), request.app[SIM].models)
        return await reply.read(request, found, request.get(FAULT))

    return handle


async def transcription(request: web.Request) -> web.StreamResponse:
    """The routes that take a form with audio."""
    plan = await audio.plan(request, request[VISIT].request_id, request.app[SIM].models)
    return await reply.send(request, plan, request.get(FAULT))


def document(compose: Callable[[Envelope, Models], Any]) -> Handler:
    """A route that asks no model."""

    async def handle(request: web.Request) -> web.StreamResponse:
        found = compose(await receive(request), request.app[SIM].models)
        return web.Response(body=wire.dump(found), content_type="application/json")

    return handle


def shown(look: Callable[[Sim], Any]) -> Handler:
    """A GET route that shows something of the engine."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return web.Response(body=wire.dump(look(request.app[SIM])), content_type="application/json")

    return handle


async def health(_: web.Request) -> web.StreamResponse:
    """Alive."""
    return web.Response()


async def metrics(request: web.Request) -> web.StreamResponse:
    """The Prometheus page."""
    page = request.app[SIM].engine.metrics.exposition()
    return web.Response(body=page, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
