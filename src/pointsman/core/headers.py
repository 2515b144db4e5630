"""Header names of the contract with clients, data planes and engines."""

SELECTED_MODEL = "x-selected-model"
"""Request header towards the data plane and engine: the logical model chosen."""
POOL = "x-pointsman-pool"
"""Request header our own Envoy routes on: the provider model whose endpoints serve the request."""
ANSWER = "x-pointsman-answer"
"""Request header inside our own Envoy: the answer passes the router, which knows by this token what to do."""
DESTINATION = "x-gateway-destination-endpoint"
"""Request header of the endpoint-picker protocol."""

SCHEMA_VERSION = "x-vsr-schema-version"
RESPONSE_PATH = "x-vsr-response-path"
SELECTED_DECISION = "x-vsr-selected-decision"
SELECTED_CONFIDENCE = "x-vsr-selected-confidence"
SELECTED_ALGORITHM = "x-vsr-selected-algorithm"
VSR_SELECTED_MODEL = "x-vsr-selected-model"
SELECTED_RECIPE = "x-vsr-selected-recipe"
SELECTED_CATEGORY = "x-vsr-selected-category"
SELECTED_REASONING = "x-vsr-selected-reasoning"
INJECTED_SYSTEM_PROMPT = "x-vsr-injected-system-prompt"
FAST_RESPONSE = "x-vsr-fast-response"
CACHE_HIT = "x-vsr-cache-hit"
CACHE_SIMILARITY = "x-vsr-cache-similarity"
CACHE_SCOPE = "x-vsr-cache-scope"
"""With whom an answer is shared: ``user``, ``team``, ``tenant``, ``global``, ``anonymous`` or ``none``."""
JAILBREAK_BLOCKED = "x-vsr-jailbreak-blocked"
JAILBREAK_TYPE = "x-vsr-jailbreak-type"
JAILBREAK_CONFIDENCE = "x-vsr-jailbreak-confidence"
PII_VIOLATION = "x-vsr-pii-violation"
PII_TYPES = "x-vsr-pii-types"
RESPONSE_WARNINGS = "x-vsr-response-warnings"
GUARDS = "x-pointsman-guards"
"""What guards found in a request that went on all the same."""
CLIENT_PROTOCOL = "x-vsr-client-protocol"
UPSTREAM_PROTOCOL = "x-vsr-upstream-protocol"
PROTOCOL_WARNINGS = "x-vsr-protocol-warnings"
DEBUG = "x-vsr-debug"
MODEL_NAME = "x-gateway-model-name"
"""A client's: the model it means, on paths whose body cannot say so."""

INTERNAL_REQUEST_HEADERS = (
    SELECTED_MODEL,
    POOL,
    ANSWER,
    DESTINATION,
    "x-gateway-destination-endpoint-subset",
    "x-vsr-destination-endpoint",
    "x-prefiller-host-port",
    "x-vsr-internal-auth",
    "x-vsr-looper-request",
    "x-vsr-looper-iteration",
    "x-vsr-looper-decision",
    "x-vsr-fusion-depth",
    "x-vsr-selected-recipe",
    SELECTED_DECISION,
    VSR_SELECTED_MODEL,
    SELECTED_CATEGORY,
    SELECTED_REASONING,
)
"""Names only we may set: a client's copy is removed before it can mean anything."""
