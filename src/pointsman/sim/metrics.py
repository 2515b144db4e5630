"""The `vllm:*` series that routers, autoscalers and dashboards read, in a registry of their own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pointsman.sim.prefix_cache import BLOCK_TOKENS
from pointsman.sim.settings import SimSettings

Finish = Literal["stop", "length", "abort", "error"]

_LABELS = ("engine", "model_name")
_TTFT_BUCKETS = (
    0.001,
    0.005,
    0.01,
    0.02,
    0.04,
    0.06,
    0.08,
    0.1,
    0.25,
    0.5,
    0.75,
    1.0,
    2.5,
    5.0,
    7.5,
    10.0,
    20.0,
    40.0,
)
_TOKEN_BUCKETS = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
    0.5,
    0.75,
    1.0,
    2.5,
    5.0,
)
_REQUEST_BUCKETS = (
    0.01,
    0.05,
    0.1,
    0.3,
    0.5,
    0.8,
    1.0,
    1.5,
    2.0,
    2.5,
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    60.0,
    120.0,
    480.0,
)
_LENGTH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)


@dataclass(frozen=True)
class LoadNow:
    """The engine's load at the moment of a scrape."""

    running: int
    waiting: int
    kv_usage: float
    """Share of the KV cache that running requests hold, 0 to 1."""
    running_loras: tuple[str, ...]
    waiting_loras: tuple[str, ...]
    now: float
    """Unix seconds."""


class Metrics:
    """Counters and histograms of one engine; gauges are read from `load` when scraped."""

    def __init__(self, settings: SimSettings, load: Callable[[], LoadNow]) -> None:
        self.registry = CollectorRegistry()
        self._where = {"engine": "0", "model_name": settings.model}
        self._gauges(settings, load)
        self.prompt_tokens = self._counter("prompt_tokens", "Prompt tokens processed.")
        self.generation_tokens = self._counter("generation_tokens", "Tokens generated.")
        self.cache_queries = self._counter(
            "prefix_cache_queries", "Prompt tokens looked up in the prefix cache."
        )
        self.cache_hits = self._counter("prefix_cache_hits", "Prompt tokens found in the prefix cache.")
        self.ttft = self._histogram("time_to_first_token_seconds", "Arrival to first token.", _TTFT_BUCKETS)
        self.per_token = self._histogram(
            "request_time_per_output_token_seconds", "Mean time between tokens of a request.", _TOKEN_BUCKETS
        )
        self.latency = self._histogram(
            "e2e_request_latency_seconds", "Arrival to last token.", _REQUEST_BUCKETS
        )
        self.queue_time = self._histogram(
            "request_queue_time_seconds", "Time in the waiting line.", _REQUEST_BUCKETS
        )
        self.prompt_lengths = self._histogram("request_prompt_tokens", "Prompt lengths.", _LENGTH_BUCKETS)
        self.answer_lengths = self._histogram("request_generation_tokens", "Answer lengths.", _LENGTH_BUCKETS)
        finished = Counter(
            "vllm:request_success",
            "Finished requests.",
            (*_LABELS, "finished_reason"),
            registry=self.registry,
        )
        reasons: tuple[Finish, ...] = ("stop", "length", "abort", "error")
        self.finished = {reason: finished.labels(**self._where, finished_reason=reason) for reason in reasons}

    def exposition(self) -> bytes:
        """The page that /metrics answers with."""
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(f"vllm:{name}", meaning, _LABELS, registry=self.registry).labels(**self._where)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...]) -> Histogram:
        family = Histogram(f"vllm:{name}", meaning, _LABELS, registry=self.registry, buckets=buckets)
        return family.labels(**self._where)

    def _gauges(self, settings: SimSettings, load: Callable[[], LoadNow]) -> None:
        def gauge(name: str, meaning: str, value: Callable[[], float]) -> None:
            family = Gauge(f"vllm:{name}", meaning, _LABELS, registry=self.registry)
            family.labels(**self._where).set_function(value)

        gauge("num_requests_running", "Requests generating now.", lambda: load().running)
        gauge("num_requests_waiting", "Requests in the waiting line.", lambda: load().waiting)
        gauge("kv_cache_usage_perc", "Share of the KV cache in use, 1 is all.", lambda: load().kv_usage)
        cache = Gauge(
            "vllm:cache_config_info",
            "The cache's configuration.",
            (*_LABELS, "block_size", "num_gpu_blocks"),
            registry=self.registry,
        )
        cache.labels(**self._where, block_size=str(BLOCK_TOKENS), num_gpu_blocks=str(settings.kv_blocks)).set(
            1
        )
        if settings.loras:
            self.registry.register(_LoraCollector(len(settings.loras), load))


class _LoraCollector(Collector):
    """`vllm:lora_requests_info`: its labels carry the news, its value is the time. One sample at a time."""

    def __init__(self, max_lora: int, load: Callable[[], LoadNow]) -> None:
        self._max_lora = max_lora
        self._load = load

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The adapters running and waiting now, as comma lists."""
        labels = ("max_lora", "running_lora_adapters", "waiting_lora_adapters")
        family = GaugeMetricFamily(
            "vllm:lora_requests_info", "Running stats on LoRA requests.", labels=labels
        )
        load = self._load()
        family.add_metric(
            [str(self._max_lora), ",".join(load.running_loras), ",".join(load.waiting_loras)], load.now
        )
        yield family
