"""The running gateway: one runtime and the servers around it, started in order and stopped in reverse."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from pointsman.cli.backend import HostBackend
from pointsman.cli.background import background
from pointsman.cli.fleet_news import FleetNews
from pointsman.cli.placing import Placing
from pointsman.core.request import Head
from pointsman.core.trace import Ruling
from pointsman.core.verdict import Forward, Reply
from pointsman.fleet.ending import Ending
from pointsman.fleet.lookout import Lookout
from pointsman.fleet.roster import Roster
from pointsman.observe.journal import Entry, Journal
from pointsman.observe.metrics import Metrics
from pointsman.observe.outcome import Outcome
from pointsman.observe.redact import Redactor
from pointsman.observe.request_log import RequestLog
from pointsman.observe.routing_line import RoutingLines
from pointsman.observe.summary import Summary
from pointsman.runtime import Runtime
from pointsman.transports import api
from pointsman.transports.accesslog.outcome import Outcome as LoggedOutcome
from pointsman.transports.accesslog.sink import AccessLogSink
from pointsman.transports.envoy import rundir
from pointsman.transports.envoy.managed import ManagedEnvoy
from pointsman.transports.envoy.planning import plan_from, pools_from
from pointsman.transports.envoy.process import LogRecord
from pointsman.transports.envoy.rundir import RunDir
from pointsman.transports.extproc.events import ErrorKind, Events
from pointsman.transports.extproc.filtering import Bounds
from pointsman.transports.extproc.server import ExtProcOptions, ExtProcServer, Tls

_TICK_S = 1.0
_SETTLE_S = 5.0
"""How long the start waits for sources of replicas; a cluster that does not answer must not keep us down."""
_UNCONNECTED = "upstream_connection_failure"
_STOPPED_BY_US = "caught ENVOY_SIGTERM"


@dataclass(frozen=True, slots=True)
class HostOptions:
    """Where the servers listen. ``None`` leaves a server out."""

    api: tuple[str, int] | None
    metrics: tuple[str, int] | None = None
    grpc: str | None = None
    """``host:port`` for a foreign data plane; ``None`` with ``envoy`` set means our own."""
    envoy: Path | None = None
    """The binary of our own Envoy."""
    tls: Tls | None = None


class Host:
    """Counts, logs and serves what one runtime decides."""

    def __init__(
        self,
        runtime: Runtime,
        options: HostOptions,
        metrics: Metrics,
        *,
        redactor: Redactor,
        watch: Callable[[Ruling], None] | None = None,
        lines: RoutingLines | None = None,
        fleet_news: FleetNews | None = None,
    ) -> None:
        self._runtime = runtime
        self._redactor = redactor
        self._watch = watch
        self._lines = lines
        self._fleet_news = fleet_news or FleetNews(metrics)
        self._options = options
        self._log = structlog.get_logger()
        self.metrics = metrics
        self._requests = RequestLog(self._log)
        self._placing = Placing(runtime, metrics)
        self._journal = Journal(self._ended)
        self._restarts = 0
        self._down: frozenset[str] = frozenset()
        self.envoy: ManagedEnvoy | None = None
        self._server: ExtProcServer | None = None
        self._run_dir: RunDir | None = None

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Everything is up inside and gone after; ``StartError`` says what keeps it from starting."""
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._journal.close)
            ticker = asyncio.create_task(self._tick())
            stack.push_async_callback(_cancelled, ticker)
            run_dir = RunDir() if self._options.envoy else None
            if run_dir is not None:
                stack.callback(run_dir.close)
            self._run_dir = run_dir
            await self._start_fleet(stack)
            await self._placing.start(stack)
            await self._start_extproc(stack, run_dir)
            await self._start_http(stack)
            if run_dir is not None and self._options.envoy is not None:
                await self._start_envoy(stack, run_dir, self._options.envoy)
                await self._start_files(stack, run_dir)
            await self._set_ready()
            yield

    async def _start_fleet(self, stack: contextlib.AsyncExitStack) -> None:
        """Look for replicas; what is found until Envoy starts is what it starts with."""
        lookout = self._runtime.lookout
        if lookout is None:
            return
        self._fleet_news.changed(lookout.roster)
        stack.callback(lookout.roster.listen(self._on_roster))
        task = asyncio.create_task(lookout.run())
        task.add_done_callback(self._lookout_ended)
        stack.push_async_callback(_cancelled, task)
        await lookout.settled(_SETTLE_S)

    def _lookout_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            self._log.error("defect", exc_info=task.exception())

    def _on_roster(self, roster: Roster) -> None:
        self._fleet_news.changed(roster)
        if self.envoy is not None:
            try:
                self.envoy.follow(pools_from(self._runtime.settings, roster))
            except OSError:
                self._log.exception("endpoints not written")

    async def _start_extproc(self, stack: contextlib.AsyncExitStack, run_dir: RunDir | None) -> None:
        limits = self._runtime.settings.gateway.limits
        events = Events(
            on_ruling=self._on_ruling,
            on_response=self._on_response,
            on_lost=self._journal.lost,
            on_error=self._on_error,
            on_answer=lambda fate: self.metrics.record_answer(fate.value),
        )
        plan = plan_from(self._runtime.settings, run_dir.path) if run_dir else None
        options = ExtProcOptions(
            address=f"unix:{plan.extproc_socket}" if plan else self._options.grpc or "",
            max_concurrent=limits.max_concurrent_decisions,
            max_body_bytes=limits.max_body_bytes,
            decision_timeout_s=limits.decision_timeout_ms / 1000,
            max_answers=limits.max_filtered_answers,
            answer=Bounds(limits.max_filtered_bytes, limits.answer_filter_timeout_ms / 1000),
            tls=self._options.tls,
        )
        server = ExtProcServer(lambda: self._runtime.pipeline, options, events)
        await server.start()
        stack.push_async_callback(server.stop, limits.drain_timeout_s)
        self._server = server
        self.metrics.watch_inflight(lambda: server.in_flight)
        self.metrics.watch_answers(lambda: server.answers)
        if plan is not None:
            sink = AccessLogSink(self._on_outcome)
            await sink.start(plan.accesslog_socket)
            stack.push_async_callback(sink.stop)

    async def _start_http(self, stack: contextlib.AsyncExitStack) -> None:
        backend = HostBackend(self._runtime, self.metrics, self._envoy_ready)
        batch = self._runtime.settings.global_.services.api.batch_classification
        if self._options.api is not None:
            host, port = self._options.api
            limits = api.Limits(max_batch=batch.max_batch_size, max_concurrent=batch.max_concurrency)
            app = api.management_app(backend, limits=limits, redactor=self._redactor)
            server = api.HttpServer(
                app, purpose="the management API", host=host, port=port, remedy="choose another --api-port"
            )
            await stack.enter_async_context(server)
        if self._options.metrics is not None:
            host, port = self._options.metrics
            server = api.HttpServer(
                api.metrics_app(self.metrics.render),
                purpose="the metrics endpoint",
                host=host,
                port=port,
                remedy="choose another --metrics-port, 0 for none",
            )
            await stack.enter_async_context(server)

    def _envoy_ready(self) -> bool | None:
        """Whether our own Envoy serves; ``None`` when the data plane is somebody else's."""
        if not self.managed:
            return None
        return self.envoy is not None and self.envoy.state.ready

    async def _start_envoy(self, stack: contextlib.AsyncExitStack, run_dir: RunDir, binary: Path) -> None:
        settings = self._runtime.settings
        self.envoy = ManagedEnvoy(binary, self._on_envoy_log, drain_s=settings.gateway.limits.drain_timeout_s)
        # Pushed before the start: a start that fails half-way must leave no process behind.
        stack.push_async_callback(self.envoy.stop)
        await self.envoy.start(plan_from(settings, run_dir.path, self._runtime.roster, api=self._options.api))
        if self._runtime.lookout is not None:
            self.envoy.follow(pools_from(settings, self._runtime.roster))

    async def _start_files(self, stack: contextlib.AsyncExitStack, run_dir: RunDir) -> None:
        """After Envoy, which carries the requests of batches, and so stopped before it."""
        settings = self._runtime.settings
        if settings.gateway.files.enabled:
            await stack.enter_async_context(background(settings, run_dir.path / rundir.FILES_SOCKET))

    async def _set_ready(self) -> None:
        if self._server is not None:
            await self._server.set_ready(ready=True)

    @property
    def managed(self) -> bool:
        """Whether our own Envoy is the data plane."""
        return self._options.envoy is not None

    def _on_ruling(self, head: Head, ruling: Ruling) -> None:
        self.metrics.record_ruling(ruling)
        if isinstance(ruling.verdict, Forward) and ruling.trace.selection is not None:
            model = ruling.trace.selection.candidate.target.name
            self._runtime.fleet.began(ruling.trace.request_id, ruling.verdict.pool, model)
            self._placing.began(ruling)
        if self._watch is not None:
            self._watch(ruling)
        if self._lines is not None:
            self._lines.ruled(head, ruling)
        # A foreign data plane does not tell us what became of an answer of our own: that answer is the end.
        self._journal.ruled(ruling, final=not self.managed and isinstance(ruling.verdict, Reply))

    def _on_response(self, request_id: str, status: int, seconds: float) -> None:
        self._journal.ended(Outcome(request_id, status=status, ttfb_ms=seconds * 1000))

    def _on_outcome(self, outcome: LoggedOutcome) -> None:
        self._journal.ended(
            Outcome(
                request_id=outcome.request_id,
                status=outcome.status,
                pool=outcome.pool,
                model=outcome.model,
                endpoint=outcome.endpoint,
                flags=",".join(outcome.flags),
                details=outcome.details,
                undecided=outcome.undecided,
                duration_ms=outcome.duration_ms,
                ttfb_ms=outcome.ttfb_ms,
                response_bytes=outcome.response_bytes,
                attempts=outcome.attempts,
                method=outcome.method,
                path=outcome.path,
            )
        )

    def _on_error(self, kind: ErrorKind, error: BaseException | None) -> None:
        self.metrics.record_extproc_error(kind.value)
        if kind is ErrorKind.DEFECT:
            self._log.error("defect", exc_info=error)

    def _on_envoy_log(self, record: LogRecord) -> None:
        # Envoy warns of the SIGTERM that we send it ourselves.
        level = "debug" if record.message == _STOPPED_BY_US else record.level
        self._log.log(_LEVELS.get(level, 30), "envoy", logger=record.logger, message=record.message)

    def _ended(self, entry: Entry) -> None:
        if entry.outcome is not None and entry.status >= _FIRST_ERROR:
            # No model answered, so the tokens that were expected of it are given back.
            self._runtime.ledger.settle(entry.request_id, 0)
        summary = entry.summary
        if summary is not None and summary.pool:
            ending = _ending(summary, entry.outcome)
            self._runtime.fleet.ended(entry.request_id, summary.pool, summary.model, ending)
            if entry.outcome is not None and self._runtime.lookout is not None:
                _tell_health(self._runtime.lookout, summary.pool, entry.outcome)
        self._placing.ended(entry)
        self.metrics.record_outcome(entry)
        if self._lines is not None:
            self._lines.ended(entry)
        self._requests.write(entry)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            self._journal.expire()
            restarts = self.envoy.state.restarts if self.envoy else 0
            while self._restarts < restarts:
                self._restarts += 1
                self.metrics.record_envoy_restart()
                # The Envoy that would have told how these requests ended is gone, and so are they.
                self._journal.lost_all()
            self._tell_pools()
            store = self._runtime.answers.store
            self.metrics.record_cache_size(store.backend, *store.size())
            self._placing.tick()
            if self._runtime.lookout is not None:
                self._fleet_news.tick(self._runtime.lookout)

    def _tell_pools(self) -> None:
        pools = self._runtime.fleet.pools()
        self.metrics.record_pools({name: (pool.in_flight, pool.down) for name, pool in pools.items()})
        down = frozenset(name for name, pool in pools.items() if pool.down)
        for name in sorted(down - self._down):
            failures = self._runtime.fleet.failures(name)
            self._log.warning("pool down", pool=name, failures=failures)
        for name in sorted(self._down - down):
            self._log.info("pool tried again" if name in pools else "pool up", pool=name)
        self._down = down


_FIRST_ERROR = 400
_LEVELS = {"trace": 10, "debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 40}


def _ending(summary: Summary, outcome: Outcome | None) -> Ending | None:
    """What an outcome tells the fleet; nothing where no decision was carried out."""
    if outcome is None or outcome.undecided:
        return None
    return Ending(
        status=outcome.status,
        flags=frozenset(filter(None, outcome.flags.split(","))),
        endpoint=outcome.endpoint,
        ttfb_ms=outcome.ttfb_ms,
        duration_ms=outcome.duration_ms,
        response_bytes=outcome.response_bytes,
        stream=summary.stream,
    )


def _tell_health(lookout: Lookout, pool: str, outcome: Outcome) -> None:
    """What became of a request says something about the replica, or replicas, that were tried."""
    if _UNCONNECTED in outcome.flags.split(","):
        lookout.monitor.failed(outcome.endpoint)
    if outcome.attempts > 1:
        lookout.monitor.suspect(pool)
    elif outcome.endpoint and 0 < outcome.status < 500 and not outcome.flags:
        lookout.monitor.answered(outcome.endpoint)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
