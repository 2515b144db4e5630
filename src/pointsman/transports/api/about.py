"""Handlers that describe the API itself."""

from html import escape

from aiohttp import web

from pointsman import __version__
from pointsman.transports.api.context import Context, answer
from pointsman.transports.api.openapi import openapi
from pointsman.transports.api.planned import PLANNED
from pointsman.transports.api.shapes import Catalogue, CatalogueEntry

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>pointsman management API</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ border-bottom: 1px solid #ccc; padding: .4rem .6rem; text-align: left; vertical-align: top }}
code {{ font-family: ui-monospace, monospace; white-space: nowrap }}
</style></head><body>
<h1>pointsman {version}: management API</h1>
<p>The machine-readable description is <a href="openapi.json">openapi.json</a>.</p>
<table><thead><tr><th>Method</th><th>Path</th><th>Meaning</th></tr></thead><tbody>
{rows}
</tbody></table>
</body></html>
"""


async def catalogue(context: Context, _request: web.Request) -> web.Response:
    """All endpoints."""
    entries = [CatalogueEntry(route.method, route.path, route.summary) for route in context.routes]
    return answer(Catalogue("pointsman", __version__, entries, PLANNED))


async def openapi_json(context: Context, _request: web.Request) -> web.Response:
    """The OpenAPI document."""
    return answer(openapi(context.routes))


async def docs(context: Context, _request: web.Request) -> web.Response:
    """A page for people, with nothing loaded from anywhere."""
    rows = "\n".join(
        f"<tr><td>{escape(route.method)}</td><td><code>{escape(route.path)}</code></td>"
        f"<td>{escape(route.summary)}</td></tr>"
        for route in context.routes
    )
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    page = _PAGE.format(version=escape(__version__), rows=rows)
    return web.Response(text=page, content_type="text/html", headers=policy)
