"""What is compared: our policies as they run, and the simplest things others do."""

import random
from collections import Counter
from collections.abc import Callable, Sequence

from placement_replay import Engine
from placement_workloads import Turn, Workload
from pointsman.config.placement import Placement as Settings
from pointsman.config.placement import PolicyName
from pointsman.core.endpoint import Endpoint, Health
from pointsman.core.placement import Placement
from pointsman.fleet.load import Loads
from pointsman.fleet.load_report import EngineReport
from pointsman.fleet.roster import Roster
from pointsman.placement.base import Asked, View
from pointsman.placement.memory import Memory
from pointsman.placement.prefix_index import BlockIndex
from pointsman.placement.prompt import BLOCK_TOKENS
from pointsman.placement.table import build_policy

Clock = Callable[[], float]
POOL = "m"


class Ours:
    """A policy of ours with its real index, load view and scorers; only the prompt's keys are given."""

    def __init__(
        self, name: PolicyName, workload: Workload, clock: Clock, settings: Settings | None = None
    ) -> None:
        policy = build_policy(name, settings or Settings())
        if policy is None:
            raise ValueError(f"{name} is the data plane's own")
        self.policy = policy
        self.workload = workload
        endpoints = [
            Endpoint(f"10.0.0.{number}:8000", POOL, health=Health.READY) for number in range(workload.engines)
        ]
        self.roster = Roster(endpoints)
        self.endpoints = self.roster.of(POOL)
        self.addresses = [endpoint.address for endpoint in self.endpoints]
        self.memory = Memory(Loads(clock=clock), BlockIndex(max_bytes=1 << 30))
        self.scale = workload.block / BLOCK_TOKENS

    def place(self, request: str, session: str, turn: Turn) -> int:
        """As the placer does, with keys that are there already."""
        size = self.workload.block
        keys = turn.blocks if self.policy.reads_prompt else ()
        tokens = len(turn.blocks) * size
        asked = Asked(session=session, keys=keys, tokens=tokens, usual_tokens=self.memory.usual_tokens(POOL))
        loads = self.memory.loads.view(self.addresses)
        matched = self.memory.prefixes.match(keys, self.addresses)
        ages = self.memory.prefixes.ages([len(keys) - blocks for blocks in matched], self.addresses)
        views = [
            View(endpoint, load, blocks * size, age)
            for endpoint, load, blocks, age in zip(self.endpoints, loads, matched, ages, strict=True)
        ]
        choice = self.policy.profile.choose(asked, views)
        assert choice is not None  # noqa: S101  # every endpoint is ready
        first = choice.first
        placement = Placement(first.address, keys=keys, tokens=tokens, cached=first.cached)
        self.memory.began(request, POOL, placement, self.roster)
        return self.addresses.index(first.address)

    def ended(self, request: str) -> None:
        """The access log told of it."""
        sent = self.memory.loads.sent(request)
        self.memory.ended(request, sent.address if sent else "", failed=False)

    def report(self, engines: Sequence[Engine], now: float) -> None:
        """What a look at the metrics pages would have read."""
        for address, engine in zip(self.addresses, engines, strict=True):
            ahead = max(0.0, engine.free_at - now)
            waiting = min(engine.running, int(ahead * engine.workload.prefill_rate / 6000))
            self.memory.loads.reported(
                address,
                EngineReport(
                    running=engine.running - waiting,
                    waiting=waiting,
                    # In the index's own blocks, which are the workload's here.
                    cache_tokens=engine.cache_blocks * BLOCK_TOKENS,
                    computed_tokens=float(engine.computed),
                    prefill_s=engine.prefill_s,
                ),
            )
        self.memory.refresh(self.roster)


class _Simple:
    """Nothing is reported to it."""

    def __init__(self, workload: Workload) -> None:
        self.count = workload.engines
        self.turn = -1

    def place(self, request: str, session: str, turn: Turn) -> int:  # noqa: ARG002  # round robin looks at nothing
        self.turn = (self.turn + 1) % self.count
        return self.turn

    def ended(self, request: str) -> None: ...

    def report(self, engines: Sequence[Engine], now: float) -> None: ...


class RoundRobin(_Simple):
    """One after the other."""


class LeastRequest(_Simple):
    """The fewer in flight of two drawn, as Envoy does."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self.rng = random.Random(1)  # noqa: S311  # reproducible
        self.busy: Counter[int] = Counter()
        self.where: dict[str, int] = {}

    def place(self, request: str, session: str, turn: Turn) -> int:  # noqa: ARG002
        """The less busy of two."""
        drawn = self.rng.sample(range(self.count), 2)
        chosen = min(drawn, key=lambda engine: self.busy[engine])
        self.busy[chosen] += 1
        self.where[request] = chosen
        return chosen

    def ended(self, request: str) -> None:
        """One less."""
        self.busy[self.where.pop(request)] -= 1


class Hashed(_Simple):
    """The session's hash, without a look at load."""

    def place(self, request: str, session: str, turn: Turn) -> int:  # noqa: ARG002
        """Always the same for a session."""
        return random.Random(session or request).randrange(self.count)  # noqa: S311  # a hash


class Longest(_Simple):
    """An exact index, and always the longest match: what prefix routing without load does."""

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self.index = BlockIndex(max_bytes=1 << 30, blocks=workload.cache_blocks)
        self.names = [str(number) for number in range(self.count)]

    def place(self, request: str, session: str, turn: Turn) -> int:
        """Where most of it is; what is new goes to the next in turn."""
        matched = self.index.match(turn.blocks, self.names)
        best = max(matched)
        chosen = matched.index(best) if best else super().place(request, session, turn)
        self.index.learn(turn.blocks, self.names[chosen])
        return chosen
