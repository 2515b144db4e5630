"""The application: OpenAI's files and batches."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from pointsman.batches.runner import Runner
from pointsman.batches.store import Store
from pointsman.batches.values import COMPLETION_WINDOW, WINDOW_S, Batch, File, StoredBatch
from pointsman.core.errors import HttpError, Overloaded, RequestError
from pointsman.dialects.body import decode
from pointsman.dialects.endpoints import ENDPOINTS
from pointsman.dialects.errors import error_reply
from pointsman.dialects.identity import IdentityHeaders
from pointsman.dialects.metadata import checked_metadata
from pointsman.transports.files import upload

MAX_UPLOADS: Final = 8
"""At the same time."""
MAX_BODY: Final = 1 << 20
_MOST: Final = 100
"""Entries of one page of a list of batches; files have more."""
_MOST_FILES: Final = 10_000
RUNNABLE: Final = frozenset(path for path in ENDPOINTS if not path.startswith(("/v1/audio", "/v1/images/")))
"""What requests of a batch may ask for: JSON in, JSON out."""
T = TypeVar("T", File, Batch)


class _Create(msgspec.Struct):
    input_file_id: str
    endpoint: str
    completion_window: str
    metadata: Any = None


class Conflict(RequestError):
    """It is in use (409)."""

    status = 409


class Service(msgspec.Struct, frozen=True):
    """What the handlers work with."""

    store: Store
    runner: Runner
    identity: IdentityHeaders
    keep_s: float
    uploads: list[int]
    now: Callable[[], float] = time.time


def files_app(
    store: Store,
    runner: Runner,
    identity: IdentityHeaders,
    *,
    keep_s: float,
    now: Callable[[], float] = time.time,
) -> web.Application:
    """The application over a store and the runner that works on it.

    ``identity`` names the headers that say who asks; whether they can be believed is settled before us.
    """
    service = Service(store, runner, identity, keep_s, [], now)
    app = web.Application(middlewares=[_around], client_max_size=MAX_BODY)
    for method, path, handle in (
        ("POST", "/v1/files", create_file),
        ("GET", "/v1/files", list_files),
        ("GET", "/v1/files/{id}", get_file),
        ("DELETE", "/v1/files/{id}", delete_file),
        ("GET", "/v1/files/{id}/content", file_content),
        ("POST", "/v1/batches", create_batch),
        ("GET", "/v1/batches", list_batches),
        ("GET", "/v1/batches/{id}", get_batch),
        ("POST", "/v1/batches/{id}/cancel", cancel_batch),
    ):
        app.router.add_route(method, path, partial(handle, service))
    return app


async def create_file(service: Service, request: web.Request) -> web.StreamResponse:
    """Upload."""
    if len(service.uploads) >= MAX_UPLOADS:
        raise Overloaded(f"{MAX_UPLOADS} files are being uploaded already", retry_after=1)
    service.uploads.append(1)
    try:
        owner = _owner(service, request)
        now = int(service.now())
        return _json(await upload.receive(request, service.store, owner, keep_s=service.keep_s, now=now))
    finally:
        service.uploads.pop()


async def list_files(service: Service, request: web.Request) -> web.StreamResponse:
    """The owner's, the newest first."""
    owner, purpose = _owner(service, request), request.query.get("purpose")
    found = [
        one.value
        for one in service.store.files
        if one.owner == owner and purpose in {None, one.value.purpose}
    ]
    return _page(request, found, _MOST_FILES)


async def get_file(service: Service, request: web.Request) -> web.StreamResponse:
    """One."""
    return _json(service.store.file(request.match_info["id"], _owner(service, request)).value)


async def delete_file(service: Service, request: web.Request) -> web.StreamResponse:
    """Delete, unless a batch reads it."""
    identity = service.store.file(request.match_info["id"], _owner(service, request)).value.id
    for batch in service.store.batches:
        if batch.value.input_file_id == identity and not batch.value.over:
            raise Conflict(f"batch {batch.value.id} is reading this file; cancel it first")
    service.store.remove_file(identity)
    return _json({"id": identity, "object": "file", "deleted": True})


