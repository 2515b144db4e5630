"""Errors in the shape vLLM gives them."""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from pointsman.sim.wire import dump

_TYPES = {
    400: "BadRequestError",
    404: "NotFoundError",
    500: "InternalServerError",
    503: "ServiceUnavailableError",
}


class ApiError(Exception):
    """A request that gets an error answer: HTTP status, message, vLLM's error type, offending parameter."""

    def __init__(
        self, status: int, message: str, *, kind: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind or _TYPES.get(status) or phrase(status)
        self.param = param

    def body(self) -> dict[str, Any]:
        """The JSON document, also the payload of an error event inside a stream."""
        return {
            "error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.status}
        }

    def response(self) -> web.Response:
        """The whole answer."""
        return web.Response(status=self.status, body=dump(self.body()), content_type="application/json")


def phrase(status: int) -> str:
    """The standard's words for a status; "Error" where it has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def invalid(message: str, param: str | None = None) -> ApiError:
    """A body that does not parse or has the wrong types: vLLM calls this "Bad Request"."""
    return ApiError(400, message, kind="Bad Request", param=param)


def unknown_model(name: str) -> ApiError:
    """The model is neither the base model nor an adapter."""
    return ApiError(404, f"The model `{name}` does not exist.", param="model")
