"""What our Envoy configuration and our gRPC servers agree on, beyond the protos."""

PROCESS = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
STREAM_ACCESS_LOGS = "/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs"

DATA_PLANE = "x-pointsman-data-plane"
"""gRPC metadata our Envoy adds to every ext_proc stream."""
MANAGED = "managed"
"""Its value: the stream may be ended right after the answer, and response headers travel as metadata."""

MANAGED_ANSWER = "managed-answer"
"""Its value on streams that carry an answer to be filtered."""

NAMESPACE = "pointsman"
"""Dynamic-metadata namespace of ours: our Envoy accepts it from the processor, and logs it."""
RESPONSE_HEADERS = "response_headers"
"""Key in it: a struct of header name -> string, set on every answer to the client."""
SUCCESS_HEADERS = "success_headers"
"""Key in it: the same, set on 2xx answers only. Values must be strings, free of control characters."""

LB_NAMESPACE = "envoy.lb"
"""The endpoint-picker protocol's namespace: endpoints to try, under the name of their header."""

REPLY_DETAILS = "pointsman"
"""``ImmediateResponse.details`` of our own replies: Envoy must not rewrite these as errors of its own."""

POOL_CLUSTER_PREFIX = "pool/"
"""Envoy's cluster of a pool is this and the pool's name, which keeps pools apart from our own clusters."""

UNDECIDED_ROUTE = "undecided"
"""Name of the route of requests that carry no decision (yet)."""
UNDECIDED_CLUSTER = "pointsman-undecided"
"""The cluster, always empty, where it leads."""
