import asyncio
import json
from typing import Any

import aiohttp
import pytest
from sim_lab import Client, chat, drive, until

from pointsman.sim import Clock, RunningSim

PATH = "/v1/chat/completions"


def _fault(spec: str) -> dict[str, str]:
    return {"x-sim-fault": spec}


async def _lines(response: aiohttp.ClientResponse) -> tuple[list[bytes], aiohttp.ClientError | None]:
    """The events read until the stream ends or breaks, and the error that broke it."""
    found = []
    try:
        async for line in response.content:
            if line.strip():
                found.append(line.strip())  # noqa: PERF401  (what came before the break is wanted)
    except aiohttp.ClientError as error:
        return found, error
    return found, None


async def _stream(http: Client, spec: str) -> tuple[list[bytes], aiohttp.ClientError | None]:
    async with http.stream(PATH, chat(stream=True), _fault(spec)) as response:
        return await _lines(response)


def test_status_answers_with_that_error() -> None:
    """status:N gives status N in vLLM's shape, also for a stream."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        response = await http.post(PATH, chat(stream=True), headers=_fault("status:503"))
        return response.status, response.error

    status, error = drive(scenario)
    assert (status, error["code"], error["type"]) == (503, 503, "ServiceUnavailableError")


def test_cut_zero_resets_before_headers() -> None:
    """cut:0 leaves the client without any answer."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
            await http.post(PATH, chat(), headers=_fault("cut:0"))

    drive(scenario)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_cut_ends_a_stream_after_n_chunks(count: int) -> None:
    """cut:N delivers exactly N events, then an incomplete body, and frees the slot."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        found = await _stream(http, f"cut:{count}")
        return found, sim.load, sim.state.outcomes["broken"]

    (found, error), load, broken = drive(scenario)
    assert len(found) == count
    assert isinstance(error, aiohttp.ClientPayloadError)
    assert load == (0, 0)
    assert broken == 1


def test_cut_ends_a_plain_answer_in_the_middle() -> None:
    """Without a stream, cut:N promises the whole body and delivers half."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        with pytest.raises(aiohttp.ClientPayloadError):
            await http.post(PATH, chat(), _fault("cut:1"))

    drive(scenario)


def test_hang_never_answers_but_holds_a_slot() -> None:
    """A hang accepts the request, runs, and says nothing until the client leaves."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        task = asyncio.create_task(http.post(PATH, chat(), headers=_fault("hang")))
        done, _ = await asyncio.wait([task], timeout=0.3)
        load = sim.load
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until(lambda: sim.load == (0, 0))
        return done, load

    assert drive(scenario) == (set(), (1, 0))


def test_hang_mid_stalls_after_n_chunks() -> None:
    """hang-mid:N delivers N events and then nothing, with the connection open."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        async with http.stream(PATH, chat(stream=True), _fault("hang-mid:2")) as response:
            for _ in range(4):  # two events, each followed by an empty line
                await response.content.readline()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(response.content.readline(), 0.3)

    drive(scenario)


def test_error_mid_ends_with_an_error_event() -> None:
    """error-mid:N is how a dying vLLM ends a stream: an error event, then [DONE]."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        return await _stream(http, "error-mid:2")

    found, error = drive(scenario)
    assert error is None
    assert json.loads(found[2][6:])["error"]["code"] == 500
    assert found[3] == b"data: [DONE]"


def test_malformed_is_not_json() -> None:
    """The fault malformed breaks the body of a plain answer and one event of a stream."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        plain = (await http.post(PATH, chat(), headers=_fault("malformed"))).text
        streamed, _ = await _stream(http, "malformed")
        return plain, streamed

    plain, streamed = drive(scenario)
    with pytest.raises(ValueError, match=r"."):
        json.loads(plain)
    with pytest.raises(ValueError, match=r"."):
        json.loads(streamed[1][6:])
    assert json.loads(streamed[2][6:])


def test_no_done_ends_a_stream_without_done() -> None:
    """no-done closes the body properly but leaves [DONE] out."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        return await _stream(http, "no-done")

    found, error = drive(scenario)
    assert error is None
    assert found[-1] != b"data: [DONE]"
    assert json.loads(found[-1][6:])["choices"][0]["finish_reason"] == "stop"


def test_delay_still_answers() -> None:
    """delay:MS answers normally, later."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        return (await http.post(PATH, chat(), headers=_fault("delay:20"))).status

    assert drive(scenario) == 200


