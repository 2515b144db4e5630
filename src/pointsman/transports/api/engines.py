"""Handlers for those who run engines: which there are, sleep and adapters, for all replicas of a model."""

from typing import Final

from aiohttp import web

from pointsman import __version__
from pointsman.core.errors import Forbidden, RequestError
from pointsman.dialects.body import parse_object
from pointsman.transports.api.backend import EngineOrder
from pointsman.transports.api.context import Context, answer
from pointsman.transports.api.shapes_engines import LoadAdapter, Told, ToldAll, UnloadAdapter, Version

_OURS: Final = ("model", "id")
_MOST_PARAMETERS: Final = 32


async def version(_context: Context, _request: web.Request) -> web.Response:
    """Ours, not an engine's."""
    return answer(Version(__version__))


async def engines(context: Context, _request: web.Request) -> web.Response:
    """Every replica that is known, by model and address."""
    return answer(list(context.backend.engines()))


async def operate(context: Context, request: web.Request) -> web.Response:
    """Pass an order without a body on: ``/sleep``, ``/wake_up``, ``/is_sleeping``."""
    return await _told(context, request, b"")


async def load_adapter(context: Context, request: web.Request) -> web.Response:
    """Load an adapter everywhere."""
    asked = await context.read(request, LoadAdapter)
    if not asked.lora_name or not asked.lora_path:
        raise RequestError("lora_name, lora_path: must not be empty", param="lora_name")
    return await _told(context, request, await request.read())


async def unload_adapter(context: Context, request: web.Request) -> web.Response:
    """Unload an adapter everywhere."""
    asked = await context.read(request, UnloadAdapter)
    if not asked.lora_name:
        raise RequestError("lora_name: must not be empty", param="lora_name")
    return await _told(context, request, await request.read())


async def _told(context: Context, request: web.Request, raw: bytes) -> web.Response:
    if request.method != "GET":
        _no_browser(request)
    body = parse_object(raw).without("model") if raw else None
    inside = parse_object(raw).get("model") if raw else None
    if len(request.query) > _MOST_PARAMETERS:
        raise RequestError(f"at most {_MOST_PARAMETERS} query parameters, got {len(request.query)}")
    order = EngineOrder(
        method=request.method,
        path=request.path,
        query=tuple((name, value) for name, value in request.query.items() if name not in _OURS),
        body=body.encode() if body is not None else b"",
        model=request.query.get("model", inside if isinstance(inside, str) else ""),
        engine_id=request.query.get("id", ""),
    )
    model, told = await context.backend.tell_engines(order)
    succeeded = sum(_done(each) for each in told)
    failed = len(told) - succeeded
    status = 200 if not failed else 207 if succeeded else 502
    return answer(ToldAll(model, succeeded, failed, list(told)), status=status)


def _done(told: Told) -> bool:
    return told.status is not None and 200 <= told.status < 300


def _no_browser(request: web.Request) -> None:
    """A web page that an operator looks at must not put engines to sleep: there is no login in its way."""
    if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") != "none":
        raise Forbidden("engines are not operated from web pages")
