"""What the management API sees of the running gateway."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pointsman.config import masked
from pointsman.core.errors import Unavailable
from pointsman.core.router import Router
from pointsman.encoder import EncoderError
from pointsman.observe.metrics import Metrics
from pointsman.runtime import Runtime
from pointsman.transports.api import Classifier, Readiness


class HostBackend:
    """Implements ``transports.api.Backend`` over one runtime."""

    def __init__(self, runtime: Runtime, metrics: Metrics, envoy_ready: Callable[[], bool | None]) -> None:
        self._runtime = runtime
        self._metrics = metrics
        self._envoy_ready = envoy_ready

    def readiness(self) -> Readiness:
        """Honest: what is built, loaded and alive now."""
        return Readiness(
            router=True,
            encoder=True,
            envoy=self._envoy_ready(),
            pools=sum(1 for model in self._runtime.settings.providers.models if model.backend_refs),
            total_models=1,
        )

    def router(self) -> Router:
        """The running pipeline."""
        return self._runtime.pipeline

    def virtual_model(self) -> str:
        """A name that asks for a decision: the document's own, before the built-in ones."""
        router = self._runtime.settings.global_.router
        if router.auto_model_name in router.virtual_names:
            return router.auto_model_name
        return next(iter(router.virtual_names), "")

    def classifiers(self) -> Sequence[Classifier]:
        """The one encoder and what it classifies."""
        encoder = self._runtime.encoder
        return (
            Classifier(
                name="domain",
                type="intent_classification",
                loaded=True,
                categories=tuple(encoder.labels),
                metadata={"engine": encoder.identity},
            ),
        )

    async def domain_probabilities(self, text: str) -> Mapping[str, float]:
        """One encoder pass."""
        try:
            return (await self._runtime.encoder.encode(text)).domains
        except EncoderError as error:
            raise Unavailable(f"the encoder has too much to do: {error}", retry_after=1) from error

    def config(self) -> Mapping[str, Any]:
        """The document with its secrets masked."""
        return masked(self._runtime.settings)

    def metrics(self) -> bytes:
        """Everything counted so far."""
        return self._metrics.render()
