"""The load of endpoints: what is in flight, what waits, who had how much, what engines say."""

import math
from dataclasses import dataclass

import pytest

from pointsman.fleet.load import ENDPOINTS, PREFILL_RATE, SHARE_SPAN_S, Loads
from pointsman.fleet.load_report import EngineReport, NotVllm, read_report

POOL = ("a", "b", "c", "d")


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_backlog_is_worked_off_at_the_engines_speed() -> None:
    """Tokens to compute pile up with each request and shrink with time, by the default or the learned rate."""
    clock = Clock()
    loads = Loads(clock=clock)
    loads.began("1", "a", POOL, tokens=8000)
    loads.began("2", "a", POOL, tokens=8000)
    assert loads.view("a")[0].backlog == 16_000
    clock.now = 1.0
    assert loads.view("a")[0].backlog == 16_000 - PREFILL_RATE
    clock.now = 9.0
    assert loads.view("a")[0].backlog == 0
    loads.began("3", "a", POOL, tokens=500)
    for request in "123":
        loads.ended(request)
    assert loads.view("a")[0].backlog == 0


def test_the_rate_is_read_from_the_engines_counters() -> None:
    """Growth of computed tokens over prefill time moves the rate; a restart or too little growth does not."""
    clock = Clock()
    loads = Loads(clock=clock)
    for tokens, seconds in ((0.0, 0.0), (100_000.0, 5.0), (200_000.0, 10.0), (50.0, 0.1), (60.0, 0.2)):
        loads.reported("a", EngineReport(computed_tokens=tokens, prefill_s=seconds))
    loads.began("1", "a", POOL, tokens=100_000)
    clock.now = 1.0
    rate = 100_000 - loads.view("a")[0].backlog
    assert rate == pytest.approx(20_000 - 0.7**2 * (20_000 - PREFILL_RATE))


def test_shares_are_of_the_last_minute() -> None:
    """Who had all requests lately has a share over one, which time evens out; the sum stays even."""
    clock = Clock()
    loads = Loads(clock=clock)
    for number in range(64):
        loads.began(str(number), "a", POOL)
    shares = [load.share for load in loads.view(POOL)]
    assert shares[0] == pytest.approx((64 + 16) / (16 + 16))
    assert sum(shares) == pytest.approx(len(POOL))
    clock.now = SHARE_SPAN_S
    assert loads.view(POOL)[0].share == pytest.approx((64 / math.e + 16) / (16 / math.e + 16))
    clock.now = 1e9
    assert loads.view(POOL)[0].share == pytest.approx(1.0)
    loads.began("later", "b", POOL)
    assert loads.view(POOL)[1].share == pytest.approx(17 / 16.25)


def test_a_newcomer_begins_with_an_even_share() -> None:
    """An endpoint that joins is not taken for one that got nothing, so it does not draw everything."""
    loads = Loads(clock=Clock())
    for number in range(100):
        loads.began(str(number), "ab"[number % 2], ("a", "b"))
    loads.began("next", "a", ("a", "b", "c"))
    assert loads.view(("a", "b", "c"))[2].share == pytest.approx(1.0, abs=0.02)


def test_old_reports_count_for_nothing() -> None:
    """What an engine said is used until it is too old; then only our own count is left."""
    clock = Clock()
    loads = Loads(stale_s=10.0, clock=clock)
    loads.began("1", "a", POOL)
    loads.reported("a", EngineReport(running=7, waiting=2))
    clock.now = 9.9
    assert (loads.view("a")[0].busy, loads.view("a")[0].waiting) == (9, 2)
    clock.now = 10.1
    assert (loads.view("a")[0].busy, loads.view("a")[0].waiting) == (1, 0)
    loads.heed(stale_s=60.0)
    assert loads.view("a")[0].busy == 9


def test_an_endpoint_that_did_not_answer_rests() -> None:
    """One request served elsewhere takes it out for a while; an answer brings it back."""
    clock = Clock()
    loads = Loads(clock=clock)
    loads.began("1", "a", POOL)
    loads.ended("1", reached=False)
    assert loads.view("a")[0].down
    clock.now = 2.1
    assert not loads.view("a")[0].down
    loads.began("2", "a", POOL)
    assert loads.view("a")[0].down  # while one request tries it
    loads.ended("2", reached=True)
    assert not loads.view("a")[0].down


def test_endpoints_are_bounded_and_forgotten() -> None:
    """No more endpoints are remembered than the bound; those kept elsewhere begin anew."""
    loads = Loads(endpoints=3, clock=Clock())
    for name in "abcdef":
        loads.reported(name, EngineReport(running=1))
    assert len(loads.endpoints) == 3 < ENDPOINTS
    loads.began("1", "f", ("f",))
    loads.keep([])
    loads.ended("1")
    assert loads.in_flight("f") == 0


def test_a_request_without_an_id_is_not_in_flight() -> None:
    """Nobody could tell its end, so that it would be in flight for ever."""
    loads = Loads(clock=Clock())
    loads.began("", "a", POOL)
    assert loads.pending == loads.in_flight("a") == 0


PAGE = """# HELP vllm:num_requests_running Number of requests
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 2.0
vllm:num_requests_running_created{engine="0",model_name="m"} 1.7e+09
vllm:num_requests_waiting{engine="0",model_name="m"} 4.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 4.0
vllm:USAGE{engine="0",model_name="m"} 0.25
vllm:USAGE{engine="1",model_name="m"} 0.75
vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="1000"} 1.0
vllm:cache_config_info{block_size="16",engine="1",num_gpu_blocks="500"} 1.0
vllm:lora_requests_info{max_lora="2",running_lora_adapters="old",waiting_lora_adapters=""} 1.5e+09
vllm:lora_requests_info{max_lora="2",running_lora_adapters="sql, law",waiting_lora_adapters="x"} 1.6e+09
vllm:request_prefill_kv_computed_tokens_sum{engine="0"} 1200.0
vllm:request_prefill_kv_computed_tokens_bucket{engine="0",le="20.0"} 9.0
vllm:request_prefill_time_seconds_sum{engine="0"} 0.5
process_cpu_seconds_total 3.0
"""


@pytest.mark.parametrize("usage", ["kv_cache_usage_perc", "gpu_cache_usage_perc"])
def test_a_metrics_page_is_read(usage: str) -> None:
    """Counts of ranks add up, the fullest cache and the newest adapters count; old names are known."""
    report = read_report(PAGE.replace("USAGE", usage))
    assert report == EngineReport(
        running=5,
        waiting=4,
        kv_usage=0.75,
        cache_tokens=24_000,
        loras=frozenset({"sql", "law", "x"}),
        computed_tokens=1200.0,
        prefill_s=0.5,
    )


@pytest.mark.parametrize(
    ("page", "running"),
    [
        ("vllm:num_requests_running 2", 2),
        ("vllm:num_requests_running NaN\nvllm:num_requests_waiting 1", 0),
        ("vllm:num_requests_running -1\nvllm:num_requests_waiting 1", 0),
        ("vllm:num_requests_running many\nvllm:num_requests_waiting 1", 0),
        ('vllm:num_requests_running{model_name="a\\"} 9"} 4', 4),
    ],
)
def test_strange_values_are_left_out(page: str, running: int) -> None:
    """What is no count is not believed, and costs nothing of the rest."""
    assert read_report(page).running == running


@pytest.mark.parametrize("page", ["", "<html>", "up 1", "# vllm:num_requests_running 1"])
def test_pages_of_others_are_no_reports(page: str) -> None:
    """Without any of vLLM's series nothing is known, which differs from no load."""
    with pytest.raises(NotVllm):
        read_report(page)
