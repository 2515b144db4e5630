"""`pointsman sim`: a simulated engine on a port, or several."""

import asyncio
import logging
from typing import Any

import click

from pointsman.sim import (
    Fault,
    FaultSpecError,
    KvEventsError,
    KvEventsSettings,
    PortInUseError,
    RunningSim,
    SimSettings,
    known_faults,
    parse_fault,
    replicas,
    serve,
)
from pointsman.sim.settings import DEFAULT_PORT

_PORT = click.IntRange(0, 65_535)
_NOT_NEGATIVE = click.FloatRange(min=0)
_AT_LEAST_ONE = click.IntRange(min=1)

_KV_EVENTS = {
    "kv_endpoint": "endpoint",
    "kv_replay": "replay_endpoint",
    "kv_topic": "topic",
    "kv_encoding": "encoding",
    "kv_buffer": "buffer_steps",
}

_EPILOG = """\b
Examples:
  pointsman sim --model tiny                                  a fast small model on port 8000
  pointsman sim --model math --port 0 --ttft 200 --rate 40    as slow as a real one, on a free port
  pointsman sim --model base --lora sql --lora legal          with two LoRA adapters
  pointsman sim --model tiny --fault status:503               an engine that always fails
  pointsman sim --model tiny --replicas 4 --port 9000         four engines, ports 9000 to 9003
  pointsman sim --model tiny --kv-blocks 512 --prefill-rate 4000 --max-concurrency 8
                                                              a small cache, worth hitting
  pointsman sim --model tiny --kv-events 'tcp://*:5557' --kv-events-replay 'tcp://*:5558'
  pointsman sim --model tiny --role prefill                   hands KV blocks to a `--role decode`

\b
  curl -s localhost:8000/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model": "tiny", "messages": [{"role": "user", "content": "Hello"}]}'
  curl ... -H 'x-sim-echo: 1'          the answer is a JSON echo of the request, headers included
  curl ... -H 'x-sim-fault: cut:3'     this one request breaks off after three chunks
  curl -s localhost:8000/sim/fault -H 'content-type: application/json' \\
    -d '{"fault": "status:500", "count": 5}'
  curl -s localhost:8000/sim/state
  curl -s -X POST 'localhost:8000/sleep?level=1'     requests hang until POST /wake_up
  curl -s localhost:8000/v1/load_lora_adapter -H 'content-type: application/json' \\
    -d '{"lora_name": "sql", "lora_path": "/adapters/sql"}'

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
    "--lora",
    "--lora-modules",
    "loras",
    multiple=True,
    metavar="NAME[=PATH]",
    help="A LoRA adapter; may be repeated.",
)
@click.option(
    "--max-loras",
    type=_AT_LEAST_ONE,
    help="Adapters that run side by side; more wait. Default: as many as given, at least 1.",
)
@click.option(
    "--max-cpu-loras",
    type=_AT_LEAST_ONE,
    default=64,
    show_default=True,
    help="Adapters that can be loaded; one more gets a 400.",
)
@click.option(
    "--name", default="sim", metavar="NAME", show_default=True, help="Engine name in answers and echoes."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=_PORT, default=DEFAULT_PORT, show_default=True, help="0 picks a free port.")
@click.option(
    "--replicas",
    "count",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Engines in this process, on consecutive ports, named NAME-0, NAME-1, ...",
)
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
@click.option(
    "--dp-rank",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Data-parallel rank: in metrics and KV events, added to the ports of the latter.",
)
@click.option(
    "--kv-events",
    "kv_endpoint",
    metavar="ENDPOINT",
    help="Publish KV events there; with * or :: it is bound, else connected to. Needs pointsman[kv-events].",
)
@click.option(
    "--kv-events-replay", "kv_replay", metavar="ENDPOINT", help="Answer requests for missed events there."
)
@click.option(
    "--kv-events-topic",
    "kv_topic",
    default="",
    metavar="TEXT",
    help="Their topic; {name} and {model} are filled in. Default: empty.",
)
@click.option(
    "--kv-events-encoding",
    "kv_encoding",
    type=click.Choice(["map", "array"]),
    default="map",
    show_default=True,
    help="How an event is written: as by vLLM 0.24 and later, or before.",
)
@click.option(
    "--kv-events-buffer",
    "kv_buffer",
    type=_AT_LEAST_ONE,
    default=10_000,
    show_default=True,
    help="Batches kept for replay.",
)
@click.option(
    "--role",
    type=click.Choice(["prefill", "decode", "both"]),
    help="Part in disaggregated prefill: which kv_transfer_params are obeyed. Default: none.",
)
@click.option(
    "--kv-load-failure",
    type=click.Choice(["recompute", "fail"]),
    default="recompute",
    show_default=True,
    help="When promised blocks are not to be had: compute the prompt here, or a 500.",
)
@click.option(
    "--kv-host",
    metavar="HOST",
    help="Address other engines fetch blocks from. Default: --host; needed where that is 0.0.0.0.",
)
@click.option(
    "--kv-lease",
    "kv_lease_ms",
    type=_NOT_NEGATIVE,
    default=30_000.0,
    show_default=True,
    help="Milliseconds for which a prefilling engine keeps blocks for another.",
)
@click.option(
    "--transcription",
    default=SimSettings.transcription,
    metavar="TEXT",
    help="What every audio file says. Default: that nobody listened.",
)
@click.option("--echo", is_flag=True, help="Answer every request with a JSON echo of itself.")
@click.option(
    "--fault", metavar="SPEC", callback=_fault, help="A fault for every request; the kinds are listed below."
)
@click.option(
    "--fault-scope",
    type=click.Choice(["inference", "health", "all"]),
    default="inference",
    show_default=True,
    help="`health`: /health and /ping alone; `all`: every route.",
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
def sim(log_level: str, count: int, **options: Any) -> None:
    """Run a simulated vLLM engine: its API and metrics, no model, no GPU.

    It answers chat, completions, responses, embeddings, reranking, scores, transcriptions, models, tokenize,
    health and metrics as vLLM does, at the pace you set, remembers prefixes, and fails on demand. The first
    line on stdout is "listening on http://HOST:PORT".
    """
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = SimSettings(**_with_kv_events(options))
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if settings.port + count > 65_536:
        raise click.UsageError(f"--replicas {count} from port {settings.port} go beyond port 65535")
    try:
        asyncio.run(serve(replicas(settings, count), _announce))
    except (PortInUseError, KvEventsError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"cannot listen on {settings.host}: {error.strerror or error}") from None


def _with_kv_events(options: dict[str, Any]) -> dict[str, Any]:
    """The options with those about KV events made one. Raises ValueError."""
    named = {name: value for name, value in options.items() if name not in _KV_EVENTS}
    if options["kv_endpoint"] is None:
        if options["kv_replay"] is not None or options["kv_topic"]:
            raise ValueError("--kv-events-replay and --kv-events-topic need --kv-events")
        return named
    given = {field: options[name] for name, field in _KV_EVENTS.items()}
    return {**named, "kv_events": KvEventsSettings(**given)}


def _announce(running: RunningSim) -> None:
    click.echo(f"listening on {running.url}")
    if running.control_url is not None:
        click.echo(f"control on {running.control_url}")
