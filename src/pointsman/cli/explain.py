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
from pointsman.config.identity import identity_headers
from pointsman.core.request import Head
from pointsman.core.trace import Ruling
from pointsman.quota.rules import rate_rules
from pointsman.runtime import build

_PATH = "/v1/chat/completions"


@click.command(
    epilog='\b\nExamples:\n  pointsman explain "Is this contract enforceable?"\n  pointsman explain - < q.txt'
)
@click.argument("text")
@click.option(
    "-c", "--config", type=click.Path(path_type=Path), help="A document; by default the shipped example."
)
@click.option("--model", help="The model the client asks for; by default the virtual one.")
@click.option("--user", help="Who asks, for roles and limits.")
@click.option("--group", "groups", multiple=True, help="A group of theirs; several times for several.")
@click.option(
    "--header", "headers", multiple=True, metavar="NAME=VALUE", help="A header of the request; repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def explain(
    text: str,
    config: Path | None,
    model: str | None,
    user: str | None,
    groups: tuple[str, ...],
    headers: tuple[str, ...],
    *,
    as_json: bool,
) -> None:
    """Show what would be decided about TEXT: signals, rules, the decision, the rewritten request.

    TEXT may be `-` for standard input, or a whole chat request as JSON. Who asks is believed here, and limits
    that concern the request are shown, without counting it.
    """
    settings = load_document(config) if config else load_example()
    source = sys.stdin.read() if text == "-" else text
    head = Head("POST", _PATH, {**_named(headers), **_who(settings, user, groups)})
    ruling = _rule(settings, head, _body(source, model or virtual_name(settings)))
    limits = _limits(settings, ruling)
    if as_json:
        shown = explain_json(ruling.trace, ruling.verdict, limits)
        click.echo(msgspec.json.format(msgspec.json.encode(shown)).decode())
    else:
        Console().print(explain_view(ruling.trace, ruling.verdict, limits))


def _named(headers: tuple[str, ...]) -> dict[str, str]:
    """The headers of ``NAME=VALUE``, names in lower case as a data plane hands them on."""
    named = {}
    for header in headers:
        name, equals, value = header.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(f"{header!r} is not NAME=VALUE", param_hint="--header")
        named[name.strip().lower()] = value
    return named


def _who(settings: Settings, user: str | None, groups: tuple[str, ...]) -> dict[str, str]:
    names = identity_headers(settings)
    asserted = {names.user: user, names.groups: ",".join(groups) or None}
    return {name: value for name, value in asserted.items() if value is not None}


def _rule(settings: Settings, head: Head, body: bytes) -> Ruling:
    runtime = build(settings, os.environ)
    try:
        return asyncio.run(runtime.pipeline.unmetered().route(head, body))
    finally:
        runtime.close()


def _limits(settings: Settings, ruling: Ruling) -> tuple[str, ...]:
    """The limits that would count the request, in words."""
    request, selection = ruling.trace.request, ruling.trace.selection
    if request is None or selection is None:
        return ()
    model = selection.candidate.target.name
    return tuple(str(rule) for rule in rate_rules(settings) if rule.concerns(request.identity, model))


def _body(source: str, model: str) -> bytes:
    if source.lstrip().startswith("{") and '"messages"' in source:
        return source.encode()
    return msgspec.json.encode({"model": model, "messages": [{"role": "user", "content": source}]})
