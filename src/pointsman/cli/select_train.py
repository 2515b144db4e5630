"""``pointsman select-train``: labelled outcomes become the file that the algorithm ``knn`` chooses by."""

import asyncio
import gzip
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from pointsman.core.errors import StartError
from pointsman.encoder import Encoder, ModelFilesError
from pointsman.selection.embedder import Floats
from pointsman.selection.outcomes import MAX_MODELS, MAX_ROWS, Outcomes
from pointsman.selection.training import Gain, held_out, judge

_AT_ONCE = 64
"""Texts given to the encoder at the same time."""
KS = (1, 5, 10, 20, 50, 100)
"""Numbers of neighbours the report compares."""

Scores = dict[str, dict[str, float]]


@click.command(
    "select-train",
    epilog="\b\nExample:\n"
    "  pointsman select-train outcomes.jsonl -o outcomes.npz\n\n"
    "\b\nThen in the document, under a decision with several modelRefs:\n"
    "  algorithm:\n"
    "    type: knn\n"
    "    knn: {k: 50, pretrained_path: outcomes.npz}",
)
@click.argument("outcomes", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write."
)
@click.option("--text", "field", default="text", show_default=True, help="Field that holds the request.")
@click.option(
    "--held-out",
    "share",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0.0, 0.9),
    help="Share of the rows the report is made on; the file holds all rows.",
)
@click.option(
    "--prices",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help='JSON of prices, {"model": 0.2}, for the report.',
)
def select_train(outcomes: Path, output: Path, field: str, share: float, prices: Path | None) -> None:
    """Learn from OUTCOMES which model does well on which requests.

    OUTCOMES has one JSON object a line, plain or .gz. Either all scores of a request at once, or one line for
    each model that was tried:

    \b
      {"text": "Prove that ...", "scores": {"small": 0, "large": 1}}
      {"text": "Prove that ...", "model": "small", "score": 0}

    Scores are 0 (useless) to 1 (as good as can be); models are named as in modelRefs. A few hundred requests
    of your own traffic are a start. Texts stay on this machine; the file keeps vectors and scores, no text.
    """
    scores = read_outcomes(outcomes, field)
    costs = _prices(prices, scores)
    trained = asyncio.run(train(scores))
    gains = judge(trained, held_out(list(scores), share), KS, costs) if share else ()
    try:
        trained.save(output)
    except OSError as error:
        raise StartError(f"{output} cannot be written: {error.strerror or error}") from error
    _report(gains, share)
    size = output.stat().st_size / 2**20
    click.echo(
        f"{output}: {len(scores)} requests, {len(trained.models)} models, {size:.1f} MiB, {trained.encoder}"
    )


def read_outcomes(path: Path, field: str) -> Scores:
    """The scores of each text, in the file's order. Raises ``StartError`` naming the line at fault."""
    found: Scores = {}
    for number, row in _rows(path):
        text = row.get(field)
        if not isinstance(text, str) or not text.strip():
            raise StartError(f'{path}:{number}: has no text under "{field}"; name the field with --text')
        tried = row.get("model")
        scores = row.get("scores", {tried: row.get("score")} if isinstance(tried, str) else None)
        if not isinstance(scores, dict) or not scores:
            raise StartError(
                f'{path}:{number}: has neither "scores", such as {{"small": 0.5}}, nor "model" and "score"'
            )
        for model, score in scores.items():
            if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
                raise StartError(f"{path}:{number}: the score of {model} is {score!r}; give one from 0 to 1")
        found.setdefault(text, {}).update({model: float(score) for model, score in scores.items()})
        if len(found) > MAX_ROWS:
            raise StartError(f"{path}: has more than {MAX_ROWS} requests; give a sample of them")
    models = {model for scores in found.values() for model in scores}
    if len(models) < 2:
        raise StartError(f"{path}: has outcomes of {len(models)} model(s); choosing needs two or more")
    if len(models) > MAX_MODELS:
        raise StartError(f"{path}: has outcomes of {len(models)} models; at most {MAX_MODELS} are compared")
    return found


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                row = msgspec.json.decode(line)
                if not isinstance(row, dict):
                    raise StartError(f"{path}:{number}: is no JSON object")
                yield number, row
    except msgspec.DecodeError as error:
        raise StartError(f"{path}:{number}: is no JSON: {error}") from error
    except (OSError, EOFError) as error:
        raise StartError(f"{path} cannot be read: {error}") from error


def _prices(path: Path | None, scores: Scores) -> Mapping[str, float] | None:
    if path is None:
        return None
    try:
        prices = msgspec.json.decode(path.read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError) as error:
        raise StartError(f'{path}: is no JSON of prices such as {{"small": 0.2}}: {error}') from error
    missing = sorted({model for each in scores.values() for model in each} - set(prices))
    if missing:
        raise StartError(f"{path}: has no price of {', '.join(missing)}")
    return prices


async def train(scores: Scores) -> Outcomes:
    """Encode every text. Raises ``StartError`` when the encoder cannot be loaded."""
    try:
        encoder = Encoder.load(threads=os.cpu_count() or 1, cache_entries=0)
    except ModelFilesError as error:
        raise StartError(f"the encoder cannot be loaded: {error}; reinstall pointsman") from error
    models = tuple(sorted({model for each in scores.values() for model in each}))
    rows = [[each.get(model, float("nan")) for model in models] for each in scores.values()]
    try:
        vectors = await _vectors(encoder, list(scores))
    finally:
        encoder.close()
    return Outcomes(encoder.identity, models, vectors, np.array(rows, dtype=np.float32))


async def _vectors(encoder: Encoder, texts: list[str]) -> Floats:
    vectors: list[Floats] = []
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=len(texts))
        for start in range(0, len(texts), _AT_ONCE):
            part = texts[start : start + _AT_ONCE]
            vectors += await asyncio.gather(*(encoder.embed(text) for text in part))
            progress.advance(task, len(part))
    return np.stack(vectors)


def _report(gains: tuple[Gain, ...], share: float) -> None:
    if not gains:
        click.echo("no report: no request was held out that every model was tried on", err=True)
        return
    priced = gains[0].price is not None
    table = Table(title=f"On the {share:.0%} of requests held out", title_justify="left")
    for name in ("chosen by", "mean score", "as good as any", *(["mean price"] if priced else [])):
        table.add_column(name, justify="left" if name == "chosen by" else "right")
    for gain in gains:
        price = [f"{gain.price:.3f}"] if gain.price is not None else []
        table.add_row(gain.name, f"{gain.score:.3f}", f"{gain.accuracy:.1%}", *price)
    Console(width=100).print(table)
