"""A stream of server-sent events that can go wrong at a chosen event."""

from aiohttp import web

from pointsman.sim import break_off
from pointsman.sim.errors import ApiError
from pointsman.sim.faults import Fault, FaultKind
from pointsman.sim.plan import Shape
from pointsman.sim.server import SIM

_BROKEN_EVENT = b'data: {"id": "chatcmpl-broken", "choices": [{"delta": {"content": "tr\n\n'


class EngineDiedError(Exception):
    """The fault `error-mid` struck: the stream has ended with an error event."""


class EventStream:
    """Writes events one by one; counts them, the opening role event included, and strikes on time."""

    def __init__(self, request: web.Request, fault: Fault | None, shape: Shape) -> None:
        self._request = request
        self._shape = shape
        self._fault = fault
        self._sent = 0
        self.answer = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})

    async def open(self) -> None:
        """Send the headers."""
        await self.answer.prepare(self._request)

    async def send(self, event: bytes) -> None:
        """Write one event. Raises BrokenOffError or EngineDiedError when the fault strikes instead."""
        await self._strike()
        await self.answer.write(event)
        self._sent += 1

    async def close(self) -> None:
        """End the stream as the protocol wants it, or without [DONE] if that is the fault."""
        if self._fault is None or self._fault.kind is not FaultKind.NO_DONE:
            await self.send(self._shape.done)
        await self.answer.write_eof()

    async def _strike(self) -> None:
        fault = self._fault
        if fault is None:
            return
        if fault.kind is FaultKind.SLOW:
            await self._request.app[SIM].engine.clock.sleep(fault.amount / 1000.0)
        if fault.kind is FaultKind.MALFORMED and self._sent == 1:
            await self.answer.write(_BROKEN_EVENT)
        if self._sent != fault.amount or fault.kind is FaultKind.SLOW:
            return
        if fault.kind is FaultKind.HANG_MID:
            await break_off.stall(self._request)
        if fault.kind in {FaultKind.CUT, FaultKind.RESET}:
            break_off.cut(self._request, reset=fault.kind is FaultKind.RESET)
        if fault.kind is FaultKind.ERROR_MID:
            died = ApiError(500, "EngineCore encountered an issue (simulated fault error-mid).")
            await self.answer.write(self._shape.event(self._shape.error(died)))
            await self.answer.write(self._shape.done)
            await self.answer.write_eof()
            raise EngineDiedError
