"""An error as OpenAI clients expect it, with the headers of the router's contract.

Shape: ``{"error": {"message", "type", "param", "code"}}``; ``code`` is the HTTP status, as the upstream
router's contract has it.
"""

import msgspec

from pointsman.core import headers as names
from pointsman.core.errors import HttpError, RateLimited
from pointsman.core.verdict import Reply

_RESPONSE_PATH = {429: "rate_limited"}


def error_reply(error: HttpError) -> Reply:
    """Render ``error`` for the client."""
    headers = {
        "content-type": "application/json",
        names.SCHEMA_VERSION: "2",
        names.RESPONSE_PATH: _RESPONSE_PATH.get(error.status, "error"),
    }
    if error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    headers |= limit_headers(error)
    body = {
        "error": {
            "message": error.message,
            "type": error.type,
            "param": error.param,
            "code": error.status,
        }
    }
    return Reply(error.status, headers, msgspec.json.encode(body))


def limit_headers(error: HttpError) -> dict[str, str]:
    """What a caller over its rate limit may count on; ``reset`` is in seconds from now."""
    if not isinstance(error, RateLimited):
        return {}
    return {
        "x-ratelimit-limit": str(error.limit),
        "x-ratelimit-remaining": str(error.remaining),
        "x-ratelimit-reset": str(error.retry_after),
    }
