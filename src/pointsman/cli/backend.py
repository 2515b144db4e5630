"""What the management API sees of the running gateway."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pointsman.cli.personal import personal_data
from pointsman.config import masked
from pointsman.core.endpoint import Endpoint
from pointsman.core.errors import EndpointNotFound, RequestError, Unavailable
from pointsman.core.router import Router
from pointsman.encoder import Encoder, EncoderBusy, EncoderError
from pointsman.fleet import controls
from pointsman.fleet.load import EndpointLoad
from pointsman.observe.metrics import Metrics
from pointsman.pii import Label
from pointsman.runtime import Runtime
from pointsman.transports.api import (
    Classifier,
    EmbeddingModel,
    Engine,
    EngineLoad,
    EngineOrder,
    Inspection,
    Readiness,
    Told,
)


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
            encoder=None if self._runtime.encoder is None else True,
            envoy=self._envoy_ready(),
            pools=self._pools(),
            total_models=1,
        )

    def _pools(self) -> int:
        """Provider models with a replica that was seen to live; names that Envoy resolves are believed."""
        lookout, models = self._runtime.lookout, self._runtime.settings.providers.models
        if lookout is None:
            return sum(1 for model in models if model.backend_refs)
        return sum(1 for model in models if lookout.alive(model.name))

    def router(self) -> Router:
        """The running pipeline; what is asked about it counts against no rate limit."""
        return self._runtime.pipeline.unmetered()

    def virtual_model(self) -> str:
        """A name that asks for a decision: the document's own, before the built-in ones."""
        router = self._runtime.settings.global_.router
        if router.auto_model_name in router.virtual_names:
            return router.auto_model_name
        return next(iter(router.virtual_names), "")

    def classifiers(self) -> Sequence[Classifier]:
        """The heads of the one encoder."""
        encoder = self._runtime.encoder
        if encoder is None:
            return ()
        kinds: tuple[tuple[str, str, Sequence[str]], ...] = (
            ("domain", "intent_classification", encoder.labels),
            ("jailbreak", "security_detection", ("jailbreak", "benign")),
            ("pii", "pii_detection", tuple(str(label) for label in Label)),
        )
        return tuple(
            Classifier(
                name, type_, loaded=True, categories=tuple(labels), metadata={"engine": encoder.identity}
            )
            for name, type_, labels in kinds
        )

    async def domain_probabilities(self, text: str) -> Mapping[str, float]:
        """One encoder pass."""
        with _as_unavailable():
            return (await self._encoder().encode(text)).domains

    async def inspect(self, text: str) -> Inspection:
        """The scan of the encoder, and what the recognisers find, agreed."""
        with _as_unavailable():
            scan = await self._encoder().scan(text)
        # The recognisers need milliseconds for a long text: not on the loop that answers health checks.
        findings = await asyncio.to_thread(personal_data, text, scan.entities)
        return Inspection(
            jailbreak=scan.jailbreak.probability,
            threshold=self._runtime.settings.global_.model_catalog.modules.prompt_guard.threshold,
            place=(scan.jailbreak.start, scan.jailbreak.end),
            findings=findings,
            sampled=scan.sampled,
            disguised=scan.disguised,
        )

    def embedding_model(self) -> EmbeddingModel:
        """The encoder."""
        return EmbeddingModel(self._encoder().identity, self._encoder().dimension)

    async def embed(self, text: str) -> Sequence[float]:
        """One pass of the encoder, alone."""
        with _as_unavailable():
            vector: list[float] = (await self._encoder().embed(text)).tolist()
            return vector

    def _encoder(self) -> Encoder:
        if self._runtime.encoder is None:
            raise Unavailable("there is no encoder, as nothing in the document reads texts")
        return self._runtime.encoder

    def engines(self) -> Sequence[Engine]:
        """What discovery, probes and traffic say of each."""
        found = [one for pool in self._runtime.roster.pools.values() for one in pool]
        loads = self._runtime.memory.loads.view([one.address for one in found])
        listed = (_engine(one, load) for one, load in zip(found, loads, strict=True))
        return sorted(listed, key=lambda one: (one.model, one.address))

    async def tell_engines(self, order: EngineOrder) -> tuple[str, Sequence[Told]]:
        """Over HTTP, with each pool's credentials; their probes follow at once."""
        pool, endpoints = self._meant(order)
        targets = self._runtime.catalog.targets
        outcomes = await controls.tell(
            endpoints,
            controls.Order(order.method, order.path, order.query, order.body),
            headers={pool: targets[pool].headers} if pool in targets else {},
            timeout_s=self._runtime.settings.gateway.limits.engine_control_timeout_s,
        )
        if self._runtime.lookout is not None and order.method != "GET":
            for endpoint in endpoints:
                self._runtime.lookout.monitor.failed(endpoint.address)
        return pool, [_told(outcome) for outcome in outcomes]

    def _meant(self, order: EngineOrder) -> tuple[str, tuple[Endpoint, ...]]:
        """The provider model, and those of its replicas that an order is for."""
        roster = self._runtime.roster
        pools = [order.model] if order.model in roster.pools else []
        if order.model and not pools:
            pools = [self._provider(order.model)]
        elif not order.model:
            pools = list(self._runtime.pipeline.catalog.pools)
        if order.engine_id:
            found = [
                one for pool in pools for one in roster.of(pool) if order.engine_id in {_id(one), one.address}
            ]
            if not found:
                raise EndpointNotFound(f'no replica "{order.engine_id}"; GET /engines lists them', param="id")
            return found[0].pool, tuple(found[:1])
        if len(pools) != 1:
            raise RequestError(f"model: name one of {', '.join(sorted(pools))}", param="model")
        endpoints = roster.of(pools[0])
        if not endpoints:
            message = (
                f'no replica of "{pools[0]}" is known here: there is none, or Envoy resolves their names'
            )
            raise Unavailable(message, retry_after=5)
        return pools[0], endpoints

    def _provider(self, name: str) -> str:
        served = self._runtime.pipeline.served
        target = self._runtime.catalog.targets.get(name) or (served.target(name) if served else None)
        if target is None:
            raise EndpointNotFound(f'model "{name}" is not available', param="model")
        return target.provider

    def config(self) -> Mapping[str, Any]:
        """The document with its secrets masked."""
        return masked(self._runtime.settings)

    def metrics(self) -> bytes:
        """Everything counted so far."""
        return self._metrics.render()


def _id(endpoint: Endpoint) -> str:
    return endpoint.name or endpoint.address


def _engine(endpoint: Endpoint, load: EndpointLoad) -> Engine:
    return Engine(
        engine_id=_id(endpoint),
        address=endpoint.address,
        model=endpoint.pool,
        serving_models=sorted(endpoint.models),
        health=str(endpoint.health),
        role=str(endpoint.role),
        labels=dict(endpoint.labels),
        load=EngineLoad(load.in_flight, load.waiting, reachable=not load.down),
    )


def _told(outcome: controls.Outcome) -> Told:
    where = outcome.endpoint
    return Told(_id(where), where.address, outcome.status, outcome.body, outcome.error, outcome.elapsed_ms)


@contextmanager
def _as_unavailable() -> Iterator[None]:
    """Tell an encoder that cannot answer as a 503."""
    try:
        yield
    except EncoderBusy as error:
        raise Unavailable(f"the encoder has too much to do: {error}", retry_after=1) from error
    except EncoderError as error:
        raise Unavailable(f"the encoder cannot answer: {error}") from error
