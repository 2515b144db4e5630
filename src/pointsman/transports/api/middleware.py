"""What happens around every handler: a request id, and one shape for whatever goes wrong."""

import re
import uuid

import structlog
from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from pointsman import __version__
from pointsman.core.errors import HttpError, RequestError
from pointsman.transports.api.context import REQUEST_ID
from pointsman.transports.api.errors import error_response, with_status
from pointsman.transports.api.planned import planned_message

HEADER = "X-Request-Id"
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}")


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Run a handler; echo the client's request id or make one."""
    offered = request.headers.get(HEADER, "")
    request_id = offered if _ACCEPTABLE_ID.fullmatch(offered) else uuid.uuid4().hex
    request[REQUEST_ID] = request_id
    response = await _answered(request, handler, request_id)
    response.headers[HEADER] = request_id
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


async def _answered(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except HttpError as error:
        return error_response(error, request_id=request_id)
    except web.HTTPException as error:
        response = error_response(_of_framework(request, error), request_id=request_id)
        if allow := error.headers.get("Allow"):
            response.headers["Allow"] = allow
        return response
    except (ClientPayloadError, HttpProcessingError, web.RequestPayloadError):
        return error_response(RequestError("the body could not be read"), request_id=request_id)
    except Exception as error:  # noqa: BLE001 - the root of a request: a defect becomes a 500, not a broken connection
        structlog.get_logger().error(
            "management_api_defect", path=request.path, request_id=request_id, exc_info=error
        )
        return error_response(HttpError("internal error"), request_id=request_id)


def _of_framework(request: web.Request, error: web.HTTPException) -> HttpError:
    if error.status == 404:
        unknown = f"no such path: {request.path}; GET /api/v1 lists what there is"
        return with_status(404, planned_message(request.path, __version__) or unknown)
    if error.status == 405:
        return with_status(405, f"{request.method} is not allowed on {request.path}")
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return with_status(413, "the body is larger than the management API accepts")
    return with_status(error.status, error.reason or "error")
