"""What the tests of the simulated engine share: a client, a chat body, and a way to run a scenario."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from pointsman.sim import RunningSim, SimSettings, running

PATIENCE_S = 60


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)

    @property
    def error(self) -> dict[str, Any]:
        """The error object of vLLM's error shape."""
        found: dict[str, Any] = self.json()["error"]
        return found

    @property
    def said(self) -> str:
        """The text of a chat answer's first choice."""
        content: str = self.json()["choices"][0]["message"]["content"]
        return content


class Client:
    """A small client over aiohttp whose answers are always read and released."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, path: str) -> Reply:
        """GET."""
        async with self._session.get(path) as response:
            return await _read(response)

    async def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Reply:
        """POST of bytes as they are or of any other value as JSON."""
        async with self.stream(path, body, headers) as response:
            return await _read(response)

    @asynccontextmanager
    async def stream(
        self, path: str, body: Any, headers: dict[str, str] | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """POST whose answer is read by the caller; leaving the context early drops the connection."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        merged = {"content-type": "application/json"} | (headers or {})
        async with self._session.post(path, data=data, headers=merged) as response:
            yield response


Scenario = Callable[[RunningSim, Client], Awaitable[Any]]


def drive(scenario: Scenario, **settings: Any) -> Any:
    """Run a scenario on an engine with these settings (no waiting, unless given); gives its result."""

    async def main() -> Any:
        chosen = SimSettings(**({"model": "tiny", "ttft_ms": 0, "rate": 0} | settings))
        async with running(chosen) as sim, aiohttp.ClientSession(sim.url) as session:
            return await asyncio.wait_for(scenario(sim, Client(session)), PATIENCE_S)

    return asyncio.run(main())


def chat(text: str = "Hello", **fields: Any) -> dict[str, Any]:
    """A chat body of one user message."""
    return {"model": "tiny", "messages": [{"role": "user", "content": text}], **fields}


def events(stream: str | bytes) -> list[Any]:
    """The JSON events of a complete stream, [DONE] left out."""
    text = stream.decode() if isinstance(stream, bytes) else stream
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  (an engine announces its load to nobody)
            await asyncio.sleep(0.005)


async def _read(response: aiohttp.ClientResponse) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status, headers, await response.read())
