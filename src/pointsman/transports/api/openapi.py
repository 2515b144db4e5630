"""The OpenAPI document, generated from the route table."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, get_origin

import msgspec

from pointsman import __version__
from pointsman.transports.api.context import Route

_REF = "#/components/schemas/{name}"


def openapi(routes: Sequence[Route]) -> dict[str, Any]:
    """An OpenAPI 3.1 document of `routes`."""
    types = {
        _key(shape): shape
        for route in routes
        for shape in (route.takes, route.gives, route.failed)
        if shape is not None
    }
    schemas, components = msgspec.json.schema_components(types.values(), ref_template=_REF)
    references = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "pointsman management API", "version": __version__},
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(route: Route, references: dict[str, Any]) -> dict[str, Any]:
    schema = references[_key(route.gives)] if route.gives is not None else {}
    failed = {"application/json": {"schema": references[_key(route.failed)]}}
    responses: dict[str, Any] = {"200": {"description": "OK", "content": {route.media: {"schema": schema}}}}
    for status in route.failures:
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": failed}
    operation: dict[str, Any] = {
        "summary": route.summary,
        "responses": responses,
        "x-role": route.role,
    }
    if route.takes is not None:
        body = {"application/json": {"schema": references[_key(route.takes)]}}
        operation["requestBody"] = {"required": True, "content": body}
    if route.query:
        operation["parameters"] = [
            {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
            for name in route.query
        ]
    return operation


def _key(shape: Any) -> str:
    """Tells types apart; a list of something is named as Python writes it."""
    return str(shape) if get_origin(shape) else str(shape.__name__)
