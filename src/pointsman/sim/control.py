"""The simulator's own routes: /sim/fault, /sim/state, /sim/kv_events, /sim/kv/pull."""

from typing import Annotated

import msgspec
from aiohttp import web

from pointsman.sim import errors, wire
from pointsman.sim.envelope import receive
from pointsman.sim.faults import Fault, FaultKind, FaultScope, FaultSpecError, parse_fault
from pointsman.sim.handover import Claim
from pointsman.sim.server import SIM, Sim


class FaultBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The process-wide fault to set; a `fault` of null clears it."""

    fault: str | None
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    scope: FaultScope = "inference"


class KvEventsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of the next batches of KV events get lost on the way; replay still has them."""

    drop: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


async def state(request: web.Request) -> web.Response:
    """Counters, load and the last requests."""
    return web.Response(body=wire.dump(request.app[SIM].describe()), content_type="application/json")


async def fault(request: web.Request) -> web.Response:
    """Set or clear the process-wide fault. Raises ApiError (400)."""
    body = (await receive(request)).read_as(FaultBody)
    try:
        wanted = parse_fault(body.fault) if body.fault is not None else None
    except FaultSpecError as error:
        raise errors.invalid(str(error), "fault") from None
    sim = request.app[SIM]
    await set_fault(sim, wanted, count=body.count, scope=body.scope)
    answer = web.Response(body=wire.dump(sim.board.describe()), content_type="application/json")
    if wanted is not None and wanted.kind is FaultKind.REFUSE:
        answer.force_close()
    return answer


async def kv_events(request: web.Request) -> web.Response:
    """Lose the next batches of KV events. Raises ApiError (400)."""
    body = (await receive(request)).read_as(KvEventsBody)
    publisher = request.app[SIM].publisher
    if publisher is None:
        raise errors.invalid("this engine publishes no KV events: start it with --kv-events", "drop")
    publisher.drop_next = body.drop
    return web.Response(body=wire.dump({"drop": body.drop}), content_type="application/json")


async def pull(request: web.Request) -> web.Response:
    """Hand blocks to a decoding engine. Raises ApiError (404)."""
    claim = (await receive(request)).read_as(Claim)
    held = request.app[SIM].handover.give(claim)
    if held is None:
        raise errors.ApiError(404, f"No blocks are kept for {claim.remote_request_id}.")
    return web.Response(body=wire.dump({"tokens": held}), content_type="application/json")


async def set_fault(sim: Sim, wanted: Fault | None, *, count: int | None = None, scope: FaultScope) -> None:
    """Set or clear the process-wide fault and, for `refuse`, the listening socket. Raises ApiError (400)."""
    refusing = wanted is not None and wanted.kind is FaultKind.REFUSE
    if refusing and sim.refuse is None:
        raise errors.invalid("refuse needs a listening socket of the simulator's own", "fault")
    if refusing and count is not None:
        raise errors.invalid("refuse strikes connections, so it has no count; write refuse:MS", "count")
    sim.board.set(wanted, count=count, scope=scope)
    if sim.refuse is None:
        return
    if wanted is not None and refusing:
        await sim.refuse(wanted.amount / 1000.0 or None)
    else:
        await sim.refuse(0.0)
