"""``pointsman router``, also installed as ``vllm-router``: the flags of the production stack's router."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import structlog
import yaml

from pointsman import __version__
from pointsman.cli.host import HostOptions
from pointsman.cli.main import shown_errors
from pointsman.cli.serving import run
from pointsman.config import Settings, examine, parse
from pointsman.config.stack import FLAGS, Given, Kind, Translation, gather, read_dynamic, translate
from pointsman.core.errors import ConfigError
from pointsman.observe.routing_line import RoutingLines
from pointsman.transports.envoy import binary
from pointsman.transports.envoy.planning import listeners_of

SOURCE = "the document that these flags mean (--print-config shows it)"
_MESSAGE = "%(version)s"
_UNNAMED = "configuration"
"""What errors call their source unless they know a better name."""


def _option(command: Callable[..., None], index: int) -> Callable[..., None]:
    flag = FLAGS[index]
    if flag.key == "version":
        return click.version_option(__version__, message=_MESSAGE)(command)
    words = flag.help if not flag.meanwhile else f"{flag.help} No effect: {flag.meanwhile}."
    kind: dict[str, Any] = {"is_flag": True, "default": None} if flag.kind is Kind.SWITCH else {"type": str}
    return click.option(flag.option, flag.key, help=words, metavar=None, **kind)(command)


def _with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Every flag of the table as an option, in its order."""
    for index in reversed(range(len(FLAGS))):
        command = _option(command, index)
    return command


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample:\n  pointsman router --service-discovery static --routing-logic roundrobin \\\n"
    "    --static-backends http://a:8000,http://b:8000 --static-models small,small",
)
@_with_flags
@click.option("--print-config", is_flag=True, help="Print the document that the flags mean, and end.")
@click.option("--envoy", type=click.Path(path_type=Path), help="Envoy binary; by default the installed one.")
@click.option("--api-port", type=click.IntRange(1, 65535), help="Management API port; 8080 by default.")
@click.option("--api-bind", help="Management API address; 127.0.0.1 by default.")
def router(
    *,
    print_config: bool,
    envoy: Path | None,
    api_port: int | None,
    api_bind: str | None,
    **flags: Any,
) -> None:
    """Run Envoy and the router with the flags of the production stack's router.

    They are understood as a document (--print-config), which then runs as with `pointsman serve`. Flags whose
    feature does not exist here are accepted, and a warning says what happens instead. docs/router-flags.md
    has them all.
    """
    with _named("the command line"):
        given = read_flags(flags)
        meant = translate(given, os.environ)
    text = as_yaml(meant.document)
    settings = parse(text, os.environ, SOURCE)
    if print_config:
        click.echo(text, nl=False)
        for problem in (*meant.notes, *examine(settings)):
            click.echo(str(problem), err=True)
        return
    management = settings.global_.services.management_api
    options = HostOptions(
        api=(api_bind or management.bind_address, api_port or management.port),
        envoy=binary.find(envoy, os.environ),
    )
    run(
        settings,
        SOURCE,
        options,
        allow_unimplemented=False,
        ready=lambda: _announce(settings),
        notes=meant.notes,
        json_lines=given["log_format"] == "json",
        lines=_lines(given, meant),
        classify=False,
    )


def read_flags(flags: Mapping[str, Any]) -> Given:
    """The command line over the dynamic configuration file. Raises ConfigError for what neither can say."""
    paths = [flags[key] for key in ("dynamic_config_yaml", "dynamic_config_json") if flags.get(key)]
    file = Path(paths[0]) if paths else None
    return gather(flags, read_dynamic(file) if file else {}, str(file or ""))


@contextlib.contextmanager
def _named(source: str) -> Iterator[None]:
    """Say of which command the errors are, where they do not name a file."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(error.problems, source if error.source == _UNNAMED else error.source) from None


def as_yaml(document: Mapping[str, Any]) -> str:
    """A document as text that people read. Its dollar signs are none of an environment variable's."""
    return yaml.safe_dump(_literal(dict(document)), sort_keys=False, allow_unicode=True, width=100)


def _literal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _literal(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_literal(part) for part in value]
    return value.replace("$", "$$") if isinstance(value, str) else value


def _announce(settings: Settings) -> None:
    for listener in listeners_of(settings):
        host = f"[{listener.address}]" if ":" in listener.address else listener.address
        click.echo(f"serving on http://{host}:{listener.port}", err=True)


def _lines(given: Given, meant: Translation) -> RoutingLines:
    def write(line: str) -> None:
        structlog.get_logger().info(line)

    return RoutingLines(write, session_key=given["session_key"] or "", urls=meant.urls)


def main(arguments: list[str] | None = None) -> int:
    """Run this command alone, as ``vllm-router`` does."""
    status = shown_errors(lambda: router.main(args=arguments, prog_name="vllm-router", standalone_mode=False))
    return int(status or 0)


if __name__ == "__main__":
    sys.exit(main())
