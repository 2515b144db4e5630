from typing import Any

import openai
from sim_lab import Client, chat, drive

from pointsman.sim import RunningSim


def test_adapters_are_listed_with_their_parent() -> None:
    """/v1/models names the base model and each adapter, as the real client reads them."""

    async def scenario(sim: RunningSim, _http: Client) -> Any:
        async with openai.AsyncOpenAI(base_url=f"{sim.url}/v1", api_key="none", max_retries=0) as client:
            return [model async for model in client.models.list()]

    models = drive(scenario, loras=("sql", "legal"))
    assert [(model.id, model.parent, model.owned_by) for model in models] == [
        ("tiny", None, "vllm"),
        ("sql", "tiny", "vllm"),
        ("legal", "tiny", "vllm"),
    ]


def test_an_adapter_answers_under_its_own_name() -> None:
    """A request for an adapter is answered in the adapter's name, one for no model in the base's."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        bodies = [chat(model="sql"), chat(model=None)]
        return [(await http.post("/v1/chat/completions", body)).json()["model"] for body in bodies]

    assert drive(scenario, loras=("sql",)) == ["sql", "tiny"]


def test_health_version_and_unknown_routes() -> None:
    """/health is an empty 200, /version owns up to a simulator, unknown routes get vLLM's error shape."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        health = await http.get("/health")
        version = (await http.get("/version")).json()
        unknown = await http.get("/nowhere")
        wrong = await http.get("/v1/chat/completions")
        return (
            (health.status, health.content),
            version["version"],
            (unknown.status, unknown.error["code"]),
            (wrong.status, wrong.error["code"]),
        )

    health, version, unknown, wrong = drive(scenario)
    assert health == (200, b"")
    assert version.endswith(".sim")
    assert unknown == (404, 404)
    assert wrong == (405, 405)


def test_load_and_server_info() -> None:
    """/load counts the requests at hand, /server_info names the model."""

    async def scenario(_sim: RunningSim, http: Client) -> Any:
        return (await http.get("/load")).json(), (await http.get("/server_info")).json()

    load, info = drive(scenario, role="decode")
    assert load == {"server_load": 0}
    assert (info["vllm_config"]["model"], info["vllm_config"]["role"]) == ("tiny", "decode")
