"""The HTTP application: routes, and what is common to all of them."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from pointsman.sim import (
    break_off,
    chat,
    completions,
    control,
    embeddings,
    errors,
    messages,
    reply,
    tokenization,
    wire,
)
from pointsman.sim.engine import Clock, Engine
from pointsman.sim.envelope import Envelope, receive, request_id
from pointsman.sim.faults import Fault, FaultBoard, FaultKind, FaultSpecError, parse_fault
from pointsman.sim.models import Models
from pointsman.sim.plan import Plan
from pointsman.sim.server import SIM, VISIT, Sim
from pointsman.sim.settings import SimSettings
from pointsman.sim.state import SimState, Visit

_log = logging.getLogger(__name__)

VERSION = "0.32.0+pointsman.sim"

_GENERATION = {
    "/v1/chat/completions": chat.plan,
    "/v1/completions": completions.plan,
    messages.PATH: messages.plan,
}
_DOCUMENTS = {
    "/v1/embeddings": embeddings.document,
    "/tokenize": tokenization.tokenize,
    "/detokenize": tokenization.detokenize,
}
_INFERENCE = frozenset({*_GENERATION, "/v1/embeddings"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
FAULT: web.RequestKey[Fault] = web.RequestKey("fault", Fault)


def build_app(settings: SimSettings, clock: Clock | None = None) -> web.Application:
    """One simulated engine as an aiohttp application.

    Its server must be started with `handler_cancellation=True`, or requests of clients that left run on;
    `running` does that. The fault `refuse` works only there, because it closes the listening socket.
    """
    app = web.Application(client_max_size=settings.max_body_bytes, middlewares=[_guard])
    started = int(time.time())
    for path, plan in _GENERATION.items():
        app.router.add_post(path, _generation(plan))
    for path, document in _DOCUMENTS.items():
        app.router.add_post(path, _document(document))
    app.router.add_get("/v1/models", _constant(lambda: wire.dump(Models(settings).listing(started))))
    app.router.add_get("/version", _constant(lambda: wire.dump({"version": VERSION})))
    for path in ("/health", "/ping"):
        app.router.add_get(path, _constant(lambda: b""))
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/sim/state", control.state)
    app.router.add_post("/sim/fault", control.fault)
    routes = frozenset(resource.canonical for resource in app.router.resources())
    app[SIM] = Sim(
        settings=settings,
        engine=Engine(settings, clock),
        board=FaultBoard(settings.fault, scope=settings.fault_scope),
        state=SimState(routes),
    )
    app.on_response_prepare.append(_name_request)
    app.on_shutdown.append(_release_stalled)
    return app


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the request, let its fault strike, and turn every refusal into vLLM's error shape."""
    sim = request.app[SIM]
    visit = request[VISIT] = Visit(request.path, request.method, request_id(request))
    sim.state.arrive(visit)
    connection = request.transport
    sim.busy.add(connection)
    try:
        answer = await _answer(request, handler)
    except errors.ApiError as error:
        answer = _refusal(request, error)
    except web.HTTPException as error:
        answer = _refusal(
            request, errors.ApiError(error.status, error.reason, kind=errors.phrase(error.status))
        )
    except break_off.BrokenOffError:
        return web.Response()  # the connection is closed: nobody will read it
    except (asyncio.CancelledError, ConnectionError):
        sim.state.leave(visit, "cancelled")
        raise
    finally:
        sim.busy.discard(connection)
        _log.info("%s %s model=%s fault=%s", visit.method, visit.path, visit.model, visit.fault)
    visit.status = answer.status
    sim.state.leave(visit, "answered")
    return answer


def _refusal(request: web.Request, error: errors.ApiError) -> web.Response:
    """The error in the shape of the API that was asked."""
    if request.path != messages.PATH:
        return error.response()
    body = wire.dump(messages.error_body(error))
    return web.Response(status=error.status, body=body, content_type="application/json")


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    fault = _fault_of(request)
    if fault is None:
        return await handler(request)
    request[FAULT] = fault
    request[VISIT].fault = str(fault)
    if fault.kind is FaultKind.STATUS:
        raise errors.ApiError(fault.amount, f"Simulated fault {fault}")
    if fault.kind is FaultKind.DELAY:
        await request.app[SIM].engine.clock.sleep(fault.amount / 1000.0)
    if fault.kind is not FaultKind.HANG or request.path not in _GENERATION:
        await break_off.before_answer(request, fault)
    answer = await handler(request)
    return await break_off.spoil(request, answer, fault) if isinstance(answer, web.Response) else answer


def _fault_of(request: web.Request) -> Fault | None:
    """The fault by header, or else the process-wide one. Raises ApiError (400)."""
    spec = request.headers.get("x-sim-fault")
    if spec is None:
        is_control = request.path.startswith("/sim/")
        return None if is_control else request.app[SIM].board.take(inference=request.path in _INFERENCE)
    try:
        fault = parse_fault(spec)
    except FaultSpecError as error:
        raise errors.invalid(str(error), "x-sim-fault") from None
    if fault.kind is FaultKind.REFUSE:
        raise errors.invalid("refuse is process-wide only: use --fault or POST /sim/fault", "x-sim-fault")
    return fault


def _generation(compose: Callable[[Envelope, SimSettings], Plan]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        plan = compose(await receive(request), request.app[SIM].settings)
        return await reply.send(request, plan, request.get(FAULT))

    return handle


def _document(compose: Callable[[Envelope, SimSettings], Any]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        document = compose(await receive(request), request.app[SIM].settings)
        request[VISIT].model = document.get("model")
        return web.Response(body=wire.dump(document), content_type="application/json")

    return handle


def _constant(body: Callable[[], bytes]) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        content = body()
        return web.Response(body=content, content_type="application/json" if content else "text/plain")

    return handle


async def _metrics(request: web.Request) -> web.StreamResponse:
    page = request.app[SIM].engine.metrics.exposition()
    return web.Response(body=page, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})


async def _name_request(request: web.Request, answer: web.StreamResponse) -> None:
    answer.headers["X-Request-Id"] = request[VISIT].request_id


async def _release_stalled(app: web.Application) -> None:
    app[SIM].stopping.set()
