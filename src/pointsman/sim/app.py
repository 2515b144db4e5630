"""The HTTP application: routes, and what is common to all of them."""

import asyncio
import logging
import time
from typing import Any

from aiohttp import web

from pointsman.sim import (
    audio,
    break_off,
    chat,
    completions,
    control,
    embeddings,
    errors,
    handlers,
    handover,
    lora,
    messages,
    pooling,
    responses,
    sleep,
    tokenization,
    wire,
)
from pointsman.sim.engine import Clock, Engine
from pointsman.sim.envelope import request_id
from pointsman.sim.faults import Fault, FaultBoard, FaultKind, FaultSpecError, Route, parse_fault
from pointsman.sim.handlers import FAULT, Handler
from pointsman.sim.models import Models
from pointsman.sim.server import SIM, VISIT, Sim
from pointsman.sim.settings import SimSettings
from pointsman.sim.state import SimState, Visit

_log = logging.getLogger(__name__)

VERSION = "0.32.0+pointsman.sim"

_GENERATION = {
    "/v1/chat/completions": chat.plan,
    "/v1/completions": completions.plan,
    messages.PATH: messages.plan,
    responses.PATH: responses.plan,
}
_READING = {
    "/v1/embeddings": embeddings.read,
    "/rerank": pooling.rerank,
    "/v1/rerank": pooling.rerank,
    "/v2/rerank": pooling.rerank,
    "/score": pooling.score,
    "/v1/score": pooling.score,
    "/classify": pooling.classify,
    "/pooling": pooling.pool,
}
_DOCUMENTS = {
    "/tokenize": tokenization.tokenize,
    "/detokenize": tokenization.detokenize,
    messages.COUNT_PATH: messages.count,
}
_OPERATIONS = {
    "/v1/load_lora_adapter": lora.load,
    "/v1/unload_lora_adapter": lora.unload,
    "/sleep": sleep.sleep,
    "/wake_up": sleep.wake_up,
    "/reset_prefix_cache": sleep.reset_prefix_cache,
    "/sim/fault": control.fault,
    "/sim/kv_events": control.kv_events,
    handover.PULL_PATH: control.pull,
}
_HEALTH = frozenset({"/health", "/ping"})
_INFERENCE = frozenset({*_GENERATION, *_READING, *audio.PATHS})


def build_app(settings: SimSettings, clock: Clock | None = None) -> web.Application:
    """One simulated engine as an aiohttp application.

    Its server must be started with `handler_cancellation=True`, or requests of clients that left run on;
    `running` does that, and it alone publishes KV events. The fault `refuse` works only there, because it
    closes the listening socket.
    """
    app = web.Application(client_max_size=settings.max_body_bytes, middlewares=[_guard])
    _add_routes(app, int(time.time()))
    routes = frozenset(resource.canonical for resource in app.router.resources())
    engine = Engine(settings, clock)
    app[SIM] = Sim(
        settings=settings,
        engine=engine,
        models=Models(settings, engine.adapters),
        handover=handover.Handover(engine),
        board=FaultBoard(settings.fault, scope=settings.fault_scope),
        state=SimState(routes),
    )
    app.on_response_prepare.append(_name_request)
    app.on_shutdown.append(_release_stalled)
    app.on_cleanup.append(_close)
    return app


def _add_routes(app: web.Application, started: int) -> None:
    posts: dict[str, Handler] = {
        **{path: handlers.generation(plan) for path, plan in _GENERATION.items()},
        **{path: handlers.reading(read) for path, read in _READING.items()},
        **{path: handlers.document(compose) for path, compose in _DOCUMENTS.items()},
        **dict.fromkeys(audio.PATHS, handlers.transcription),
        **_OPERATIONS,
    }
    gets: dict[str, Handler] = {
        "/v1/models": handlers.shown(lambda sim: sim.models.listing(started)),
        "/version": handlers.shown(lambda _: {"version": VERSION}),
        "/load": handlers.shown(lambda sim: {"server_load": len(sim.engine.runs)}),
        "/server_info": handlers.shown(_info),
        "/kv_event_sources": handlers.shown(_event_sources),
        "/is_sleeping": sleep.is_sleeping,
        "/metrics": handlers.metrics,
        "/sim/state": control.state,
        **dict.fromkeys(_HEALTH, handlers.health),
    }
    for path, handler in posts.items():
        app.router.add_post(path, handler)
    for path, handler in gets.items():
        app.router.add_get(path, handler)


def _info(sim: Sim) -> dict[str, Any]:
    """What the engine was told, by vLLM's key; vLLM's own value is a text or a document of its settings."""
    given = sim.settings
    return {"vllm_config": {"model": given.model, "max_model_len": given.max_model_len, "role": given.role}}


def _event_sources(sim: Sim) -> dict[str, Any]:
    return {str(sim.settings.dp_rank): sim.publisher.describe()} if sim.publisher else {}


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
    if not request.path.startswith(messages.PATH):
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
        await request.read()  # as an engine does: an unread body would end the connection as well
        raise errors.ApiError(fault.amount, f"Simulated fault {fault}")
    if fault.kind is FaultKind.DELAY:
        await request.app[SIM].engine.clock.sleep(fault.amount / 1000.0)
    if fault.kind is not FaultKind.HANG or request.path not in _INFERENCE:
        await break_off.before_answer(request, fault)
    answer = await handler(request)
    return await break_off.spoil(request, answer, fault) if isinstance(answer, web.Response) else answer


def _fault_of(request: web.Request) -> Fault | None:
    """The fault by header, or else the process-wide one. Raises ApiError (400)."""
    spec = request.headers.get("x-sim-fault")
    if spec is None:
        is_control = request.path.startswith("/sim/")
        return None if is_control else request.app[SIM].board.take(_route(request.path))
    try:
        fault = parse_fault(spec)
    except FaultSpecError as error:
        raise errors.invalid(str(error), "x-sim-fault") from None
    if fault.kind is FaultKind.REFUSE:
        raise errors.invalid("refuse is process-wide only: use --fault or POST /sim/fault", "x-sim-fault")
    return fault


def _route(path: str) -> Route:
    if path in _INFERENCE:
        return "inference"
    return "health" if path in _HEALTH else "other"


async def _name_request(request: web.Request, answer: web.StreamResponse) -> None:
    answer.headers["X-Request-Id"] = request[VISIT].request_id


async def _release_stalled(app: web.Application) -> None:
    app[SIM].stopping.set()


async def _close(app: web.Application) -> None:
    await app[SIM].handover.close()
