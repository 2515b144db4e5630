"""Disaggregated prefill: the exchange a router makes between a prefilling and a decoding engine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sim_lab import PATIENCE_S, Client, chat, drive, until

from pointsman.sim import RunningSim, SimSettings, running
from pointsman.sim.handover import MAX_KEPT

CHAT = "/v1/chat/completions"
LONG = "word " * 100
WANTED = {
    "do_remote_decode": True,
    "do_remote_prefill": False,
    "remote_engine_id": None,
    "remote_block_ids": None,
    "remote_host": None,
    "remote_port": None,
}

Pair = Callable[[RunningSim, Client, RunningSim, Client], Awaitable[Any]]


def _pair(scenario: Pair, **decode: Any) -> Any:
    """Run a scenario on a prefilling engine and a decoding one."""

    async def main() -> Any:
        first = SimSettings(model="tiny", name="p", role="prefill", ttft_ms=0, rate=0)
        second = SimSettings(**({"model": "tiny", "role": "decode", "ttft_ms": 0, "rate": 0} | decode))
        async with (
            running(first) as prefill,
            running(second) as decoder,
            aiohttp.ClientSession(prefill.url) as left,
            aiohttp.ClientSession(decoder.url) as right,
        ):
            run = scenario(prefill, Client(left), decoder, Client(right))
            return await asyncio.wait_for(run, PATIENCE_S)

    return asyncio.run(main())


async def _prefill(http: Client, headers: dict[str, str] | None = None) -> dict[str, Any]:
    body = chat(LONG, max_tokens=1, kv_transfer_params=WANTED)
    params: dict[str, Any] = (await http.post(CHAT, body, headers)).json()["kv_transfer_params"]
    return params


async def _counted(http: Client) -> dict[str, float]:
    page = (await http.get("/metrics")).text
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found[sample.name + sample.labels.get("source", "")] = sample.value
    return found


def test_blocks_go_from_prefill_to_decode() -> None:
    """The prefill answer says where the blocks are; with it the decoding engine computes nothing."""

    async def scenario(prefill: RunningSim, left: Client, _: RunningSim, right: Client) -> Any:
        params = await _prefill(left)
        kept = prefill.sim.handover.kept
        answer = (await right.post(CHAT, chat(LONG, kv_transfer_params=params))).json()
        return params, prefill.port, kept, prefill.sim.handover.kept, answer, await _counted(right)

    params, port, kept, left_over, answer, counted = _pair(scenario)
    assert (params["do_remote_prefill"], params["do_remote_decode"]) == (True, False)
    assert (params["remote_host"], params["remote_port"]) == ("127.0.0.1", port)
    assert (kept, left_over) == (1, 0)
    prompt = answer["usage"]["prompt_tokens"]
    assert params["remote_num_tokens"] == prompt
    assert len(params["remote_block_ids"][0]) == -(-prompt // 16)
    assert counted["vllm:prompt_tokens_by_source_totalexternal_kv_transfer"] == prompt
    assert counted["vllm:prompt_tokens_by_source_totallocal_compute"] == 0
    assert counted["vllm:external_prefix_cache_hits_total"] == prompt
    assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] == 0
    assert answer["kv_transfer_params"] is None


def test_a_decoding_engine_with_blocks_starts_at_once() -> None:
    """Prefill takes no time where the blocks were handed over, streamed or not."""

    async def scenario(_: RunningSim, left: Client, decoder: RunningSim, right: Client) -> Any:
        body = chat(LONG, stream=True, kv_transfer_params=await _prefill(left))
        text = (await right.post(CHAT, body)).text
        return text.endswith("data: [DONE]\n\n"), decoder.sim.engine.metrics.prefill_time._sum

    # one token a second: computing the prompt would take minutes, longer than the scenario may
    assert _pair(scenario, prefill_rate=1) == (True, pytest.approx(0, abs=5))


@pytest.mark.parametrize(
    "change", [{"remote_request_id": "x"}, {"remote_engine_id": "x"}, {"remote_port": 1}]
)
def test_unknown_blocks_are_recomputed(change: dict[str, Any]) -> None:
    """Blocks that nobody has, or that cannot be fetched, are computed again; the failure is counted."""

    async def scenario(_: RunningSim, left: Client, __: RunningSim, right: Client) -> Any:
        params = await _prefill(left) | change
        reply = await right.post(CHAT, chat(LONG, kv_transfer_params=params))
        return reply.status, await _counted(right)

    status, counted = _pair(scenario)
    assert status == 200
    assert counted["vllm:nixl_num_failed_transfers_total"] == 1
    assert counted["vllm:prompt_tokens_by_source_totallocal_compute"] > 100


def test_blocks_are_handed_over_once() -> None:
    """A second request with the same parameters finds the blocks gone."""

    async def scenario(_: RunningSim, left: Client, __: RunningSim, right: Client) -> Any:
        body = chat(LONG, kv_transfer_params=await _prefill(left))
        statuses = [(await right.post(CHAT, body)).status for _ in range(2)]
        return statuses, (await _counted(right))["vllm:nixl_num_failed_transfers_total"]

    assert _pair(scenario) == ([200, 200], 1)


@pytest.mark.parametrize("stream", [False, True])
def test_lost_blocks_can_be_an_error(stream: bool) -> None:
    """With kv_load_failure `fail` a request whose blocks are lost gets a 500, a stream too."""

    async def scenario(_: RunningSim, left: Client, decoder: RunningSim, right: Client) -> Any:
        params = await _prefill(left) | {"remote_request_id": "x"}
        reply = await right.post(CHAT, chat(LONG, stream=stream, kv_transfer_params=params))
        return reply.status, reply.error["message"], decoder.load

    status, message, load = _pair(scenario, kv_load_failure="fail")
    assert (status, load) == (500, (0, 0))
    assert "KV load failure" in message


@pytest.mark.parametrize("side", ["prefill", "decode"])
def test_the_fault_kv_lost_strikes_on_either_side(side: str) -> None:
    """kv-lost makes a prefilling engine forget what it promised, and a decoding one miss what is there."""
    lost = {"x-sim-fault": "kv-lost"}

    async def scenario(_: RunningSim, left: Client, __: RunningSim, right: Client) -> Any:
        params = await _prefill(left, lost if side == "prefill" else None)
        headers = lost if side == "decode" else None
        return (await right.post(CHAT, chat(LONG, kv_transfer_params=params), headers)).status

    assert _pair(scenario, kv_load_failure="fail") == 500


def test_parameters_that_are_none_are_lost_blocks() -> None:
    """Parameters without the fields of a handover are a failure to load, not a crash."""

    async def scenario(_: RunningSim, __: Client, ___: RunningSim, right: Client) -> Any:
        bad: list[dict[str, Any]] = [
            {"do_remote_prefill": True},
            {**WANTED, "do_remote_prefill": True},
            {
                "do_remote_prefill": True,
                "remote_engine_id": "e",
                "remote_request_id": "r",
                "remote_block_ids": [[1]],
                "remote_host": "no host",
                "remote_port": 99_999_999,
            },
        ]
        return [(await right.post(CHAT, chat(kv_transfer_params=each))).status for each in bad]

    assert _pair(scenario, kv_load_failure="fail") == [500] * 3


def test_without_a_role_the_parameters_do_nothing() -> None:
    """An engine without a role neither keeps nor fetches blocks."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        asked = (await http.post(CHAT, chat(kv_transfer_params=WANTED))).json()["kv_transfer_params"]
        given = await http.post(CHAT, chat(kv_transfer_params={"do_remote_prefill": True}))
        return asked, given.status, sim.sim.handover.kept

    assert drive(scenario) == (None, 200, 0)


