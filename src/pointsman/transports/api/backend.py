"""What the management API needs from the process it reports on."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from pointsman.core.router import Router
from pointsman.pii import Finding
from pointsman.transports.api.shapes_engines import Engine, Told


class Readiness(msgspec.Struct, frozen=True):
    """The facts that decide whether traffic may come. What follows from them is decided here, once."""

    router: bool
    """A generation is built and takes requests."""
    encoder: bool | None
    """The encoder is loaded; `None` when nothing in the document needs one."""
    envoy: bool | None
    """Our own Envoy is alive; `None` when the data plane is somebody else's."""
    pools: int
    """Provider models with at least one endpoint."""
    pending_models: tuple[str, ...] = ()
    """Classifier models still to be loaded."""
    total_models: int = 0
    """Classifier models in all."""

    @property
    def missing(self) -> tuple[str, ...]:
        """What keeps us from being ready, a short sentence each; empty when ready."""
        checks = (
            (self.router, "no configuration is built"),
            (self.encoder is not False, "the encoder is not loaded"),
            (self.envoy is not False, "Envoy is not running"),
            (self.pools > 0, "no provider model has an endpoint"),
            (not self.pending_models, f"models are loading: {', '.join(self.pending_models)}"),
        )
        return tuple(sentence for holds, sentence in checks if not holds)

    @property
    def phase(self) -> str:
        """The step the start is at: `building`, `loading_models`, ..., `ready`."""
        if not self.router:
            return "building"
        if self.encoder is False or self.pending_models:
            return "loading_models"
        if self.envoy is False:
            return "starting_envoy"
        return "ready" if self.pools > 0 else "waiting_for_endpoints"


class Classifier(msgspec.Struct, frozen=True):
    """One classification model of ours, for `GET /info/models`."""

    name: str
    type: str
    """What it does, e.g. `intent_classification`."""
    loaded: bool
    categories: tuple[str, ...] = ()
    metadata: Mapping[str, str] = {}


class Inspection(msgspec.Struct, frozen=True):
    """What guards need to know about a text."""

    jailbreak: float
    """Probability of a jailbreak in the most suspicious part of the text."""
    threshold: float
    """The document's: from which probability on a text counts as one."""
    place: tuple[int, int]
    """Characters of that part, the end exclusive."""
    findings: tuple[Finding, ...]
    """Personal data of whatever score, sorted, without overlap."""
    sampled: bool = False
    """Only parts of the text were read by the model."""
    disguised: bool = False
    """Hidden or look-alike characters stand in words."""


class EmbeddingModel(msgspec.Struct, frozen=True):
    """What makes embeddings."""

    name: str
    """Goes with every vector: vectors of two names must not be compared."""
    dimension: int


class EngineOrder(msgspec.Struct, frozen=True):
    """What to tell every replica of a model, or one of them."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    model: str = ""
    """Any name of the model; empty where there is only one, or `engine_id` says enough."""
    engine_id: str = ""
    """Name or address of the only replica meant; empty for all."""


class Backend(Protocol):
    """The rest of the process. Nothing here blocks, and every call sees the running generation.

    A method that cannot answer now raises `core.errors.HttpError` (`Unavailable`, usually).
    """

    def readiness(self) -> Readiness:
        """Whether traffic may come."""

    def router(self) -> Router | None:
        """The running router, or `None` before the first generation is built."""

    def virtual_model(self) -> str:
        """The name that asks for a decision; an empty string when the document has none."""

    def classifiers(self) -> Sequence[Classifier]:
        """Our classification models."""

    async def domain_probabilities(self, text: str) -> Mapping[str, float]:
        """Probability of each domain label, summing to one; empty when there is no encoder."""

    async def inspect(self, text: str) -> Inspection:
        """Jailbreak and personal data in a whole text."""

    def embedding_model(self) -> EmbeddingModel:
        """What `embed` uses."""

    async def embed(self, text: str) -> Sequence[float]:
        """The unit vector of a text, the same whenever it is asked for."""

    def engines(self) -> Sequence[Engine]:
        """Every replica that is known, by model and address."""

    async def tell_engines(self, order: EngineOrder) -> tuple[str, Sequence[Told]]:
        """Give an order to replicas; the provider model, and what each of them made of it.

        Raises `HttpError` when nobody is meant by it, or nobody is known.
        """

    def config(self) -> Mapping[str, Any]:
        """The running document as plain values. It is masked here again before anyone sees it."""

    def metrics(self) -> bytes:
        """All metrics in the Prometheus text format 0.0.4."""
