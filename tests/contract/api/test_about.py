import re
from typing import Any

import msgspec
import pytest

from pointsman.transports.api.table import ROUTES

from .backend import call


def references(node: Any) -> set[str]:
    """Every `$ref` below a node."""
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*(references(item) for item in node.values()))
    if isinstance(node, list):
        return set().union(*(references(item) for item in node))
    return set()


def test_every_route_is_in_the_openapi_document() -> None:
    """Neither a route without a description nor a description without a route."""
    paths = call("GET", "/openapi.json").json["paths"]
    described = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert described == {(route.method, route.path) for route in ROUTES}


def test_every_reference_of_the_openapi_document_resolves() -> None:
    """Each schema that is referred to is there."""
    document = call("GET", "/openapi.json").json
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document)
    assert references(document) <= known


def test_request_bodies_are_described() -> None:
    """A POST says what it takes, a failure what it looks like."""
    paths = call("GET", "/openapi.json").json["paths"]
    intent = paths["/api/v1/classify/intent"]["post"]
    body = intent["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/IntentRequest"}
    failed = intent["responses"]["400"]["content"]["application/json"]["schema"]
    assert failed == {"$ref": "#/components/schemas/ErrorBody"}


@pytest.mark.parametrize("route", [r for r in ROUTES if r.method == "GET" and r.gives], ids=lambda r: r.path)
def test_answers_are_what_is_described(route: Any) -> None:
    """The answer of each described GET endpoint reads as its type."""
    msgspec.json.decode(call("GET", route.path).body, type=route.gives)


def test_the_catalogue_lists_every_route_and_what_is_planned() -> None:
    """What there is, and what a later version brings."""
    listed = call("GET", "/api/v1").json
    assert {(entry["method"], entry["path"]) for entry in listed["endpoints"]} == {
        (route.method, route.path) for route in ROUTES
    }
    assert listed["planned"]["/api/v1/nli"] == "0.3"


def test_the_docs_page_loads_nothing() -> None:
    """Every route is on the page, and no byte of it comes from elsewhere."""
    answer = call("GET", "/docs")
    page = answer.body.decode()
    assert answer.headers["Content-Type"].startswith("text/html")
    assert all(f"<code>{route.path}</code>" in page for route in ROUTES)
    assert not re.search(r"src=|https?://|<script|@import|url\(", page)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
