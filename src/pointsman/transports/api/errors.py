"""Errors of the management API, and the one shape all of them have."""

from datetime import UTC, datetime
from http import HTTPStatus

import msgspec
from aiohttp import web

from pointsman.core.errors import HttpError, RequestError, Unavailable
from pointsman.transports.api.shapes import ErrorBody, ErrorDetail

_CODES = {
    400: "INVALID_INPUT",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    408: "REQUEST_TIMEOUT",
    413: "PAYLOAD_TOO_LARGE",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    503: "SERVICE_UNAVAILABLE",
}


class UnknownTask(RequestError):
    """A `task_type` that does not exist (400)."""

    code = "INVALID_TASK_TYPE"


class NoClassifier(Unavailable):
    """A classification was asked for while there is no encoder (503)."""

    code = "UNIFIED_CLASSIFIER_UNAVAILABLE"


class TooSlow(RequestError):
    """The body did not arrive in time (408)."""

    status = 408


def error_response(error: HttpError, *, request_id: str) -> web.Response:
    """`error` as an answer."""
    code = getattr(error, "code", "") or _code(error.status)
    detail = ErrorDetail(
        code=code,
        message=error.message,
        timestamp=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        request_id=request_id,
        field=error.param or "",
    )
    response = web.Response(
        status=error.status, body=msgspec.json.encode(ErrorBody(detail)), content_type="application/json"
    )
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def with_status(status: int, message: str) -> HttpError:
    """An error with a status that has no class of its own."""
    error = HttpError(message)
    error.status = status
    return error


def _code(status: int) -> str:
    if status in _CODES:
        return _CODES[status]
    try:
        return HTTPStatus(status).name
    except ValueError:
        return "ERROR"
