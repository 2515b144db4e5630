"""Errors Envoy makes itself, in the shape and words that clients of OpenAI's or Anthropic's API expect.

Replies of the router pass through the same machinery in Envoy and must stay as they are: they are told apart
by their response code details.
"""

from dataclasses import dataclass
from typing import Any

from pointsman.transports.wire import contract

_CEL = "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
_MESSAGES = "request.url_path.endsWith('/messages')"
"""On the way to a model the path is that of the API its endpoints speak, and so is the shape of the error:
where the client speaks the other one, the answer's translation follows."""
_ANTHROPIC_TYPES = {"service_unavailable": "overloaded_error"}
_SILENT = "The request was given up after the idle timeout without a byte from the {side}."


@dataclass(frozen=True, slots=True)
class _Reply:
    """The first entry whose condition (CEL over Envoy's attributes) holds words the reply."""

    when: str
    type: str
    message: str
    retry_after_s: int | None = None


def _replies(max_body_bytes: int) -> tuple[_Reply, ...]:
    details, code = "response.code_details", "response.code"
    invalid, unavailable, timeout = "invalid_request_error", "service_unavailable", "timeout_error"
    return (
        _Reply(
            f"{code} == 503 && xds.route_name == '{contract.UNDECIDED_ROUTE}'",
            unavailable,
            "The router could not decide this request. It may be starting or overloaded; try again.",
            retry_after_s=1,
        ),
        _Reply(f"{code} == 413", invalid, f"The request body is larger than {max_body_bytes} bytes."),
        _Reply(f"{code} == 431", invalid, "The request headers are too large."),
        _Reply(
            f"{code} == 408 && {details}.startsWith('stream_idle')", timeout, _SILENT.format(side="client")
        ),
        _Reply(f"{code} == 408", timeout, "The request did not arrive in time."),
        _Reply(
            f"{code} == 404 || {code} == 405", invalid, "This method and path are not served by this gateway."
        ),
        _Reply(f"{code} == 403", invalid, "Protocol upgrades are not served by this gateway."),
        _Reply(f"{code} < 500", invalid, "The request is not well-formed HTTP: %RESPONSE_CODE_DETAILS%."),
        _Reply(f"{code} == 504", timeout, _SILENT.format(side="model's replica")),
        _Reply(
            f"{details}.startsWith('no_healthy_upstream')",
            unavailable,
            "No replica of the selected model is healthy; try again later.",
            retry_after_s=5,
        ),
        _Reply(
            f"{details}.contains('overflow')",
            unavailable,
            "The selected model is overloaded; try again later.",
            retry_after_s=1,
        ),
        _Reply(
            "true",
            unavailable,
            "The selected model's replica could not be reached or broke off before it answered; try again.",
            retry_after_s=1,
        ),
    )


def render(max_body_bytes: int) -> dict[str, Any]:
    """``LocalReplyConfig`` with one mapper an entry; there is no default, so the router's replies stay."""
    replies = _replies(max_body_bytes)
    return {
        "mappers": [
            *(_mapper(reply, f" && {_MESSAGES}", _anthropic_body(reply)) for reply in replies),
            *(_mapper(reply, "", _body(reply)) for reply in replies),
        ]
    }


def _mapper(reply: _Reply, further: str, body: dict[str, Any]) -> dict[str, Any]:
    ours = f"response.code_details == '{contract.REPLY_DETAILS}'"
    mapper: dict[str, Any] = {
        "filter": {
            "extension_filter": {
                "name": "envoy.access_loggers.extension_filters.cel",
                "typed_config": {"@type": _CEL, "expression": f"!({ours}) && ({reply.when}){further}"},
            }
        },
        "body_format_override": {"json_format": body},
    }
    if reply.retry_after_s is not None:
        mapper["headers_to_add"] = [
            {
                "header": {"key": "retry-after", "value": str(reply.retry_after_s)},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        ]
    return mapper


def _body(reply: _Reply) -> dict[str, Any]:
    # A lone command keeps its JSON type: the code is rendered as a number.
    error = {"message": reply.message, "type": reply.type, "param": None, "code": "%RESPONSE_CODE%"}
    return {"error": error}


def _anthropic_body(reply: _Reply) -> dict[str, Any]:
    kind = _ANTHROPIC_TYPES.get(reply.type, reply.type)
    return {"type": "error", "error": {"type": kind, "message": reply.message}}
