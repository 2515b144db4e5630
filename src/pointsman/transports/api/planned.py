"""Endpoints the semantic router has and a later version of ours brings.

They answer 404 with a message that says so, rather than 501: a client that probes for features treats a
404 as "not here", and the OpenAPI document lists only what works.
"""

PLANNED = {
    "/api/v1/classify/fact-check": "0.3",
    "/api/v1/classify/user-feedback": "0.3",
    "/api/v1/nli": "0.3",
    "/api/v1/embeddings/models": "0.3",
    "/api/v1/response-cache": "0.2",
    "/api/v1/context-compression": "0.3",
    "/config/kbs": "0.3",
    "/config/router/recipes": "0.3",
    "/config/router/validate": "0.2",
    "/config/router/versions": "0.2",
    "/config/router/rollback": "0.2",
    "/v1/router/outcomes": "0.3",
    "/v1/router_replay": "0.2",
    "/v1/memory": "0.3",
    "/v1/vector_stores": "0.3",
    "/v1/files": "0.3",
}
"""Path (and everything below it) to the version that brings it."""


def planned_message(path: str, version: str) -> str:
    """What a 404 on a planned path says; an empty string when the path is not planned."""
    for prefix, release in PLANNED.items():
        if path == prefix or path.startswith(f"{prefix}/"):
            return f"{path} is not part of pointsman {version}; version {release} brings it"
    return ""
