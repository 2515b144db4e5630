"""The place phase: which replica of a pool serves one request. Reads what is known, changes nothing."""

from collections.abc import Mapping, Sequence

import msgspec

from pointsman.config.placement import Placement as Settings
from pointsman.core.endpoint import Endpoint, Role
from pointsman.core.model import Target
from pointsman.core.placement import Placement
from pointsman.core.tokens import BYTES_PER_TOKEN
from pointsman.dialects.body import Body
from pointsman.fleet.engine_tokens import EngineTokens
from pointsman.fleet.roster import Roster
from pointsman.placement.base import Asked, Choice, Profile, View
from pointsman.placement.kv_index import Tokens
from pointsman.placement.memory import Memory
from pointsman.placement.policy import Policy
from pointsman.placement.prompt import BLOCK_TOKENS, given_ids, prompt_keys, prompt_seed, rendered
from pointsman.placement.session import session_of


class Wanted(msgspec.Struct, frozen=True):
    """One request that needs a replica."""

    target: Target
    """The model; its provider is the pool."""
    body: Body
    """As the engine gets it."""
    size: int
    """Bytes of it."""
    headers: Mapping[str, str] = {}
    """The client's, names in lower case."""
    subset: frozenset[str] = frozenset()
    """Addresses the caller restricts the choice to; empty for no restriction."""


class Placer(msgspec.Struct, frozen=True):
    """One policy for every pool that has endpoints in the roster and no policy of its own."""

    policy: Policy
    settings: Settings
    roster: Roster
    memory: Memory
    pools: frozenset[str] | None = None
    """Those whose endpoints are chosen here; ``None`` for all."""
    tokens: EngineTokens | None = None
    """Where token ids come from, for a policy that reads events."""

    async def place(self, wanted: Wanted) -> Placement | None:
        """Where the request goes; ``None`` leaves it to the data plane, which balances by itself.

        That is so for pools that are not ours to place, for those with a single endpoint, and where no
        endpoint is eligible. A defect here costs cache hits and no request: it is kept for whoever looks.
        """
        try:
            return await self._chosen(wanted, self.policy.profile, Role.DECODE)
        except Exception as error:  # noqa: BLE001  # the data plane balances as well, if less cleverly
            self.memory.failed(error)
            return None

    async def prefill(self, wanted: Wanted) -> Placement | None:
        """Where its prompt is computed first; ``None`` where prefill and decode are not separate."""
        return await self._chosen(wanted, self.policy.prefill, Role.PREFILL) if self.policy.prefill else None

    async def _chosen(self, wanted: Wanted, profile: Profile, role: Role) -> Placement | None:
        pool = wanted.target.provider
        endpoints = self.roster.of(pool)
        if len(endpoints) < 2 or (self.pools is not None and pool not in self.pools):
            return None
        asked = self._in_role(self._asked(wanted), role)
        views = self._views(asked, endpoints)
        if self.tokens is not None:
            views = self._told(await self._token_ids(self.tokens, wanted, views), views)
        choice = profile.choose(asked, views)
        return _placement(self.policy.name, asked, choice) if choice else None

    async def _token_ids(self, tokens: EngineTokens, wanted: Wanted, views: Sequence[View]) -> Tokens | None:
        """The prompt as the engine counts it; only asked for where some engine tells of its cache."""
        telling = [view for view in views if self.memory.caches.knows(view.address)]
        if not telling:
            return None
        target, body = wanted.target, wanted.body
        least = min(telling, key=lambda view: view.load.busy)
        ids = given_ids(body) or await tokens.of(least.endpoint.base_url, target.wire_name, body.fields)
        salt = body.get("cache_salt")
        lora = target.wire_name if target.parent else ""
        return Tokens(ids, lora, salt if isinstance(salt, str) else "") if ids else None

    def _told(self, tokens: Tokens | None, views: list[View]) -> list[View]:
        """What engines tell instead of what was sent to them; those that tell nothing keep the latter."""
        if tokens is None:
            return views
        caches = self.memory.caches
        matched = caches.match(tokens, [view.address for view in views])
        return [
            msgspec.structs.replace(view, cached=cached) if caches.knows(view.address) else view
            for view, cached in zip(views, matched, strict=True)
        ]

    def _in_role(self, asked: Asked, role: Role) -> Asked:
        return asked if self.policy.prefill is None else msgspec.structs.replace(asked, role=role)

    def _asked(self, wanted: Wanted) -> Asked:
        target = wanted.target
        keys: tuple[int, ...] = ()
        if self.policy.reads_prompt:
            keys = prompt_keys(rendered(wanted.body), prompt_seed(target.wire_name, wanted.body))
        session = ""
        if self.policy.reads_session:
            session = session_of(self.settings.session, wanted.headers, wanted.body)
        return Asked(
            model=target.wire_name,
            base=target.parent or "",
            session=session,
            keys=keys,
            tokens=wanted.size // BYTES_PER_TOKEN,
            usual_tokens=self.memory.usual_tokens(target.provider),
            subset=wanted.subset,
        )

    def _views(self, asked: Asked, endpoints: Sequence[Endpoint]) -> list[View]:
        addresses = [endpoint.address for endpoint in endpoints]
        loads = self.memory.loads.view(addresses)
        if not asked.keys:
            return [View(endpoint, load) for endpoint, load in zip(endpoints, loads, strict=True)]
        prefixes, size = self.memory.prefixes, len(asked.keys)
        matched = prefixes.match(asked.keys, addresses)
        ages = prefixes.ages([size - blocks for blocks in matched], addresses)
        return [
            View(endpoint, load, blocks * BLOCK_TOKENS, age)
            for endpoint, load, blocks, age in zip(endpoints, loads, matched, ages, strict=True)
        ]


def _placement(policy: str, asked: Asked, choice: Choice) -> Placement:
    views, order, totals = choice.views, choice.order, choice.totals
    first = views[order[0]]
    return Placement(
        primary=first.address,
        fallbacks=tuple([views[index].address for index in order[1:]]),
        policy=policy,
        reason=_reason(asked, first, bypassed=totals[order[0]] < max(totals)),
        considered=tuple([view.address for view in views]),
        totals=totals,
        parts=choice.parts,
        keys=asked.keys,
        tokens=asked.tokens,
        cached=first.cached,
    )


def _reason(asked: Asked, first: View, *, bypassed: bool) -> str:
    if bypassed:
        return "the best one has too much to do"
    if first.cached:
        return f"about {first.cached} of {asked.tokens} prompt tokens cached"
    if asked.session:
        return "the session's replica"
    return "the least to do"
