"""``pointsman explain``: what would be decided about a text, and why. Nothing is sent anywhere."""

import asyncio
import os
import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console

from pointsman.cli.document import load_document, load_example, virtual_name
from pointsman.cli.view.explain import explain_view
from pointsman.cli.view.record import explain_json
from pointsman.config import Settings
from pointsman.core.request import Head
from pointsman.core.trace import Ruling
from pointsman.runtime import build

_CHAT = Head("POST", "/v1/chat/completions", {})


@click.command(
    epilog='\b\nExamples:\n  pointsman explain "Is this contract enforceable?"\n  pointsman explain - < q.txt'
)
@click.argument("text")
@click.option(
    "-c", "--config", type=click.Path(path_type=Path), help="A document; by default the shipped example."
)
@click.option("--model", help="The model the client asks for; by default the virtual one.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def explain(text: str, config: Path | None, model: str | None, *, as_json: bool) -> None:
    """Show what would be decided about TEXT: signals, rules, the decision, the rewritten request.

    TEXT may be `-` for standard input, or a whole chat request as JSON.
    """
    settings = load_document(config) if config else load_example()
    source = sys.stdin.read() if text == "-" else text
    ruling = _rule(settings, source, model)
    if as_json:
        click.echo(
            msgspec.json.format(msgspec.json.encode(explain_json(ruling.trace, ruling.verdict))).decode()
        )
    else:
        Console().print(explain_view(ruling.trace, ruling.verdict))


def _rule(settings: Settings, source: str, model: str | None) -> Ruling:
    runtime = build(settings, os.environ)
    try:
        return asyncio.run(runtime.pipeline.route(_CHAT, _body(source, model or virtual_name(settings))))
    finally:
        runtime.close()


def _body(source: str, model: str) -> bytes:
    if source.lstrip().startswith("{") and '"messages"' in source:
        return source.encode()
    return msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": source}]})
