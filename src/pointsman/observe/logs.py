"""How log lines look and where they go."""

import logging
import sys
from typing import TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from pointsman.observe.plain import Plain
from pointsman.observe.redact import Redactor

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(
    *,
    redactor: Redactor,
    level: str = "info",
    stream: TextIO | None = None,
    json_lines: bool | None = None,
) -> None:
    """Set how this process logs; for the composition root alone, as logging is global to a process.

    `stream` is standard error by default; `json_lines` defaults to false on a terminal and true elsewhere.
    Libraries that use the standard library's logging get the same lines, warnings and worse only. Raises
    ValueError for an unknown level.
    """
    if level not in _LEVELS:
        raise ValueError(f"log level must be one of {', '.join(_LEVELS)}: {level!r}")
    out = _Unbreakable(stream or sys.stderr)
    on_terminal = out.isatty()
    as_json = not on_terminal if json_lines is None else json_lines
    render = _rendering(redactor, as_json=as_json, colours=on_terminal)
    common: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *common, *render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(out),  # type: ignore[arg-type]  # has what it uses: write, flush
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *common],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(_LEVELS[level], logging.WARNING), force=True)


def _rendering(redactor: Redactor, *, as_json: bool, colours: bool) -> list[Processor]:
    def to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
        return msgspec.json.encode(
            {"level": event.pop("level", ""), "ts": event.pop("ts", ""), **event}
        ).decode()

    def scrub(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
        # Once more over the finished line, for what a renderer adds by itself.
        return redactor.scrub(str(line))

    console = structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback, timestamp_key="ts"
    )
    return [Plain(redactor, escape=not as_json), to_json if as_json else console, scrub]


class _Unbreakable:
    """A stream for lines that must not fail a request: on a full disk or a closed pipe they are lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return

    def isatty(self) -> bool:
        return self._stream.isatty()
