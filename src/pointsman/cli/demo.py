"""``pointsman demo``: everything at once on one machine, without a GPU."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
import structlog
from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding

from pointsman.cli.document import load_example
from pointsman.cli.host import Host, HostOptions
from pointsman.cli.serving import stop_on_signals
from pointsman.cli.view.explain import explain_view
from pointsman.config import Settings
from pointsman.core.errors import StartError
from pointsman.core.trace import Ruling
from pointsman.observe.logs import configure_logs
from pointsman.observe.metrics import Metrics
from pointsman.observe.redact import Redactor
from pointsman.runtime import build
from pointsman.transports.envoy import binary

QUESTION = "What is the derivative of f(x) = x^3?"
_ENGINE_START_S = 15.0
_CURL_S = "30"


@click.command()
@click.option(
    "--port", default=8801, show_default=True, type=click.IntRange(1, 65535), help="Where clients connect."
)
@click.option("--envoy", type=click.Path(path_type=Path), help="Envoy binary; by default the installed one.")
@click.option("--once", is_flag=True, help="Stop after the first request instead of serving on.")
def demo(port: int, envoy: Path | None, *, once: bool) -> None:
    """Start two simulated vLLM engines, Envoy and the router; send one request; serve until Ctrl-C.

    The request is the tutorial's, for the virtual model "MoM". Nothing is left behind afterwards.
    """
    if shutil.which("curl") is None:
        raise StartError("the demo sends its request with curl, which is not installed")
    console = Console()
    found = binary.find(envoy, os.environ)
    redactor = Redactor()
    configure_logs(redactor=redactor, level="info")
    asyncio.run(_demo(console, port, found, redactor, once=once))


async def _demo(console: Console, port: int, envoy: Path, redactor: Redactor, *, once: bool) -> None:
    rulings: list[Ruling] = []
    async with AsyncExitStack() as stack:
        stop = stop_on_signals(stack)
        console.print("[bold]pointsman[/bold]  starting two simulated engines, Envoy and the router ...")
        example = load_example()
        models = [model.name for model in example.providers.models]
        adapters = [lora.name for card in example.routing.model_cards for lora in card.loras]
        engines = [await stack.enter_async_context(_engine(name, models[0], adapters)) for name in ("a", "b")]
        settings = _placed(example, port, engines)
        runtime = build(settings, os.environ)
        stack.callback(runtime.close)
        api = ("127.0.0.1", _free_port(preferred=settings.global_.services.management_api.port))
        host = Host(
            runtime, HostOptions(api=api, envoy=envoy), Metrics(), redactor=redactor, watch=rulings.append
        )
        await stack.enter_async_context(host.serving())
        console.print(_where(port, api[1], engines))
        await _ask(console, port)
        if rulings:
            console.print(explain_view(rulings[-1].trace, rulings[-1].verdict))
        if not once and not stop.is_set():
            console.print(f"\n[bold]Serving on http://127.0.0.1:{port}[/bold]  Ctrl-C stops everything.\n")
            await stop.wait()
        console.print("[dim]stopping ...[/dim]")
    structlog.get_logger().debug("demo ended")


@asynccontextmanager
async def _engine(name: str, model: str, adapters: list[str]) -> Any:
    """One simulated engine as a child process on a free port; yields the port, ends it afterwards."""
    loras = [part for adapter in adapters for part in ("--lora", adapter)]
    command = [
        sys.executable,
        "-m",
        "pointsman",
        "sim",
        "--answer-tokens",
        "37",
        "--port",
        "0",
        "--model",
        model,
        "--name",
        name,
        *loras,
    ]
    child = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        assert child.stdout is not None  # noqa: S101  # a pipe was asked for
        try:
            line = await asyncio.wait_for(child.stdout.readline(), _ENGINE_START_S)
        except TimeoutError:
            raise StartError(f"simulated engine {name} said nothing for {_ENGINE_START_S:g} s") from None
        if not line:
            raise StartError(f"simulated engine {name} ended at its start")
        yield int(line.decode().rstrip().rpartition(":")[2])
    finally:
        if child.returncode is None:
            child.terminate()
            await child.wait()


def _placed(example: Settings, port: int, engines: list[int]) -> Settings:
    """The example with its listener and its endpoints where they are now."""
    model = example.providers.models[0]
    refs = tuple(
        ref.model_copy(update={"endpoint": f"127.0.0.1:{engine}"})
        for ref, engine in zip(model.backend_refs, engines, strict=True)
    )
    providers = example.providers.model_copy(
        update={"models": (model.model_copy(update={"backend_refs": refs}),)}
    )
    listeners = (example.listeners[0].model_copy(update={"port": port}),)
    return example.model_copy(update={"providers": providers, "listeners": listeners})


def _free_port(preferred: int) -> int:
    """``preferred`` if it can be had, else any: the demo should not fail over a port nobody asked for."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise StartError("no free port on 127.0.0.1")


def _where(port: int, api: int, engines: list[int]) -> Padding:
    lines = [
        f"engines   http://127.0.0.1:{engines[0]}  http://127.0.0.1:{engines[1]}",
        f"clients   http://127.0.0.1:{port}/v1",
        f"manage    http://127.0.0.1:{api}/docs   metrics at /metrics",
    ]
    return Padding(Group(*lines), (0, 0, 1, 2))


async def _ask(console: Console, port: int) -> None:
    """The tutorial's request, with curl as a user would type it."""
    body = msgspec.json.encode(
        {"model": "MoM", "messages": [{"role": "user", "content": QUESTION}], "max_tokens": 64}
    ).decode()
    command = ["curl", "-sS", "-i", "--max-time", _CURL_S, f"http://127.0.0.1:{port}/v1/chat/completions"]
    command += ["-H", "content-type: application/json", "-d", body]
    console.print(f"[bold]$[/bold] curl -i http://127.0.0.1:{port}/v1/chat/completions \\")
    console.print(f"    -H 'content-type: application/json' -d '{escape(body)}'\n", soft_wrap=True)
    child = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await child.communicate()
    if child.returncode != 0:
        raise StartError(f"curl failed: {err.decode().strip()}")
    head, _, answer = out.decode().replace("\r\n", "\n").partition("\n\n")
    for line in _routing_lines(head):
        console.print(escape(line), style="cyan", highlight=False)
    document = msgspec.json.decode(answer)
    choices = document.get("choices") or [{}]
    text = choices[0].get("message", {}).get("content") or answer
    console.print(Padding(escape(text), (1, 2)))


def _routing_lines(head: str) -> Iterator[str]:
    status, *lines = head.splitlines()
    yield status
    yield from sorted(line for line in lines if line.lower().startswith("x-vsr-"))
