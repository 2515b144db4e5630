"""The lab of ``envoy_lab`` with our own ext_proc server in the stub's place."""

from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from envoy_lab import Lab

from pointsman.core.errors import HttpError
from pointsman.core.request import Head
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Reply, Verdict
from pointsman.dialects.errors import error_reply
from pointsman.transports.extproc.events import Events
from pointsman.transports.extproc.server import ExtProcOptions, ExtProcServer


@dataclass
class FixedRouter:
    """Gives every request the same verdict; ``GET`` is answered from the request line."""

    verdict: Verdict
    managed: bool | None = None

    def preview(self, head: Head, *, managed: bool) -> Reply | None:
        self.managed = managed
        return Reply(200, {"content-type": "text/plain"}, b"models") if head.method == "GET" else None

    async def route(self, head: Head, body: bytes) -> Ruling:
        del body
        return Ruling(self.verdict, Trace(request_id=head.request_id))

    def refuse(self, head: Head, error: HttpError) -> Ruling:
        return Ruling(error_reply(error), Trace(request_id=head.request_id))


class RoutedLab(Lab):
    """``async with RoutedLab(verdict) as lab``: every request meets ``verdict``. ``fates`` counts answers."""

    server: ExtProcServer

    def __init__(self, verdict: Verdict, *, server: dict[str, Any] | None = None, **lab: Any) -> None:
        super().__init__(**{"replicas": 1, **lab})
        self.router = FixedRouter(verdict)
        self.fates: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self._options = server or {}

    async def start_decider(self) -> None:
        address = f"unix:{self.plan.extproc_socket}"
        events = Events(
            on_answer=lambda fate: self.fates.update([fate.value]),
            on_error=lambda kind, _: self.errors.update([kind.value]),
        )
        self.server = ExtProcServer(
            lambda: self.router, ExtProcOptions(address=address, **self._options), events
        )
        await self.server.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        await self.server.stop(0)
