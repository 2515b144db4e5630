"""Carries out a plan: takes a slot, waits for the tokens, writes them down."""

from aiohttp import web

from pointsman.sim import break_off, wire
from pointsman.sim.engine import Run
from pointsman.sim.errors import ApiError
from pointsman.sim.faults import Fault, FaultKind
from pointsman.sim.plan import Plan
from pointsman.sim.server import SIM, VISIT
from pointsman.sim.slots import QueueFullError
from pointsman.sim.stream import EngineDiedError, EventStream


async def send(request: web.Request, plan: Plan, fault: Fault | None) -> web.StreamResponse:
    """Generate and send the answer. Raises ApiError (503) when the waiting line is full."""
    visit = request[VISIT]
    visit.model, visit.stream = plan.job.model, plan.stream
    try:
        run = request.app[SIM].engine.admit(plan.job)
    except QueueFullError:
        raise ApiError(503, "The waiting queue of this engine is full. Please retry later.") from None
    with run:
        if fault is not None and fault.kind is FaultKind.HANG:
            await run.start()
            await break_off.stall(request)
        if plan.stream:
            return await _stream(request, plan, run, fault)
        return await _document(plan, run)


async def _document(plan: Plan, run: Run) -> web.Response:
    await run.start()
    await run.reach(plan.job.steps - 1)
    run.finish(plan.outcome)
    texts = ["".join(answer) for answer in plan.answers]
    document = plan.shape.document(texts, plan.outcome, plan.usage(run.cached_tokens))
    return web.Response(body=wire.dump(document), content_type="application/json")


async def _stream(request: web.Request, plan: Plan, run: Run, fault: Fault | None) -> web.StreamResponse:
    stream = EventStream(request, fault, plan.shape)
    # Headers go out before the first token is due, as vLLM's do.
    await stream.open()
    try:
        await run.start()
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
