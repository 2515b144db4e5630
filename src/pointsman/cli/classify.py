"""``pointsman classify``: what the encoder and the recognisers make of a text. Nothing is sent anywhere."""

import asyncio
import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console

from pointsman.cli.personal import personal_data
from pointsman.cli.view.classify import Report, classify_json, classify_view
from pointsman.core.errors import StartError
from pointsman.encoder import Encoder, ModelFilesError
from pointsman.pii import confident


@click.command(
    epilog="\b\nExamples:\n"
    '  pointsman classify "Charge 4111 1111 1111 1111, says Dr. Moe"\n'
    "  pointsman classify - < prompt.txt"
)
@click.argument("text")
@click.option(
    "-m",
    "--model",
    type=click.Path(exists=True, file_okay=False),
    help="Model folder; by default the shipped one.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def classify(text: str, model: str | None, *, as_json: bool) -> None:
    """Show what TEXT is: domain, complexity, jailbreak, personal data, embedding.

    TEXT may be `-` for standard input. Personal data is masked and shown by place, kind and evidence.
    """
    source = sys.stdin.read() if text == "-" else text
    report = _report(source, model)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(classify_json(report))).decode())
    else:
        Console().print(classify_view(report))


def _report(text: str, model: str | None) -> Report:
    try:
        encoder = Encoder.load(directory=Path(model) if model else None)
    except ModelFilesError as error:
        raise StartError(f"the encoder cannot be loaded: {error}") from error
    try:
        return asyncio.run(_read(encoder, text))
    finally:
        encoder.close()


async def _read(encoder: Encoder, text: str) -> Report:
    encoding, scan = await encoder.encode(text), await encoder.scan(text)
    return Report(
        text=text,
        identity=encoder.identity,
        encoding=encoding,
        scan=scan,
        findings=confident(personal_data(text, scan.entities)),
    )
