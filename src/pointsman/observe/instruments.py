"""Metrics declared as values, and the registry that keeps them."""

from collections.abc import Iterator
from enum import StrEnum
from typing import cast

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pointsman.observe.labels import OTHER, Labels


class Kind(StrEnum):
    """The Prometheus type of a metric."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Spec(msgspec.Struct, frozen=True):
    """One metric: its name, meaning, labels in order and, for a histogram, its bucket bounds."""

    kind: Kind
    name: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


Child = Counter | Gauge | Histogram


class Instruments:
    """The metrics of one process, in a registry of their own. Safe to use from several threads.

    Every label value passes the guard; a metric that reaches `series_limit` combinations counts the rest
    with all labels `other`, so the number of series is bounded even where labels multiply.
    """

    def __init__(self, specs: tuple[Spec, ...], *, labels: Labels, series_limit: int = 2000) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._labels = labels
        self._series_limit = series_limit
        self._specs = {spec.name: spec for spec in specs}
        self._metrics = {spec.name: self._build(spec) for spec in specs}
        self._children: dict[str, dict[tuple[str, ...], Child]] = {spec.name: {} for spec in specs}

    def counter(self, spec: Spec, *values: str) -> Counter:
        """The counter's series for these label values."""
        return cast("Counter", self._child(spec, values))

    def gauge(self, spec: Spec, *values: str) -> Gauge:
        """The gauge's series for these label values."""
        return cast("Gauge", self._child(spec, values))

    def histogram(self, spec: Spec, *values: str) -> Histogram:
        """The histogram's series for these label values."""
        return cast("Histogram", self._child(spec, values))

    def render(self) -> bytes:
        """All series in the Prometheus text format 0.0.4."""
        return generate_latest(_WithoutCreated(self._registry))

    def _child(self, spec: Spec, values: tuple[str, ...]) -> Child:
        fitted = tuple(
            self._labels.fit(label, value) for label, value in zip(spec.labels, values, strict=True)
        )
        children = self._children[spec.name]
        child = children.get(fitted)
        if child is not None:
            return child
        if len(children) >= self._series_limit:
            fitted = (OTHER,) * len(fitted)
        metric = self._metrics[spec.name]
        child = metric.labels(*fitted) if spec.labels else metric
        return children.setdefault(fitted, child)

    def _build(self, spec: Spec) -> Child:
        if spec.kind is Kind.HISTOGRAM:
            return Histogram(spec.name, spec.help, spec.labels, buckets=spec.buckets, registry=self._registry)
        kind = Counter if spec.kind is Kind.COUNTER else Gauge
        return kind(spec.name, spec.help, spec.labels, registry=self._registry)


class _WithoutCreated(Collector):
    """A registry's metrics without the `_created` series, which double their number and nobody queries.

    The library's own switch for them is a global one.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