async def file_content(service: Service, request: web.Request) -> web.StreamResponse:
    """The bytes, sent by the kernel."""
    identity = service.store.file(request.match_info["id"], _owner(service, request)).value.id
    headers = {"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff"}
    return web.FileResponse(service.store.path(identity), headers=headers)


async def create_batch(service: Service, request: web.Request) -> web.StreamResponse:
    """Begin."""
    asked = decode(await request.read(), msgspec.json.Decoder(_Create))
    if asked.endpoint not in RUNNABLE:
        message = f"endpoint: must be one of {', '.join(sorted(RUNNABLE))}"
        raise RequestError(message, param="endpoint")
    if asked.completion_window != COMPLETION_WINDOW:
        raise RequestError(f'completion_window: must be "{COMPLETION_WINDOW}"', param="completion_window")
    owner, now = _owner(service, request), int(service.now())
    file = service.store.file(asked.input_file_id, owner).value
    if file.purpose != "batch":
        raise RequestError("input_file_id: the file's purpose must be batch", param="input_file_id")
    batch = Batch(
        id=service.store.new_batch_id(),
        endpoint=asked.endpoint,
        input_file_id=file.id,
        created_at=now,
        expires_at=now + WINDOW_S,
        metadata=dict(checked_metadata(asked.metadata)) or None,
    )
    said = {name: value for name in service.identity.asserted if (value := request.headers.get(name))}
    service.store.put_batch(StoredBatch(batch, owner, said))
    service.runner.take(batch.id)
    return _json(batch)


async def list_batches(service: Service, request: web.Request) -> web.StreamResponse:
    """The owner's, the newest first."""
    owner = _owner(service, request)
    return _page(request, [one.value for one in service.store.batches if one.owner == owner], _MOST)


async def get_batch(service: Service, request: web.Request) -> web.StreamResponse:
    """One."""
    return _json(service.store.batch(request.match_info["id"], _owner(service, request)).value)


async def cancel_batch(service: Service, request: web.Request) -> web.StreamResponse:
    """Stop; what is done is kept."""
    return _json(service.runner.cancel(request.match_info["id"], _owner(service, request)).value)


def _owner(service: Service, request: web.Request) -> str:
    return service.identity.read({k.lower(): v for k, v in request.headers.items()}).user


def _page(request: web.Request, found: Sequence[T], most: int) -> web.Response:
    """A page of a list, after the id the client has seen."""
    said = request.query.get("limit", "")
    limit = int(said) if said.isdigit() and len(said) < 9 else 20 if most == _MOST else most
    if not 1 <= limit <= most:
        raise RequestError(f"limit: must be 1 to {most}", param="limit")
    if request.query.get("order", "desc") == "asc":
        found = list(reversed(found))
    after = request.query.get("after")
    if after is not None:
        places = [place for place, one in enumerate(found) if one.id == after]
        if not places:
            raise RequestError(f'after: no entry "{after[:64]}"', param="after")
        found = found[places[0] + 1 :]
    page = list(found[:limit])
    document = {
        "object": "list",
        "data": page,
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
        "has_more": len(found) > limit,
    }
    return _json(document)


def _json(value: File | Batch | Mapping[str, Any]) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


@web.middleware
async def _around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """One shape for whatever goes wrong: OpenAI's."""
    try:
        return await handler(request)
    except HttpError as error:
        return _refusal(error)
    except web.HTTPException as error:
        refused = HttpError(_WORDS.get(error.status, error.reason))
        refused.status, refused.type = error.status, "invalid_request_error"
        return _refusal(refused)
    except Exception as error:  # noqa: BLE001  # one request's defect must not reach another's
        structlog.get_logger().error("defect", path=request.path, exc_info=error)
        return _refusal(HttpError("internal error"))


_WORDS: Final = {
    404: "endpoint not found",
    405: "this method is not allowed here",
    413: f"the body is larger than {MAX_BODY} bytes",
}


def _refusal(error: HttpError) -> web.Response:
    reply = error_reply(error)
    return web.Response(status=reply.status, headers=dict(reply.headers), body=reply.body)