def test_a_bad_header_is_a_400_that_lists_the_known() -> None:
    """An unknown spec and the process-wide `refuse` are refused with an explanation."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        answers = [await http.post(PATH, chat(), headers=_fault(spec)) for spec in ("boom", "refuse")]
        return [(each.status, each.error["message"]) for each in answers]

    (status, message), (refused, why) = drive(scenario)
    assert (status, refused) == (400, 400)
    assert "cut:N" in message
    assert "process-wide" in why


def test_a_process_wide_fault_strikes_count_times() -> None:
    """POST /sim/fault with a count fails that many inference requests; health stays well."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        set_to = (await http.post("/sim/fault", {"fault": "status:500", "count": 2})).json()
        health = (await http.get("/health")).status
        return set_to, health, [(await http.post(PATH, chat())).status for _ in range(3)]

    set_to, health, statuses = drive(scenario)
    assert set_to == {"fault": "status:500", "left": 2, "scope": "inference"}
    assert health == 200
    assert statuses == [500, 500, 200]


def test_a_fault_can_strike_health_too() -> None:
    """With the scope `all` every route but the simulator's own fails, until it is cleared."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        await http.post("/sim/fault", {"fault": "status:503", "scope": "all"})
        sick = (await http.get("/health")).status
        await http.post("/sim/fault", {"fault": None})
        return sick, (await http.get("/health")).status

    assert drive(scenario) == (503, 200)


def test_a_bad_fault_body_is_a_400() -> None:
    """/sim/fault explains unknown specs, unknown fields and senseless counts."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        bodies = [
            {"fault": "boom"},
            {"fault": "hang", "cuont": 1},
            {"fault": "hang", "count": 0},
            {},
            {"fault": "refuse", "count": 1},
        ]
        return [(await http.post("/sim/fault", body)).status for body in bodies]

    assert drive(scenario) == [400] * 5


@pytest.mark.parametrize("stream", [False, True])
def test_a_reset_is_a_reset(stream: bool) -> None:
    """reset:N breaks the connection with an error, not an orderly end, in a stream as in a plain answer."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        try:
            async with http.stream(PATH, chat(stream=stream), _fault("reset:3")) as response:
                error = (await _lines(response))[1]
        except aiohttp.ClientError as found:  # the reset can overtake the headers
            error = found
        await until(lambda: sim.load == (0, 0))
        return error, sim.state.outcomes["broken"]

    error, broken = drive(scenario)
    assert isinstance(error, aiohttp.ClientError)
    assert broken == 1


def test_a_slow_first_token_leaves_the_headers_alone() -> None:
    """slow-first:MS sends a stream's headers at once, holds a slot, and starts later."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        async with http.stream(PATH, chat(stream=True), _fault("slow-first:400")) as response:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(response.content.readline(), 0.1)
            load = sim.load
            rest = await response.content.read()
        plain = (await http.post(PATH, chat(), _fault("slow-first:1"))).status
        return response.status, load, rest.endswith(b"data: [DONE]\n\n"), plain

    assert drive(scenario) == (200, (1, 0), True, 200)


def test_a_slow_stream_is_whole() -> None:
    """slow:MS puts a pause before every event and leaves none out."""
    pauses = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    async def scenario(sim: RunningSim, http: Client) -> Any:
        sim.sim.engine.clock = Clock(sleep=sleep)
        return (await http.post(PATH, chat(stream=True, max_tokens=4), _fault("slow:250"))).text

    found = drive(scenario)
    assert found.endswith("data: [DONE]\n\n")
    assert pauses.count(0.25) == 6  # a role, four tokens, [DONE]


def test_health_alone_can_fail() -> None:
    """With the scope `health` the probes fail while requests are answered."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        await http.post("/sim/fault", {"fault": "status:503", "scope": "health"})
        probes = [(await http.get(path)).status for path in ("/health", "/ping")]
        return probes, (await http.get("/metrics")).status, (await http.post(PATH, chat())).status

    assert drive(scenario) == ([503, 503], 200, 200)


def test_faults_strike_the_other_apis() -> None:
    """A fault for all requests strikes embeddings and scores as it does chat."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        await http.post("/sim/fault", {"fault": "status:500"})
        bodies = {"/v1/embeddings": {"input": "a"}, "/score": {"text_1": "a", "text_2": "b"}}
        return [(await http.post(path, body)).status for path, body in bodies.items()]

    assert drive(scenario) == [500, 500]
