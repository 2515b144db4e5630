"""The rude endings: stalls, closed and reset connections, answers that are not JSON."""

import socket
import struct

from aiohttp import web

from pointsman.sim.faults import Fault, FaultKind
from pointsman.sim.server import SIM, VISIT

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: the kernel sends RST instead of FIN


class BrokenOffError(Exception):
    """The connection is gone on purpose; nothing more can be sent on it."""


async def stall(request: web.Request) -> None:
    """Keep the connection open and silent until the client or the engine goes. Raises BrokenOffError."""
    request.app[SIM].state.leave(request[VISIT], "broken")
    await request.app[SIM].stopping.wait()
    cut(request, reset=False)


def cut(request: web.Request, *, reset: bool) -> None:
    """Close the connection after what was written, or reset it. Raises BrokenOffError."""
    request.app[SIM].state.leave(request[VISIT], "broken")
    transport = request.transport
    if transport is not None and reset:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
    elif transport is not None:
        transport.close()
    raise BrokenOffError


async def before_answer(request: web.Request, fault: Fault) -> None:
    """Strike with a fault that leaves no answer at all. Raises BrokenOffError if it is one."""
    if fault.kind is FaultKind.HANG:
        await stall(request)
    if fault in {Fault(FaultKind.CUT, 0), Fault(FaultKind.RESET, 0)}:
        cut(request, reset=True)


async def spoil(request: web.Request, whole: web.Response, fault: Fault) -> web.Response:
    """Send a complete answer the way the fault wants it. Raises BrokenOffError when it is cut short."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    if fault.kind is FaultKind.MALFORMED:
        whole.body = body[: max(1, len(body) // 2)] or b"{"
    if fault.kind not in {FaultKind.CUT, FaultKind.RESET, FaultKind.HANG_MID}:
        return whole
    answer = web.StreamResponse(status=whole.status, headers={"Content-Type": whole.content_type})
    answer.content_length = max(2, len(body))  # promised in full, delivered in part
    await answer.prepare(request)
    if fault.amount > 0:
        await answer.write(body[: len(body) // 2])
    if fault.kind is FaultKind.HANG_MID:
        await stall(request)
    cut(request, reset=fault.kind is FaultKind.RESET)
    return whole
