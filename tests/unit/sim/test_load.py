import asyncio
from typing import Any

import aiohttp
from sim_lab import Client, chat, drive, until

from pointsman.sim import RunningSim, SimSettings, running


def test_a_client_that_leaves_frees_its_slot() -> None:
    """Disconnecting in the middle of a stream stops the generation and is counted as cancelled."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        async with http.stream("/v1/chat/completions", chat(stream=True)) as response:
            await response.content.readline()
            assert sim.load == (1, 0)
        await until(lambda: sim.load == (0, 0))
        return sim.state.cancelled, ((await http.get("/metrics")).text)

    cancelled, page = drive(scenario, rate=5, answer_tokens=1000)
    assert cancelled == 1
    assert 'vllm:num_requests_running{engine="0",model_name="tiny"} 0.0' in page


def test_a_waiting_client_that_leaves_frees_its_place() -> None:
    """Disconnecting while in line shortens the line."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        async with http.stream("/v1/chat/completions", chat(stream=True)):
            waiting = asyncio.create_task(http.post("/v1/chat/completions", chat()))
            await until(lambda: sim.load == (1, 1))
            waiting.cancel()
            await until(lambda: sim.load == (1, 0))
        await until(lambda: sim.load == (0, 0))

    drive(scenario, rate=5, answer_tokens=1000, max_concurrency=1)


def test_a_full_line_turns_requests_away() -> None:
    """Beyond slots and line a request gets a 503 in vLLM's shape, streamed or not."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        path = "/v1/chat/completions"
        async with http.stream(path, chat(stream=True)), http.stream(path, chat(stream=True)):
            await until(lambda: sim.load == (1, 1))
            refused = [await http.post(path, chat(stream=stream)) for stream in (False, True)]
        await until(lambda: sim.load == (0, 0))
        return [(each.status, each.error["code"]) for each in refused]

    settings = {"rate": 5, "answer_tokens": 1000, "max_concurrency": 1, "max_waiting": 1}
    assert drive(scenario, **settings) == [(503, 503), (503, 503)]


def test_a_waiting_stream_runs_when_its_turn_comes() -> None:
    """A stream that waited in line is answered in full."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        async def ask() -> Any:
            return (await http.post("/v1/chat/completions", chat(stream=True))).text

        answers = await asyncio.gather(*(ask() for _ in range(5)))
        return answers, sim.describe()

    answers, seen = drive(scenario, max_concurrency=1, rate=200)
    assert all(answer.endswith("data: [DONE]\n\n") for answer in answers)
    assert (seen["max_running"], seen["running"], seen["waiting"]) == (1, 0, 0)
    assert seen["max_waiting"] >= 1


def test_the_state_route_counts_and_stays_bounded() -> None:
    """/sim/state counts requests by route, unknown paths together, and keeps only the last hundred."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        await http.post("/v1/chat/completions", chat())
        for number in range(120):
            await http.get(f"/unknown/{number}")
        return (await http.get("/sim/state")).json()

    state = drive(scenario)
    assert state["received"] == {"/v1/chat/completions": 1, "other": 120, "/sim/state": 1}
    assert len(state["recent"]) == 100
    assert (state["running"], state["waiting"], state["engine"]) == (0, 0, "sim")


def test_stopping_does_not_wait_for_slow_clients() -> None:
    """Leaving the context ends open streams and hanging requests promptly."""

    async def main() -> Any:
        async with aiohttp.ClientSession() as session:
            http = Client(session)
            async with running(SimSettings(model="tiny", rate=1, answer_tokens=100_000)) as sim:
                path = f"{sim.url}/v1/chat/completions"
                streaming = asyncio.create_task(http.post(path, chat(stream=True)))
                hanging = asyncio.create_task(http.post(path, chat(), {"x-sim-fault": "hang"}))
                await until(lambda: sim.load == (2, 0))
            return await asyncio.gather(streaming, hanging, return_exceptions=True)

    assert all(isinstance(end, aiohttp.ClientError) for end in asyncio.run(main()))
