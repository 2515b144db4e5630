"""Our own data plane in one value: files, process, orphans of a predecessor."""

import asyncio
import contextlib
from collections.abc import Iterable
from pathlib import Path

from pointsman.core.errors import StartError
from pointsman.transports.envoy import ports, rundir
from pointsman.transports.envoy.admin import Admin
from pointsman.transports.envoy.files import FileConfig
from pointsman.transports.envoy.plan import Plan, Pool
from pointsman.transports.envoy.process import LOG_ARGUMENTS, OnLog
from pointsman.transports.envoy.supervisor import State, Supervisor

_LOG_FILE = "envoy.log"
_POLL_S = 0.02
_APPLY_S = 10.0
_RELEASE_S = 5.0


def command(binary: Path, bootstrap: Path, concurrency: int | None) -> tuple[str, ...]:
    """How Envoy is started. Without ``concurrency`` it counts the cores it may use itself."""
    workers = () if concurrency is None else ("--concurrency", str(concurrency))
    return (
        str(binary),
        "-c",
        str(bootstrap),
        "--disable-hot-restart",
        *LOG_ARGUMENTS,
        *workers,
    )


class ManagedEnvoy:
    """An Envoy that runs from ``start`` to ``stop``, following ``update`` in between."""

    def __init__(self, binary: Path, on_log: OnLog, *, drain_s: float = 30.0) -> None:
        self._binary = binary
        self._on_log = on_log
        self._drain_s = drain_s
        self._files: FileConfig | None = None
        self._admin: Admin | None = None
        self._supervisor: Supervisor | None = None
        self._retiring: list[asyncio.Task[None]] = []

    @property
    def state(self) -> State:
        """How the process is; also before the start and after the stop."""
        if self._supervisor is None:
            return State(pid=None, ready=False, restarts=0, last_exit=None)
        return self._supervisor.state

    async def start(self, plan: Plan) -> None:
        """Return when requests are served; ``StartError`` says what keeps it from that."""
        await self._retire_orphans(plan)
        ports.check(plan.listeners)
        self._files = FileConfig(plan.run_dir)
        bootstrap = self._files.write(plan)
        self._admin = Admin(plan.admin_socket)
        line = command(self._binary, bootstrap, plan.concurrency)
        self._supervisor = Supervisor(line, self._admin, plan.run_dir / _LOG_FILE, self._on_log)
        await self._supervisor.start()

    async def update(self, plan: Plan) -> bool:
        """Follow ``plan``; true once it is in effect, false if Envoy did not confirm it in time.

        ``StartError`` when the plan changes what only a restart can: listeners, limits, sockets.
        """
        if self._files is None or self._admin is None or not self._files.keeps(plan):
            raise StartError("listeners, limits and sockets change with a restart only")
        self._files.update(plan)
        try:
            async with asyncio.timeout(_APPLY_S):
                while not await self._applied(self._admin, self._files.version):  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            return False
        return True

    def follow(self, pools: Iterable[Pool]) -> int:
        """Take over the endpoints of pools, effective within milliseconds; how many pools changed.

        Before the start nothing happens; after it, the same once more makes up for what came in between.
        """
        return self._files.follow(pools) if self._files is not None else 0

    async def stop(self) -> None:
        """Drain, then leave nothing behind; safe to repeat."""
        try:
            if self._supervisor is not None:
                await self._supervisor.stop(self._drain_s)
        finally:
            for task in self._retiring:
                task.cancel()
            await asyncio.gather(*self._retiring, return_exceptions=True)
            self._retiring.clear()

    async def _retire_orphans(self, plan: Plan) -> None:
        """A killed router leaves its Envoy serving; a new one takes the port and lets its streams finish."""
        wanted = frozenset(listener.port for listener in plan.listeners)
        for path in list(rundir.abandoned(plan.run_dir.parent)):
            if await rundir.release_ports(path, wanted):
                self._retiring.append(asyncio.create_task(rundir.retire(path, self._drain_s)))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RELEASE_S if self._retiring else 0):
                while not ports.free(plan.listeners):  # noqa: ASYNC110 - it is another process
                    await asyncio.sleep(_POLL_S)

    @staticmethod
    async def _applied(admin: Admin, version: str) -> bool:
        try:
            return await admin.applied(version)
        except ConnectionError:
            return False  # restarting; the new process reads the same files
