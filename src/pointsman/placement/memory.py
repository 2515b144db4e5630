"""What placing remembers: who is busy, who has which prompts, how long prompts usually are."""

from collections import OrderedDict
from typing import Final

from pointsman.config.placement import Placement as Settings
from pointsman.core.placement import Placement
from pointsman.fleet.load import Loads
from pointsman.fleet.roster import Roster
from pointsman.placement.kv_index import KvIndex
from pointsman.placement.prefix_index import BlockIndex
from pointsman.placement.prompt import BLOCK_TOKENS

_USUAL: Final = 256
"""Placements over which the usual length of a prompt is taken."""
_POOLS: Final = 1024
"""Most pools whose usual length is remembered."""


class Memory:
    """Written when a placed request begins and ends, read when the next is placed.

    Outlives generations of the document. Lives on the event loop, not for use from several threads.
    """

    def __init__(self, loads: Loads | None = None, prefixes: BlockIndex | None = None) -> None:
        self.loads = loads or Loads()
        self.prefixes = prefixes or BlockIndex()
        self.caches = KvIndex()
        """What engines tell of their caches, where they are asked to."""
        self.failures = 0
        """Choices that failed by a defect of ours."""
        self.failure: Exception | None = None
        """The latest of these."""
        self._usual: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def heed(self, settings: Settings) -> None:
        """Take over the bounds of a new document; what is known stays known."""
        self.loads.heed(stale_s=settings.load_stale_after)
        self.prefixes.bound(settings.index_bytes, settings.index_blocks)
        self.caches.bound(settings.index_bytes)

    def usual_tokens(self, pool: str) -> float:
        """Mean length of a pool's latest prompts; 0 before the first."""
        return self._usual.get(pool, (0.0, 0))[0]

    def began(self, request_id: str, pool: str, placement: Placement, roster: Roster) -> None:
        """A placed request goes on its way."""
        addresses = tuple(endpoint.address for endpoint in roster.of(pool)) or (placement.primary,)
        self.loads.began(
            request_id,
            placement.primary,
            addresses,
            max(0, placement.tokens - placement.cached),
            keys=placement.keys,
        )
        if placement.keys:
            self.prefixes.learn(placement.keys, placement.primary)
        self._measure(pool, placement.tokens)

    def ended(self, request_id: str, endpoint: str, *, failed: bool) -> None:
        """A request has ended; ``endpoint`` answered it, or was tried last. Of one not placed here: nothing.

        ``failed``: no endpoint was reached at all.
        """
        sent = self.loads.sent(request_id)
        if sent is None:
            return
        if not endpoint:
            self.loads.ended(request_id, reached=False if failed else None)
            return
        self.loads.ended(request_id, reached=endpoint == sent.address and not failed)
        if endpoint != sent.address and sent.keys:
            # It went to a fallback, which computed the prompt.
            self.prefixes.learn(sent.keys, endpoint)

    def failed(self, error: Exception) -> None:
        """A choice could not be made."""
        self.failures += 1
        self.failure = error

    def refresh(self, roster: Roster) -> None:
        """Forget who left, and take over what caches hold. Call it about once a second and on changes."""
        known = [endpoint.address for pool in roster.pools.values() for endpoint in pool]
        self.loads.keep(known)
        self.prefixes.keep(known)
        self.caches.keep(known)
        self.prefixes.heed(
            {
                address: max(1, load.report.cache_tokens // BLOCK_TOKENS)
                for address, load in zip(known, self.loads.view(known), strict=True)
                if load.report is not None and load.report.cache_tokens
            }
        )

    def _measure(self, pool: str, tokens: int) -> None:
        mean, count = self._usual.pop(pool, (0.0, 0))
        count = min(count + 1, _USUAL)
        if len(self._usual) >= _POOLS:
            self._usual.popitem(last=False)
        self._usual[pool] = (mean + (tokens - mean) / count, count)
