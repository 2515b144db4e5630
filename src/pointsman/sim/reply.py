"""Carries out a plan: takes a slot, waits for the tokens, writes them down."""

from aiohttp import web

from pointsman.sim import break_off, wire
from pointsman.sim.engine import Job, Run
from pointsman.sim.errors import ApiError
from pointsman.sim.faults import Fault, FaultKind
from pointsman.sim.handover import BlocksLostError
from pointsman.sim.plan import Plan, Reading
from pointsman.sim.server import SIM, VISIT
from pointsman.sim.slots import QueueFullError
from pointsman.sim.stream import EngineDiedError, EventStream


async def send(request: web.Request, plan: Plan, fault: Fault | None) -> web.StreamResponse:
    """Generate and send the answer. Raises ApiError: 503 when the line is full, 500 when blocks are lost."""
    visit = request[VISIT]
    visit.model, visit.stream = plan.job.model, plan.stream
    with _admit(request, plan.job) as run:
        await _misbehave(request, run, fault)
        handed = await _fetch(request, plan, run, fault)
        if plan.stream:
            return await _stream(request, plan, run, fault, handed)
        await run.start(handed)
        return await _document(request, plan, run, fault)


async def read(request: web.Request, reading: Reading, fault: Fault | None) -> web.Response:
    """Read the prompt and send the answer. Raises ApiError (503) when the waiting line is full."""
    request[VISIT].model = reading.job.model
    with _admit(request, reading.job) as run:
        await _misbehave(request, run, fault)
        await run.start()
        await run.read()
        run.finish("stop")
    return web.Response(body=wire.dump(reading.document), content_type="application/json")


def _admit(request: web.Request, job: Job) -> Run:
    try:
        return request.app[SIM].engine.admit(job)
    except QueueFullError:
        raise ApiError(503, "The waiting queue of this engine is full. Please retry later.") from None


async def _misbehave(request: web.Request, run: Run, fault: Fault | None) -> None:
    """Strike with the faults of an engine that has the request: a hang in a slot, a late first token."""
    if fault is None:
        return
    if fault.kind is FaultKind.HANG:
        await run.start()
        await break_off.stall(request)
    if fault.kind is FaultKind.SLOW_FIRST:
        run.come_late(fault.amount / 1000.0)


async def _fetch(request: web.Request, plan: Plan, run: Run, fault: Fault | None) -> int:
    """Fetch the blocks a request brings: how many tokens they hold. Raises ApiError (500)."""
    sim, params = request.app[SIM], plan.kv_transfer_params
    if params is None or not sim.handover.fetches(params):
        return 0
    metrics = sim.engine.metrics
    metrics.external_queries.inc(len(plan.job.prompt))
    try:
        lose = fault is not None and fault.kind is FaultKind.KV_LOST
        tokens = min(await sim.handover.fetch(params, lose=lose), len(plan.job.prompt))
    except BlocksLostError as error:
        metrics.failed_transfers.inc()
        if sim.settings.kv_load_failure == "fail":
            run.finish("error")
            raise ApiError(500, f"KV load failure: {error}") from None
        return 0
    metrics.external_hits.inc(tokens)
    return tokens


async def _document(request: web.Request, plan: Plan, run: Run, fault: Fault | None) -> web.Response:
    await run.reach(plan.job.steps - 1)
    run.finish(plan.outcome)
    texts = ["".join(answer) for answer in plan.answers]
    document = plan.shape.document(texts, plan.outcome, plan.usage(run.cached_tokens))
    handover = request.app[SIM].handover
    if handover.offers(plan.kv_transfer_params):
        forget = fault is not None and fault.kind is FaultKind.KV_LOST
        offered = handover.offer(run, request[VISIT].request_id, forget=forget)
        document["kv_transfer_params"] = offered
    if isinstance(document, str):
        return web.Response(text=document)
    return web.Response(body=wire.dump(document), content_type="application/json")


async def _stream(
    request: web.Request, plan: Plan, run: Run, fault: Fault | None, handed: int
) -> web.StreamResponse:
    stream = EventStream(request, fault, plan.shape)
    # Headers go out before the first token is due, as vLLM's do.
    await stream.open()
    try:
        await run.start(handed)
        await _tokens(stream, plan, run)
        run.finish(plan.outcome)
        usage = plan.usage(run.cached_tokens)
        for event in plan.shape.ending(plan.outcome, usage, wanted=plan.include_usage):
            await stream.send(plan.shape.event(event))
        await stream.close()
    except EngineDiedError:
        run.finish("error")
        request.app[SIM].state.leave(request[VISIT], "broken")
    return stream.answer


async def _tokens(stream: EventStream, plan: Plan, run: Run) -> None:
    """Send every token as it is made, the choices side by side."""
    for index in range(plan.job.steps):
        await run.reach(index)
        if index == 0:
            for opening in plan.shape.opening(len(plan.answers)):
                await stream.send(plan.shape.event(opening))
        for choice, answer in enumerate(plan.answers):
            if index < len(answer):
                outcome = plan.outcome if index == len(answer) - 1 else None
                await stream.send(plan.shape.event(plan.shape.delta(choice, answer[index], outcome)))