def test_an_engine_of_both_roles_hands_over_to_itself() -> None:
    """`both` keeps and fetches."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        await http.post(CHAT, chat(LONG, kv_transfer_params=await _prefill(http)))
        return (await _counted(http))["vllm:nixl_num_failed_transfers_total"]

    assert drive(scenario, role="both") == 0


def test_another_address_can_be_named() -> None:
    """kv_host is what other engines are told, wherever this one listens."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        return (await _prefill(http))["remote_host"]

    assert drive(scenario, role="prefill", kv_host="10.0.0.7") == "10.0.0.7"


def test_kept_blocks_hold_the_cache_until_the_lease_ends() -> None:
    """Blocks kept for another engine count as used; when nobody fetches them in time they are let go."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        await _prefill(http)
        during = sim.sim.engine.load().kv_usage
        await until(lambda: sim.sim.handover.kept == 0)
        return during, sim.sim.engine.load().kv_usage, await _counted(http)

    during, after, counted = drive(scenario, role="prefill", kv_lease_ms=300)
    assert (during > 0, after) == (True, 0)
    assert counted["vllm:nixl_num_kv_expired_reqs_total"] == 1


def test_kept_prompts_are_bounded() -> None:
    """One prompt more than may be kept lets the oldest go."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        oldest = await _prefill(http)
        handover, engine = sim.sim.handover, sim.sim.engine
        run = next(iter(engine.runs), None)
        assert run is None
        for _ in range(MAX_KEPT):
            handover._keep(_claim(handover), 1, [])
        return handover.kept, (await http.post("/sim/kv/pull", oldest)).status

    def _claim(handover: Any) -> Any:
        handover._numbers += 1
        return type(
            "Claim",
            (),
            {"remote_request_id": str(handover._numbers), "remote_engine_id": "", "remote_block_ids": []},
        )()

    assert drive(scenario, role="prefill") == (MAX_KEPT, 404)
