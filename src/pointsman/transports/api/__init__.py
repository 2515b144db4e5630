"""The management API: health, classification without a model call, the running document, metrics.

It listens on its own port, on the loopback address unless told otherwise, and talks to the rest of the
process through `Backend` alone.
"""

from pointsman.transports.api.app import Limits, management_app, metrics_app
from pointsman.transports.api.backend import (
    Backend,
    Classifier,
    EmbeddingModel,
    EngineOrder,
    Inspection,
    Readiness,
)
from pointsman.transports.api.server import HttpServer
from pointsman.transports.api.shapes_engines import Engine, EngineLoad, Told

__all__ = [
    "Backend",
    "Classifier",
    "EmbeddingModel",
    "Engine",
    "EngineLoad",
    "EngineOrder",
    "HttpServer",
    "Inspection",
    "Limits",
    "Readiness",
    "Told",
    "management_app",
    "metrics_app",
]
