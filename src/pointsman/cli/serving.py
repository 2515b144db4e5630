"""What ``serve`` and ``ext-proc`` share: from a document to a running host, until a signal ends it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

import structlog

from pointsman.cli.document import admit
from pointsman.cli.fleet_news import FleetNews
from pointsman.cli.host import Host, HostOptions
from pointsman.config import Settings
from pointsman.core.problem import Problem, Severity
from pointsman.observe.labels import Labels
from pointsman.observe.logs import configure_logs
from pointsman.observe.metrics import Metrics
from pointsman.observe.redact import Redactor
from pointsman.observe.routing_line import RoutingLines
from pointsman.runtime import build
from pointsman.signals.untrusted import unheard_identity


def run(
    settings: Settings,
    source: str,
    options: HostOptions,
    *,
    allow_unimplemented: bool,
    ready: Callable[[], None],
    notes: tuple[Problem, ...] = (),
    json_lines: bool | None = None,
    lines: RoutingLines | None = None,
    classify: bool = True,
) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` is called once requests are taken.

    ``notes`` are logged with what the document asks for in vain; ``json_lines`` says how lines look,
    by default JSON unless a terminal shows them; ``lines`` are written beside the ordinary ones. Without
    ``classify`` the management API reads texts only if the document does, which spares the encoder.
    Raises ``ConfigError`` or ``StartError`` when it cannot start.
    """
    problems = admit(settings, source, allow_unimplemented=allow_unimplemented)
    metrics = Metrics(Labels(limit=settings.gateway.limits.metric_label_values))
    fleet_news = FleetNews(metrics)
    runtime = build(
        settings,
        os.environ,
        report=metrics.record_guard,
        news=fleet_news.news,
        recalled=metrics.record_cache,
        classify=classify,
    )
    secrets = (value for target in runtime.catalog.targets.values() for value in target.headers.values())
    redactor = Redactor(secrets)
    configure_logs(redactor=redactor, level=settings.gateway.log_level, json_lines=json_lines)
    _announce((*notes, *problems, *(unheard_identity(settings) if options.envoy else ())))
    host = Host(runtime, options, metrics, redactor=redactor, fleet_news=fleet_news, lines=lines)
    try:
        asyncio.run(_until_signal(host, ready))
    finally:
        runtime.close()


async def _until_signal(host: Host, ready: Callable[[], None]) -> None:
    async with contextlib.AsyncExitStack() as stack:
        stop = stop_on_signals(stack)
        await stack.enter_async_context(host.serving())
        ready()
        await stop.wait()


def stop_on_signals(stack: contextlib.AsyncExitStack) -> asyncio.Event:
    """An event that SIGINT and SIGTERM set.

    A signal during the start takes effect once the start is complete, which is a matter of seconds: nothing
    is left half-open.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
        stack.callback(loop.remove_signal_handler, number)
    return stop


def _announce(problems: tuple[Problem, ...]) -> None:
    log = structlog.get_logger()
    for problem in problems:
        if problem.severity is Severity.REFUSED:
            log.error("guard not running", path=problem.path, message=problem.message)
        elif problem.severity is Severity.WARNING:
            log.warning("not as meant", path=problem.path, message=problem.message, remedy=problem.remedy)
        elif problem.severity is Severity.UNIMPLEMENTED:
            log.warning("not implemented", path=problem.path, message=problem.message)
