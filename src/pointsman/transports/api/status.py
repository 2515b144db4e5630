"""Handlers that report: health, readiness, models, the running document, metrics."""

import platform

from aiohttp import web

from pointsman import __version__
from pointsman.core.errors import Unavailable
from pointsman.core.request import Head
from pointsman.transports.api.backend import Readiness
from pointsman.transports.api.context import Context, answer
from pointsman.transports.api.shapes import Health, ModelInfo, ModelsInfo, ModelsSummary, Ready, SystemInfo

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def health(_context: Context, _request: web.Request) -> web.Response:
    """The process answers; says nothing about readiness."""
    return answer(Health())


async def ready(context: Context, _request: web.Request) -> web.Response:
    """200 when traffic may come, else 503 with what is missing."""
    state = context.backend.readiness()
    return answer(_ready(state), status=503 if state.missing else 200)


async def models(context: Context, _request: web.Request) -> web.Response:
    """The names a client may use: the router's own answer, so that both ports say the same."""
    router = context.backend.router()
    reply = router.preview(Head("GET", "/v1/models", {}), managed=True) if router else None
    if reply is None:
        raise Unavailable("no configuration is built yet", retry_after=1)
    return web.Response(status=reply.status, body=reply.body, content_type="application/json")


async def models_info(context: Context, _request: web.Request) -> web.Response:
    """Our classification models."""
    infos = [
        ModelInfo(
            name=classifier.name,
            type=classifier.type,
            loaded=classifier.loaded,
            categories=classifier.categories,
            metadata=dict(classifier.metadata),
        )
        for classifier in context.backend.classifiers()
    ]
    loaded = sum(info.loaded for info in infos)
    system = SystemInfo(platform.python_version(), platform.machine(), platform.system().lower(), __version__)
    return answer(ModelsInfo(infos, ModelsSummary(loaded == len(infos), loaded, len(infos)), system))


async def config(context: Context, _request: web.Request) -> web.Response:
    """The running document with its secrets hidden."""
    return answer(context.redactor.mask(context.backend.config()))


async def metrics(context: Context, _request: web.Request) -> web.Response:
    """All metrics, as on the metrics port."""
    return metrics_response(context.backend.metrics())


def metrics_response(text: bytes) -> web.Response:
    """Metrics as a Prometheus server expects them."""
    return web.Response(body=text, headers={"Content-Type": METRICS_TYPE})


def _ready(state: Readiness) -> Ready:
    missing = state.missing
    return Ready(
        status="starting" if missing else "ready",
        ready=not missing,
        phase=state.phase,
        message="; ".join(missing) or "ready for traffic",
        missing=missing,
        pending_models=state.pending_models,
        ready_models=max(0, state.total_models - len(state.pending_models)),
        total_models=state.total_models,
    )
