"""The two applications: the whole API, and metrics alone for the metrics port."""

from collections.abc import Callable
from functools import partial

from aiohttp import web

from pointsman.observe.redact import Redactor
from pointsman.transports.api.backend import Backend
from pointsman.transports.api.context import Context, Limits, Route
from pointsman.transports.api.gate import Gate
from pointsman.transports.api.middleware import around
from pointsman.transports.api.status import metrics_response
from pointsman.transports.api.table import ROUTES

__all__ = ["Limits", "management_app", "metrics_app"]


def management_app(backend: Backend, *, redactor: Redactor, limits: Limits | None = None) -> web.Application:
    """The management API over `backend`; `redactor` masks what `/config` shows."""
    limits = limits or Limits()
    app = web.Application(middlewares=[around], client_max_size=limits.max_body_bytes)
    gate = Gate(limits.max_concurrent)
    context = Context(backend, redactor=redactor, gate=gate, limits=limits, routes=ROUTES)
    for route in ROUTES:
        _add(app, route, context)
    return app


def metrics_app(render: Callable[[], bytes]) -> web.Application:
    """`GET /metrics` and nothing else."""

    async def metrics(_request: web.Request) -> web.Response:
        return metrics_response(render())

    app = web.Application(middlewares=[around])
    app.router.add_get("/metrics", metrics)
    return app


def _add(app: web.Application, route: Route, context: Context) -> None:
    handler = partial(route.handle, context)
    if route.method == "GET":
        # Also answers HEAD, which load balancers like to probe with.
        app.router.add_get(route.path, handler)
    else:
        app.router.add_route(route.method, route.path, handler)
