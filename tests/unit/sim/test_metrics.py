from typing import Any

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from sim_lab import Client, chat, drive, until

from pointsman.sim import RunningSim
from pointsman.sim.histogram import Histogram


def _samples(page: str) -> dict[str, Sample]:
    families = list(text_string_to_metric_families(page))
    return {sample.name: sample for family in families for sample in family.samples}


def test_the_page_parses_and_has_the_series_routers_read() -> None:
    """Prometheus' own parser reads /metrics and finds vLLM's names with vLLM's labels."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        await http.post("/v1/chat/completions", chat())
        return (await http.get("/metrics")).text

    samples = _samples(drive(scenario))
    for name in (
        "vllm:num_requests_running",
        "vllm:num_requests_waiting",
        "vllm:kv_cache_usage_perc",
        "vllm:gpu_cache_usage_perc",
        "vllm:inter_token_latency_seconds_count",
        "vllm:time_per_output_token_seconds_count",
        "vllm:request_time_per_output_token_seconds_count",
        "vllm:request_prefill_time_seconds_sum",
        "vllm:num_preemptions_total",
        "vllm:external_prefix_cache_hits_total",
        "vllm:prompt_tokens_total",
        "vllm:generation_tokens_total",
        "vllm:prefix_cache_queries_total",
        "vllm:prefix_cache_hits_total",
        "vllm:time_to_first_token_seconds_count",
        "vllm:e2e_request_latency_seconds_sum",
        "vllm:request_success_total",
    ):
        assert samples[name].labels["model_name"] == "tiny"
        assert samples[name].labels["engine"] == "0"
    assert samples["vllm:generation_tokens_total"].value == 32
    assert samples["vllm:time_to_first_token_seconds_count"].value == 1
    assert samples["vllm:inter_token_latency_seconds_count"].value == 31
    assert samples["vllm:time_per_output_token_seconds_count"].value == 31
    assert "vllm:lora_requests_info" not in samples


def test_a_running_request_shows_in_gauges_and_lora_info() -> None:
    """While an adapter answers, the gauges are above zero and lora_requests_info names it; then no more."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        body = chat("word " * 500, model="sql", stream=True)
        async with http.stream("/v1/chat/completions", body) as response:
            await response.content.readline()
            during = (await http.get("/metrics")).text
        await until(lambda: sim.load == (0, 0))
        return during, (await http.get("/metrics")).text

    during, after = (_samples(page) for page in drive(scenario, loras=("sql",), rate=5, answer_tokens=1000))
    assert during["vllm:num_requests_running"].value == 1
    assert 0 < during["vllm:kv_cache_usage_perc"].value < 1
    assert during["vllm:lora_requests_info"].labels == {
        "max_lora": "1",
        "running_lora_adapters": "sql",
        "waiting_lora_adapters": "",
    }
    assert after["vllm:num_requests_running"].value == 0
    assert after["vllm:kv_cache_usage_perc"].value == 0
    assert after["vllm:lora_requests_info"].labels["running_lora_adapters"] == ""


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(1, 5)), max_size=30))
def test_a_histogram_counts_as_prometheus_own(values: list[tuple[float, int]]) -> None:
    """Our histogram gives what the client library's gives, under each of its names."""
    registry, bounds = CollectorRegistry(), (0.5, 1.0, 5.0)
    ours = Histogram(("new", "old"), "Both.", bounds, {"engine": "0"})
    theirs = prometheus_client.Histogram("new", "Both.", ["engine"], registry=registry, buckets=bounds)
    child = theirs.labels(engine="0")
    for value, times in values:
        ours.observe(value, times)
        for _ in range(times):
            child.observe(value)
    new, old = ours.collect()
    (expected,) = registry.collect()
    wanted = {(s.name, s.labels.get("le")): s.value for s in expected.samples if "_created" not in s.name}
    found = {(s.name, s.labels.get("le")): s.value for s in new.samples}
    assert found == pytest.approx(wanted)
    assert [s.value for s in old.samples] == [s.value for s in new.samples]
