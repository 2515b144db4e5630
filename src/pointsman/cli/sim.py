"""`pointsman sim`: one simulated engine on a port."""

import asyncio
import logging
from typing import Any

import click

from pointsman.sim import (
    Fault,
    FaultSpecError,
    PortInUseError,
    RunningSim,
    SimSettings,
    known_faults,
    parse_fault,
    serve,
)
from pointsman.sim.settings import DEFAULT_PORT

_PORT = click.IntRange(0, 65_535)
_NOT_NEGATIVE = click.FloatRange(min=0)
_AT_LEAST_ONE = click.IntRange(min=1)

_EPILOG = """\b
Examples:
  pointsman sim --model tiny                                  a fast small model on port 8000
  pointsman sim --model math --port 0 --ttft 200 --rate 40    as slow as a real one, on a free port
  pointsman sim --model base --lora sql --lora legal          with two LoRA adapters
  pointsman sim --model tiny --fault status:503               an engine that always fails

\b
  curl -s localhost:8000/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}'
  curl ... -H 'x-sim-echo: 1'          the answer is a JSON echo of the request, headers included
  curl ... -H 'x-sim-fault: cut:3'     this one request breaks off after three chunks
  curl -s localhost:8000/sim/fault -H 'content-type: application/json' \\
    -d '{"fault": "status:500", "count": 5}'
  curl -s localhost:8000/sim/state

\b
Faults:
"""


def _fault(ctx: click.Context, param: click.Parameter, value: str | None) -> Fault | None:
    try:
        return parse_fault(value) if value is not None else None
    except FaultSpecError as error:
        raise click.BadParameter(str(error), ctx, param) from None


@click.command(epilog=_EPILOG + "\n".join(f"  {line}" for line in known_faults()))
@click.option("--model", required=True, metavar="NAME", help="Served model name.")
@click.option(
    "--lora", "loras", multiple=True, metavar="NAME", help="A LoRA adapter's name; may be repeated."
)
@click.option(
    "--name", default="sim", metavar="NAME", show_default=True, help="Engine name in answers and echoes."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=DEFAULT_PORT, show_default=True, help="0 picks a free port.")
@click.option("--control-port", type=_PORT, help="A second port, open even under the fault `refuse`.")
@click.option(
    "--ttft",
    "ttft_ms",
    type=_NOT_NEGATIVE,
    default=30.0,
    show_default=True,
    help="Milliseconds to the first token.",
)
@click.option(
    "--rate",
    type=_NOT_NEGATIVE,
    default=200.0,
    show_default=True,
    help="Tokens a second for each request; 0 = no waiting.",
)
@click.option(
    "--prefill-rate",
    type=_NOT_NEGATIVE,
    default=0.0,
    show_default=True,
    help="Prompt tokens a second: makes long, uncached prompts start later; 0 = off.",
)
@click.option(
    "--answer-tokens", type=_AT_LEAST_ONE, default=32, show_default=True, help="Length of an answer."
)
@click.option(
    "--max-concurrency",
    type=_AT_LEAST_ONE,
    default=256,
    show_default=True,
    help="Requests running; more wait.",
)
@click.option(
    "--max-waiting",
    type=click.IntRange(min=0),
    default=1024,
    show_default=True,
    help="Waiting; more get a 503.",
)
@click.option(
    "--max-model-len", type=_AT_LEAST_ONE, default=131_072, show_default=True, help="Prompt + answer."
)
@click.option(
    "--kv-blocks", type=_AT_LEAST_ONE, default=4096, show_default=True, help="Prefix cache, 16 tokens each."
)
@click.option("--echo", is_flag=True, help="Answer every request with a JSON echo of itself.")
@click.option(
    "--fault", metavar="SPEC", callback=_fault, help="A fault for every request; the kinds are listed below."
)
@click.option(
    "--fault-scope",
    type=click.Choice(["inference", "all"]),
    default="inference",
    show_default=True,
    help="`all`: /health, /metrics and the other routes fail as well.",
)
@click.option(
    "--shutdown",
    "shutdown_ms",
    type=_NOT_NEGATIVE,
    default=5000.0,
    show_default=True,
    help="Milliseconds for running answers after SIGTERM.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
)
def sim(log_level: str, **options: Any) -> None:
    """Run a simulated vLLM engine: its API and metrics, no model, no GPU.

    It answers chat, completions, embeddings, models, tokenize, health and metrics as vLLM does, at the
    pace you set, and fails on demand. The first line on stdout is "listening on http://HOST:PORT".
    """
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = SimSettings(**options)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    try:
        asyncio.run(serve(settings, _announce))
    except PortInUseError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot listen on {settings.host}: {error.strerror or error}") from None


def _announce(running: RunningSim) -> None:
    click.echo(f"listening on {running.url}")
    if running.control_url is not None:
        click.echo(f"control on {running.control_url}")
