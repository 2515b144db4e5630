"""The parts of one running simulated engine, in one place for its request handlers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from pointsman.sim.engine import Engine
from pointsman.sim.faults import FaultBoard
from pointsman.sim.handover import Handover
from pointsman.sim.kv_publisher import KvPublisher
from pointsman.sim.models import Models
from pointsman.sim.settings import SimSettings
from pointsman.sim.state import SimState, Visit

Refuse = Callable[[float | None], Awaitable[None]]
"""Stop listening: for that many seconds, or until told otherwise (None); 0 means listen again."""


@dataclass
class Sim:
    """Settings, engine, faults and counters; `refuse` is set by whoever owns the listening socket."""

    settings: SimSettings
    engine: Engine
    models: Models
    handover: Handover
    board: FaultBoard
    state: SimState
    refuse: Refuse | None = None
    publisher: KvPublisher | None = None
    """Where KV events go, if anywhere."""
    busy: set[asyncio.BaseTransport | None] = field(default_factory=set)
    """Connections on which a request is being answered."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def describe(self) -> dict[str, Any]:
        """The answer of /sim/state."""
        slots = self.engine.slots
        return {
            "engine": self.settings.name,
            "model": self.settings.model,
            "running": slots.running,
            "waiting": slots.waiting,
            "max_running": slots.max_running,
            "max_waiting": slots.max_waiting_seen,
            "prefix_cache_blocks": len(self.engine.cache),
            "sleeping": self.engine.sleep_level is not None,
            "adapters": [name for name, _ in self.engine.adapters],
            "handovers": self.handover.kept,
            "kv_event_batches": self.publisher.sequence if self.publisher else 0,
            **self.board.describe(),
            **self.state.describe(),
        }


SIM: web.AppKey[Sim] = web.AppKey("sim", Sim)
VISIT: web.RequestKey[Visit] = web.RequestKey("visit", Visit)
