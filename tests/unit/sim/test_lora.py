"""LoRA adapters that come and go, and how many run side by side."""

import asyncio
from typing import Any

import pytest
from sim_lab import Client, chat, drive, until

from pointsman.sim import RunningSim
from pointsman.sim.slots import Slots

CHAT = "/v1/chat/completions"
LOAD, UNLOAD = "/v1/load_lora_adapter", "/v1/unload_lora_adapter"


def _sql(**fields: Any) -> dict[str, Any]:
    return {"lora_name": "sql", "lora_path": "/adapters/sql", **fields}


def test_an_adapter_is_loaded_used_and_unloaded() -> None:
    """A loaded adapter is listed with its parent and answers; an unloaded one is a 404 again."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        statuses = [(await http.post(CHAT, chat(model="sql"))).status]
        loaded = await http.post(LOAD, _sql())
        listed = (await http.get("/v1/models")).json()["data"]
        statuses.append((await http.post(CHAT, chat(model="sql"))).status)
        unloaded = await http.post(UNLOAD, {"lora_name": "sql"})
        statuses.append((await http.post(CHAT, chat(model="sql"))).status)
        return statuses, loaded, listed, unloaded, (await http.get("/v1/models")).json()["data"]

    statuses, loaded, listed, unloaded, after = drive(scenario)
    assert statuses == [404, 200, 404]
    assert (loaded.status, loaded.text) == (200, "Success: LoRA adapter 'sql' added successfully.")
    assert (unloaded.status, unloaded.text) == (200, "Success: LoRA adapter 'sql' removed successfully.")
    assert [(each["id"], each["root"], each["parent"]) for each in listed] == [
        ("tiny", "tiny", None),
        ("sql", "/adapters/sql", "tiny"),
    ]
    assert [each["id"] for each in after] == ["tiny"]


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        (LOAD, {"lora_name": "old", "lora_path": "/p"}, 400, "InvalidUserInput"),
        (LOAD, {"lora_name": "tiny", "lora_path": "/p"}, 400, "InvalidUserInput"),
        (LOAD, {"lora_name": "", "lora_path": "/p"}, 400, "InvalidUserInput"),
        (LOAD, {"lora_name": "new"}, 400, "Bad Request"),
        (LOAD, {"lora_name": "new", "lora_path": "/p"}, 400, "InvalidUserInput"),
        (UNLOAD, {"lora_name": "new"}, 404, "NotFoundError"),
    ],
    ids=["loaded", "base", "empty", "no-path", "full", "unknown"],
)
def test_what_cannot_be_loaded_is_refused(path: str, body: Any, status: int, kind: str) -> None:
    """Names in use, empty ones, one adapter too many and unknown ones get vLLM's errors."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        reply = await http.post(path, body)
        return reply.status, reply.error["type"]

    assert drive(scenario, loras=("old=/adapters/old",), max_cpu_loras=1) == (status, kind)


def test_an_adapter_can_be_replaced_in_place() -> None:
    """With load_inplace a name that is loaded gets a new path."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        await http.post(LOAD, _sql())
        replaced = await http.post(LOAD, _sql(lora_path="/new", load_inplace=True))
        return replaced.status, (await http.get("/v1/models")).json()["data"][1]["root"]

    assert drive(scenario) == (200, "/new")


def test_one_adapter_more_than_may_run_waits() -> None:
    """With max_loras 1 a second adapter waits for the first, while the base model goes on."""

    async def scenario(sim: RunningSim, http: Client) -> Any:
        async with http.stream(CHAT, chat(model="one", stream=True, max_tokens=900)) as response:
            await response.content.readline()
            other = asyncio.create_task(http.post(CHAT, chat(model="two", max_tokens=1)))
            await until(lambda: sim.load == (1, 1))
            base = (await http.post(CHAT, chat(max_tokens=1))).status
            load = sim.sim.engine.load()
        return base, load.max_loras, load.running_loras, load.waiting_loras, (await other).status

    found = drive(scenario, loras=("one", "two"), max_loras=1, rate=5, answer_tokens=1000)
    assert found == (200, 1, ("one",), ("two",), 200)


def test_the_line_is_granted_in_order_but_for_adapters() -> None:
    """Who needs no new adapter passes those who do; among equals the first comes first."""

    async def scenario() -> Any:
        slots = Slots(2, 10, 1)
        first, second = slots.take("a"), slots.take()
        line = [slots.take("b"), slots.take("a"), slots.take(), slots.take("b")]
        turns = [asyncio.create_task(ticket.turn()) for ticket in line]

        async def done() -> list[bool]:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return [turn.done() for turn in turns]

        seen = [await done()]
        for ticket in (second, first, line[1]):
            ticket.give_back()
            seen.append(await done())
        line[2].give_back()
        seen.append(await done())
        return seen

    assert asyncio.run(scenario()) == [
        [False, False, False, False],
        [False, True, False, False],
        [False, True, True, False],
        [True, True, True, False],
        [True, True, True, True],
    ]
