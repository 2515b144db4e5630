"""The HTTP filters of a listener, in the order a request meets them."""

from typing import Any

from pointsman.transports.envoy.plan import Limits
from pointsman.transports.wire import contract

_TYPE = "type.googleapis.com/envoy.extensions.filters.http."

EXTPROC_CLUSTER = "pointsman-router"
ANSWERS_CLUSTER = "pointsman-answers"
"""The same router over connections of their own: long answers take no place from decisions."""
ANSWER_FILTER = "pointsman.answers"

_RESPONSE_HEADERS = """
local function put(headers, group)
  if not group then return end
  for name, value in pairs(group) do
    if type(value) == "string" and not string.find(value, "%c") then headers:replace(name, value) end
  end
end

function envoy_on_response(handle)
  local decided = handle:streamInfo():dynamicMetadata():get("{namespace}")
  if not decided then return end
  local headers = handle:headers()
  put(headers, decided["{always}"])
  if string.sub(headers:get(":status"), 1, 1) == "2" then put(headers, decided["{success}"]) end
end
"""
"""Renders the decision's response headers from its dynamic metadata, so the router has no part in the
response. The names are the decision's, and some of them depend on the status: both are beyond a route's
``response_headers_to_add``."""


def render(limits: Limits) -> list[dict[str, Any]]:
    """Answer headers (on the way back), decide, filter the answer (on the way back), forward."""
    return [_response_headers(), _extproc(limits), _answers(limits), _router()]


def on_answer_routes() -> dict[str, Any]:
    """``typed_per_filter_config`` of routes whose answer the router must see.

    Full duplex, because the router then holds the answer's headers until it knows what follows, and because
    in this mode nothing of the answer can pass a router that is gone.
    """
    mode = {
        "request_header_mode": "SEND",
        "request_body_mode": "NONE",
        "request_trailer_mode": "SKIP",
        "response_header_mode": "SEND",
        "response_body_mode": "FULL_DUPLEX_STREAMED",
        "response_trailer_mode": "SEND",
    }
    config = {"@type": f"{_TYPE}ext_proc.v3.ExtProcPerRoute", "overrides": {"processing_mode": mode}}
    return {ANSWER_FILTER: config}


def _response_headers() -> dict[str, Any]:
    source = (
        _RESPONSE_HEADERS.replace("{namespace}", contract.NAMESPACE)
        .replace("{always}", contract.RESPONSE_HEADERS)
        .replace("{success}", contract.SUCCESS_HEADERS)
    )
    return {
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": f"{_TYPE}lua.v3.Lua",
            "default_source_code": {"inline_string": source},
        },
    }


def _extproc(limits: Limits) -> dict[str, Any]:
    timeout = f"{limits.decision_timeout_s:.3f}s"
    return {
        "name": "envoy.filters.http.ext_proc",
        "typed_config": {
            "@type": f"{_TYPE}ext_proc.v3.ExternalProcessor",
            "grpc_service": {
                "envoy_grpc": {"cluster_name": EXTPROC_CLUSTER},
                "initial_metadata": [{"key": contract.DATA_PLANE, "value": contract.MANAGED}],
            },
            # A lost router must not cut running answers; what it left undecided meets the fallback route.
            "failure_mode_allow": True,
            "message_timeout": timeout,
            "max_message_timeout": timeout,
            "allow_mode_override": True,
            "mutation_rules": {"allow_all_routing": True},
            "metadata_options": {
                "receiving_namespaces": {"untyped": [contract.NAMESPACE, contract.LB_NAMESPACE]}
            },
            "processing_mode": {
                # SEND, although the headers say little: with SKIP Envoy drops header changes silently.
                "request_header_mode": "SEND",
                "request_body_mode": "BUFFERED",
                "request_trailer_mode": "SKIP",
                "response_header_mode": "SKIP",
                "response_body_mode": "NONE",
                "response_trailer_mode": "SKIP",
            },
        },
    }


def _answers(limits: Limits) -> dict[str, Any]:
    """Asks nothing and opens no stream, except on routes that switch it on.

    Not ``disabled``: which filters a request meets is settled by its first route, before the decision.
    """
    timeout = f"{limits.answer_timeout_s:.3f}s"
    return {
        "name": ANSWER_FILTER,
        "typed_config": {
            "@type": f"{_TYPE}ext_proc.v3.ExternalProcessor",
            "grpc_service": {
                "envoy_grpc": {"cluster_name": ANSWERS_CLUSTER},
                "initial_metadata": [{"key": contract.DATA_PLANE, "value": contract.MANAGED_ANSWER}],
            },
            # An answer that has to be filtered passes the filter or does not pass.
            "failure_mode_allow": False,
            "status_on_error": {"code": "ServiceUnavailable"},
            "message_timeout": timeout,
            "max_message_timeout": timeout,
            "mutation_rules": {"allow_all_routing": True},
            "processing_mode": {
                "request_header_mode": "SKIP",
                "request_body_mode": "NONE",
                "request_trailer_mode": "SKIP",
                "response_header_mode": "SKIP",
                "response_body_mode": "NONE",
                "response_trailer_mode": "SKIP",
            },
        },
    }


def _router() -> dict[str, Any]:
    return {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{_TYPE}router.v3.Router", "suppress_envoy_headers": True},
    }
