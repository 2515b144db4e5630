"""The `vllm:*` series that routers, autoscalers and dashboards read, in a registry of their own."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from pointsman.sim.histogram import Histogram
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


_SLEEP_STATES = ("awake", "weights_offloaded", "discard_all")


@dataclass(frozen=True)
class LoadNow:
    """The engine's load at the moment of a scrape."""

    running: int
    waiting: int
    kv_usage: float
    """Share of the KV cache that running requests hold, 0 to 1; a shared block counts once."""
    max_loras: int | None
    """How many adapters may run side by side; None: LoRA is not in use."""
    running_loras: tuple[str, ...]
    waiting_loras: tuple[str, ...]
    sleep_level: int | None
    now: float
    """Unix seconds."""


class Metrics:
    """Counters and histograms of one engine; gauges are read from `load` when scraped."""

    def __init__(self, settings: SimSettings, load: Callable[[], LoadNow]) -> None:
        self.registry = CollectorRegistry()
        self._where = {"engine": str(settings.dp_rank), "model_name": settings.model}
        self._gauges(settings, load)
        self._counters()
        self.ttft = self._histogram("time_to_first_token_seconds", "Arrival to first token.", _TTFT_BUCKETS)
        self.between_tokens = self._histogram(
            "inter_token_latency_seconds",
            "Time between tokens.",
            _TOKEN_BUCKETS,
            "time_per_output_token_seconds",  # what it was called until it was renamed
        )
        self.per_token = self._histogram(
            "request_time_per_output_token_seconds", "Mean time between tokens of a request.", _TOKEN_BUCKETS
        )
        self.latency = self._span("e2e_request_latency", "Arrival to last token.")
        self.queue_time = self._span("request_queue_time", "Time in the waiting line.")
        self.inference_time = self._span("request_inference_time", "Time running.")
        self.prefill_time = self._span("request_prefill_time", "Start to first token.")
        self.decode_time = self._span("request_decode_time", "First to last token.")
        self.prompt_lengths = self._histogram("request_prompt_tokens", "Prompt lengths.", _LENGTH_BUCKETS)
        self.answer_lengths = self._histogram("request_generation_tokens", "Answer lengths.", _LENGTH_BUCKETS)

    def _counters(self) -> None:
        count = self._counter
        self.prompt_tokens = count("prompt_tokens", "Prompt tokens processed.")
        self.generation_tokens = count("generation_tokens", "Tokens generated.")
        self.cache_queries = count("prefix_cache_queries", "Prompt tokens looked up in the prefix cache.")
        self.cache_hits = count("prefix_cache_hits", "Prompt tokens found in the prefix cache.")
        self.external_queries = count(
            "external_prefix_cache_queries", "Prompt tokens asked of another engine."
        )
        self.external_hits = count("external_prefix_cache_hits", "Prompt tokens another engine handed over.")
        self.failed_transfers = count("nixl_num_failed_transfers", "Promised blocks not to be had.")
        self.expired_handovers = count("nixl_num_kv_expired_reqs", "Blocks kept for another engine in vain.")
        self.preemptions = count("num_preemptions", "Preempted requests; never any.")
        sources = ("local_compute", "local_cache_hit", "external_kv_transfer")
        self.by_source = self._counters_by(
            "prompt_tokens_by_source", "Prompt tokens by where they came from.", "source", sources
        )
        reasons: tuple[Finish, ...] = ("stop", "length", "abort", "error")
        self.finished = self._counters_by("request_success", "Finished requests.", "finished_reason", reasons)

    def began(self, prompt: int, cached: int, handed: int) -> None:
        """A prompt of so many tokens starts, of which so many were cached or handed over."""
        self.prompt_tokens.inc(prompt)
        self.prompt_lengths.observe(prompt)
        self.cache_queries.inc(prompt)
        self.cache_hits.inc(cached)
        self.by_source["local_compute"].inc(prompt - cached - handed)
        self.by_source["local_cache_hit"].inc(cached)
        self.by_source["external_kv_transfer"].inc(handed)

    def exposition(self) -> bytes:
        """The page that /metrics answers with."""
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str) -> Counter:
        return Counter(f"vllm:{name}", meaning, _LABELS, registry=self.registry).labels(**self._where)

    def _counters_by(self, name: str, meaning: str, label: str, values: Sequence[str]) -> dict[str, Counter]:
        family = Counter(f"vllm:{name}", meaning, (*_LABELS, label), registry=self.registry)
        return {value: family.labels(**self._where, **{label: value}) for value in values}

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...], older_name: str | None = None
    ) -> Histogram:
        names = [f"vllm:{each}" for each in (name, older_name) if each]
        histogram = Histogram(names, meaning, buckets, self._where)
        self.registry.register(histogram)
        return histogram

    def _span(self, name: str, meaning: str) -> Histogram:
        return self._histogram(f"{name}_seconds", meaning, _REQUEST_BUCKETS)

    def _gauges(self, settings: SimSettings, load: Callable[[], LoadNow]) -> None:
        self.registry.register(_LoadCollector(load, self._where))
        self.registry.register(_LoraCollector(load))
        cache = Gauge(
            "vllm:cache_config_info",
            "The cache's configuration.",
            (*_LABELS, "block_size", "num_gpu_blocks"),
            registry=self.registry,
        )
        info = {"block_size": str(BLOCK_TOKENS), "num_gpu_blocks": str(settings.kv_blocks)}
        cache.labels(**self._where, **info).set(1)


class _LoadCollector(Collector):
    """The gauges of one moment, all from one look at the engine."""

    def __init__(self, load: Callable[[], LoadNow], where: dict[str, str]) -> None:
        self._load = load
        self._where = where

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Requests, cache, sleep."""
        load = self._load()
        yield self._gauge("num_requests_running", "Requests generating now.", load.running)
        yield self._gauge("num_requests_waiting", "Requests in the waiting line.", load.waiting)
        yield self._gauge("kv_cache_usage_perc", "Share of the KV cache in use, 1 is all.", load.kv_usage)
        yield self._gauge("gpu_cache_usage_perc", "kv_cache_usage_perc by its older name.", load.kv_usage)
        state = _SLEEP_STATES[0 if load.sleep_level is None else min(2, max(1, load.sleep_level))]
        family = GaugeMetricFamily(
            "vllm:engine_sleep_state", "1 for the state the engine is in.", labels=(*_LABELS, "sleep_state")
        )
        for each in _SLEEP_STATES:
            family.add_metric([*self._where.values(), each], float(each == state))
        yield family

    def _gauge(self, name: str, meaning: str, value: float) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"vllm:{name}", meaning, labels=_LABELS)
        family.add_metric(list(self._where.values()), value)
        return family


class _LoraCollector(Collector):
    """`vllm:lora_requests_info`: its labels carry the news, its value is the time. One sample at a time."""

    def __init__(self, load: Callable[[], LoadNow]) -> None:
        self._load = load

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The adapters running and waiting now, as comma lists; nothing where LoRA is not in use."""
        load = self._load()
        if load.max_loras is None:
            return
        labels = ("max_lora", "running_lora_adapters", "waiting_lora_adapters")
        family = GaugeMetricFamily(
            "vllm:lora_requests_info", "Running stats on LoRA requests.", labels=labels
        )
        family.add_metric(
            [str(load.max_loras), ",".join(load.running_loras), ",".join(load.waiting_loras)], load.now
        )
        yield family
