"""Disaggregated prefill as vLLM's NIXL connector does it: one engine reads the prompt, another answers.

The prefilling engine keeps the blocks for a while and says where; the decoding engine fetches them there.
In vLLM that goes over a side channel, here over HTTP: `remote_host` and `remote_port` are the engine's own.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec

from pointsman.sim import wire
from pointsman.sim.engine import Engine, Run

PULL_PATH = "/sim/kv/pull"
MAX_KEPT = 1024
_PULL_TIMEOUT_S = 5.0


class BlocksLostError(Exception):
    """The promised blocks are not to be had; the message says why."""


class Claim(msgspec.Struct, frozen=True):
    """What a decoding engine shows to get the blocks."""

    remote_engine_id: str
    remote_request_id: str
    remote_block_ids: list[list[int]]
    remote_host: str
    remote_port: int


@dataclass(frozen=True)
class _Kept:
    claim: Claim
    tokens: int
    blocks: list[int]
    expiry: asyncio.TimerHandle


class Handover:
    """Blocks that one engine keeps for others, and its way of fetching theirs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._numbers = 0
        self._session: aiohttp.ClientSession | None = None
        self.engine_id = str(uuid4())
        self.port: Callable[[], int] = lambda: engine.settings.port
        """Where other engines fetch blocks; set by whoever owns the listening socket."""

    @property
    def kept(self) -> int:
        """Prompts whose blocks wait to be fetched."""
        return len(self._kept)

    def offers(self, params: dict[str, Any] | None) -> bool:
        """Whether a request wants its blocks kept and this engine does so."""
        return bool(params and params.get("do_remote_decode")) and self._engine.settings.role in {
            "prefill",
            "both",
        }

    def fetches(self, params: dict[str, Any] | None) -> bool:
        """Whether a request brings blocks and this engine fetches such."""
        return bool(params and params.get("do_remote_prefill")) and self._engine.settings.role in {
            "decode",
            "both",
        }

    def offer(self, run: Run, request_id: str, *, forget: bool = False) -> dict[str, Any]:
        """Keep a finished run's blocks; gives the `kv_transfer_params` of its answer."""
        tokens = len(run.job.prompt)
        count = -(-tokens // 16)
        first, self._numbers = self._numbers + 1, self._numbers + count
        claim = Claim(
            remote_engine_id=self.engine_id,
            remote_request_id=f"{request_id}-{uuid4().hex[:8]}",
            remote_block_ids=[list(range(first, first + count))],
            remote_host=self._engine.settings.kv_host or self._engine.settings.host,
            remote_port=self.port(),
        )
        if not forget:
            self._keep(claim, tokens, run.keep_blocks())
        return {
            "do_remote_prefill": True,
            "do_remote_decode": False,
            **msgspec.structs.asdict(claim),
            "tp_size": 1,
            "dcp_size": 1,
            "pp_size": 1,
            "remote_num_tokens": tokens,
            "remote_blocks_expiry_time": None,
            "transfer_mode": "pull",
            "remote_prefill_cached_tokens": run.cached_tokens,
        }

    def give(self, claim: Claim) -> int | None:
        """Hand blocks over, once: how many tokens they hold, or None for a claim that nobody was given."""
        kept = self._kept.get(claim.remote_request_id)
        if kept is None or kept.claim.remote_engine_id != claim.remote_engine_id:
            return None
        if kept.claim.remote_block_ids != claim.remote_block_ids:
            return None
        self._drop(claim.remote_request_id)
        return kept.tokens

    async def fetch(self, params: dict[str, Any], *, lose: bool = False) -> int:
        """Fetch another engine's blocks: how many tokens they hold. Raises BlocksLostError.

        `lose`: the fault is on that loses them.
        """
        if lose:
            raise BlocksLostError("simulated fault kv-lost")
        try:
            claim = msgspec.convert(params, Claim)
        except msgspec.ValidationError as error:
            raise BlocksLostError(f"kv_transfer_params: {error}") from None
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=_PULL_TIMEOUT_S)
            self._session = aiohttp.ClientSession(timeout=timeout)
        host = f"[{claim.remote_host}]" if ":" in claim.remote_host else claim.remote_host
        try:
            async with self._session.post(
                f"http://{host}:{claim.remote_port}{PULL_PATH}",
                data=wire.dump(claim),
                headers={"content-type": "application/json"},
            ) as answer:
                if answer.status != 200:
                    raise BlocksLostError(f"engine {claim.remote_engine_id} does not have the blocks")
                return wire.load(await answer.read(), dict[str, int])["tokens"]
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            raise BlocksLostError(f"engine {claim.remote_engine_id} cannot be reached: {error}") from None

    async def close(self) -> None:
        """Forget everything."""
        for name in list(self._kept):
            self._drop(name)
        if self._session is not None:
            await self._session.close()

    def _keep(self, claim: Claim, tokens: int, blocks: list[int]) -> None:
        if len(self._kept) >= MAX_KEPT:
            self._expire(next(iter(self._kept)))
        name = claim.remote_request_id
        lease_s = self._engine.settings.kv_lease_ms / 1000.0
        expiry = asyncio.get_running_loop().call_later(lease_s, self._expire, name)
        self._kept[name] = _Kept(claim, tokens, blocks, expiry)

    def _expire(self, name: str) -> None:
        self._engine.metrics.expired_handovers.inc()
        self._drop(name)

    def _drop(self, name: str) -> None:
        kept = self._kept.pop(name)
        kept.expiry.cancel()
        self._engine.cache.release(kept.blocks)
