"""Reads every replica's metrics page again and again."""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final

import aiohttp

from pointsman.core.endpoint import Endpoint, Health
from pointsman.fleet.bounded_read import read_bounded
from pointsman.fleet.load import Loads
from pointsman.fleet.load_report import MAX_PAGE, NotVllm, read_report
from pointsman.fleet.roster import Roster

CONCURRENCY: Final = 16
"""Pages read at the same time."""
_UNASKED: Final = frozenset({Health.DOWN, Health.ASLEEP})


class Look(StrEnum):
    """What came of one look."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    NOT_VLLM = "not_vllm"
    """It answered, but not with an engine's metrics."""


OnLook = Callable[[Look], None]


class LoadWatch:
    """Tells ``loads`` what replicas report. What cannot be read grows old there, then counts for nothing."""

    def __init__(
        self,
        roster: Roster,
        loads: Loads,
        *,
        interval_s: float,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        on_look: OnLook = lambda _: None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._roster = roster
        self._loads = loads
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._headers = dict(headers or {})
        self._on_look = on_look
        self._chance = chance
        self._slots = asyncio.Semaphore(CONCURRENCY)

    async def run(self) -> None:
        """Until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self._timeout_s)
        connector = aiohttp.TCPConnector(limit=CONCURRENCY)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector, trust_env=False) as session:
            while True:
                await self.look(session)
                await asyncio.sleep(self._interval_s * (0.8 + 0.4 * self._chance()))

    async def look(self, session: aiohttp.ClientSession) -> None:
        """One look at each; the slow ones hold up nothing but the next look."""
        await asyncio.gather(*(self._read(session, endpoint) for endpoint in self._wanted()))

    def _wanted(self) -> Iterable[Endpoint]:
        found = (endpoint for pool in self._roster.pools.values() for endpoint in pool)
        return {endpoint.address: endpoint for endpoint in found if endpoint.health not in _UNASKED}.values()

    async def _read(self, session: aiohttp.ClientSession, endpoint: Endpoint) -> None:
        async with self._slots:
            try:
                page = await self._page(session, f"{endpoint.base_url}/metrics")
                self._loads.reported(endpoint.address, read_report(page))
            except NotVllm:
                self._on_look(Look.NOT_VLLM)
            except (aiohttp.ClientError, OSError, ValueError):
                self._on_look(Look.UNREACHABLE)
            else:
                self._on_look(Look.OK)

    async def _page(self, session: aiohttp.ClientSession, url: str) -> str:
        async with (
            asyncio.timeout(self._timeout_s),
            session.get(url, headers=self._headers, allow_redirects=False) as response,
        ):
            page = await read_bounded(response, MAX_PAGE)
            return page.decode(errors="replace") if response.status == 200 else ""
