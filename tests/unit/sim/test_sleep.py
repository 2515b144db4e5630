"""Sleep mode: requests hang, health stays well, as measured on vLLM."""

import asyncio
from typing import Any

import pytest
from sim_lab import Client, chat, drive, until

from pointsman.sim import RunningSim

CHAT = "/v1/chat/completions"


@pytest.mark.parametrize(("level", "state"), [(1, "weights_offloaded"), (2, "discard_all")])
def test_requests_hang_until_the_engine_wakes(level: int, state: str) -> None:
    """While it sleeps requests wait, /health is 200 and the metric tells; then they are answered."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        slept = (await http.post(f"/sleep?level={level}", b"")).status
        waiting = asyncio.create_task(http.post(CHAT, chat()))
        await until(lambda: sum(sim.load) == 1)
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        asleep = (await http.get("/is_sleeping")).json()
        page = (await http.get("/metrics")).text
        health = (await http.get("/health")).status
        await http.post("/wake_up", b"")
        return (
            slept,
            done,
            asleep,
            page,
            health,
            (await waiting).status,
            (await http.get("/is_sleeping")).json(),
        )

    slept, done, asleep, page, health, answered, awake = drive(scenario)
    assert (slept, done, health, answered) == (200, set(), 200, 200)
    assert (asleep, awake) == ({"is_sleeping": True}, {"is_sleeping": False})
    where = 'vllm:engine_sleep_state{engine="0",model_name="tiny",sleep_state='
    assert 'vllm:num_requests_waiting{engine="0",model_name="tiny"} 1.0' in page
    assert f'{where}"awake"}} 0.0' in page
    assert f'{where}"{state}"}} 1.0' in page


def test_sleep_empties_the_cache() -> None:
    """What was cached before is gone after; level 0 only pauses."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        cached = []
        for level in (0, 1):
            await http.post(CHAT, chat("word " * 60))
            await http.post(f"/sleep?level={level}", b"")
            await http.post("/wake_up?tags=weights", b"")
            usage = (await http.post(CHAT, chat("word " * 60))).json()["usage"]
            cached.append(usage["prompt_tokens_details"]["cached_tokens"])
        return cached

    kept, lost = drive(scenario)
    assert kept > 0
    assert lost == 0


def test_a_level_that_is_none_is_a_400() -> None:
    """Levels are 0, 1 and 2."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        reply = await http.post("/sleep?level=9", b"")
        return reply.status, (await http.get("/is_sleeping")).json()

    assert drive(scenario) == (400, {"is_sleeping": False})


def test_a_reset_spares_a_cache_in_use() -> None:
    """/reset_prefix_cache empties an idle cache and leaves one alone that running requests hold."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        async with http.stream(CHAT, chat("word " * 60, stream=True, max_tokens=900)) as response:
            await response.content.readline()
            await http.post("/reset_prefix_cache", b"")
            during = len(sim.sim.engine.cache)
        await until(lambda: sim.load == (0, 0))
        await http.post("/reset_prefix_cache", b"")
        return during, len(sim.sim.engine.cache)

    during, after = drive(scenario, rate=5, answer_tokens=1000)
    assert (during > 0, after) == (True, 0)
