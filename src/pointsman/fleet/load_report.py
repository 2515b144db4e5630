"""What an engine's own metrics page says about its load; pure."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from pointsman.core.errors import PointsmanError

MAX_PAGE: Final = 4 << 20
"""Bytes of a metrics page that are read; vLLM's has about 60 KB."""
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"', re.ASCII)
_RUNNING: Final = "vllm:num_requests_running"
_WAITING: Final = "vllm:num_requests_waiting"
_USAGE: Final = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
_CACHE: Final = "vllm:cache_config_info"
_LORA: Final = "vllm:lora_requests_info"
_COMPUTED: Final = "vllm:request_prefill_kv_computed_tokens_sum"
_PREFILL_S: Final = "vllm:request_prefill_time_seconds_sum"
_SUMS: Final = (_RUNNING, _WAITING, _COMPUTED, _PREFILL_S)
_WANTED: Final = "|".join((*_SUMS, *_USAGE, _CACHE, _LORA))
_SAMPLE: Final = re.compile(rf"^({_WANTED})(?:\{{(.*)\}})?[ \t]+(\S+)", re.ASCII | re.MULTILINE)
"""One search through the page: it has some thousand lines, of which a dozen are wanted."""


class EngineReport(msgspec.Struct, frozen=True):
    """Load in an engine's own words. Counts of data-parallel ranks are added up, shares are the worst."""

    running: int = 0
    waiting: int = 0
    kv_usage: float = 0.0
    """Share of the KV cache that running requests hold, 0..1."""
    cache_tokens: int | None = None
    """Tokens its KV cache holds; ``None`` where it does not say."""
    loras: frozenset[str] = frozenset()
    """Adapters that requests run or wait for."""
    computed_tokens: float = 0.0
    """Prompt tokens computed since its start, cached ones left out."""
    prefill_s: float = 0.0
    """Seconds its requests spent on that, added up."""


class NotVllm(PointsmanError):
    """The page has no metrics of vLLM's."""

    def __init__(self) -> None:
        super().__init__("the metrics page has no vllm: series")


def read_report(page: str) -> EngineReport:
    """Read a page in the Prometheus text format, with vLLM's names of today or before.

    Raises ``NotVllm`` when there is none of its series: load of 0 would be a guess.
    """
    counts = dict.fromkeys(_SUMS, 0.0)
    usage: list[float] = []
    cache = 0
    loras: tuple[float, frozenset[str]] = (-1.0, frozenset())
    found = False
    for name, labels, value in _samples(page):
        found = True
        if name in counts:
            counts[name] += value
        elif name in _USAGE:
            usage.append(value)
        elif name == _CACHE:
            cache += _cache_tokens(labels)
        elif value >= loras[0]:  # one sample a change, each with its time: the newest counts
            loras = (value, _adapters(labels))
    if not found:
        raise NotVllm
    return EngineReport(
        running=max(0, int(counts[_RUNNING])),
        waiting=max(0, int(counts[_WAITING])),
        kv_usage=min(1.0, max(usage, default=0.0)),
        cache_tokens=cache or None,
        loras=loras[1],
        computed_tokens=counts[_COMPUTED],
        prefill_s=counts[_PREFILL_S],
    )


def _samples(page: str) -> Iterator[tuple[str, dict[str, str], float]]:
    for sample in _SAMPLE.finditer(page):
        try:
            value = float(sample[3])
        except ValueError:
            continue
        if 0 <= value < float("inf"):
            yield sample[1], dict(_LABEL.findall(sample[2] or "")), value


def _cache_tokens(labels: dict[str, str]) -> int:
    size, blocks = labels.get("block_size", ""), labels.get("num_gpu_blocks", "")
    return int(size) * int(blocks) if size.isdecimal() and blocks.isdecimal() else 0


def _adapters(labels: dict[str, str]) -> frozenset[str]:
    both = f"{labels.get('running_lora_adapters', '')},{labels.get('waiting_lora_adapters', '')}"
    return frozenset(name.strip() for name in both.split(",") if name.strip())
