"""``pointsman eval``: how often requests are decided as expected. Nothing is sent anywhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pointsman.cli.document import config_option, load_document
from pointsman.cli.evaluating import Opened, put_through
from pointsman.cli.view.evaluation import evaluation_view
from pointsman.cli.view.evaluation_page import evaluation_page
from pointsman.cli.view.evaluation_record import evaluation_json
from pointsman.config import examine
from pointsman.core.errors import ConfigError, PointsmanError, StartError
from pointsman.core.problem import Severity
from pointsman.evaluation.case import BadCases, Numbered, read_cases
from pointsman.evaluation.compare import Comparison, compare
from pointsman.evaluation.known import require_known
from pointsman.evaluation.outcome import Judged
from pointsman.evaluation.report import Report, summarise

BELOW_THRESHOLD: Final = 1
BAD_INPUT: Final = 2
_MOST_AT_ONCE: Final = 64
"""Well below what the encoder lets wait."""


@click.command(
    epilog="""\b
A case is one JSON object a line; lines that begin with // or # are skipped:
  {"text": "Is this lease void?", "expect": {"decision": "law_decision"}}
  {"text": "2+2?", "expect": {"model": "maths"}, "tags": ["short"]}
  {"messages": [...], "expect": {"signals": ["domain:math"]}, "lang": "en"}

\b
  text | messages | body   a prompt, the messages, or a whole request (path)
  model, headers           what the client asks for and sends
  lang, tags               labels that results are told apart by
  expect                   what is left out of it is not judged:
    decision               the one that should win; null: none should
    model                  the model or adapter that should be selected
    signals, not_signals   what should match, and what should not
    reply                  whether the router should answer by itself

\b
Examples:
  pointsman eval -c config.yaml cases.jsonl --misses
  pointsman eval -c config.yaml cases.jsonl --html report.html
  pointsman eval -c config.yaml cases.jsonl --compare new.yaml
  pointsman eval -c config.yaml cases.jsonl --threshold 0.9

\b
Exit status: 0; 1 when the accuracy is below --threshold; 2 when CASES or a
document is bad."""
)
@config_option
@click.argument("cases", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--misses", is_flag=True, help="Show every case that was not decided as expected.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option(
    "--html", "page", type=click.Path(path_type=Path, dir_okay=False), help="Also write a page with plots."
)
@click.option(
    "--threshold", type=click.FloatRange(0, 1), help="Exit 1 when the accuracy is below this; 0 to 1."
)
@click.option(
    "--compare",
    "other",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OTHER",
    help="A second document: show the cases that move, and whether it is more than chance.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, _MOST_AT_ONCE),
    default=4,
    show_default=True,
    help="Cases routed at the same time; 1 for latencies without waiting.",
)
@click.option(
    "--answer-tokens",
    type=click.IntRange(0),
    default=256,
    show_default=True,
    help="Assumed length of an answer, for costs.",
)
def eval(  # noqa: A001  # the command's name; nothing here evaluates code
    config: Path,
    cases: Path,
    page: Path | None,
    other: Path | None,
    threshold: float | None,
    concurrency: int,
    answer_tokens: int,
    *,
    misses: bool,
    as_json: bool,
) -> None:
    """Route every request of CASES through a document and say how often it is decided as expected.

    Accuracy over all, by decision, tag and language, with 95% intervals; what is mixed up with what;
    signals; latency by phase; cost, where models have prices. CASES may be `-` for standard input.
    """
    try:
        numbered = _read(cases)
        report, comparison = _evaluate(config, other, numbered, str(cases), concurrency, answer_tokens)
        if page is not None:
            _write(page, evaluation_page(report, str(config), str(cases), comparison, str(other or "")))
    except (BadCases, ConfigError, StartError) as error:
        _give_up(error)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(evaluation_json(report, comparison))).decode())
    else:
        Console().print(evaluation_view(report, comparison, misses=misses, threshold=threshold))
        if page is not None:
            click.echo(f"written: {page}")
    below = threshold is not None and report.accuracy.share < threshold
    raise SystemExit(BELOW_THRESHOLD if below else 0)


def _give_up(error: PointsmanError) -> None:
    click.echo(f"pointsman: {error}", err=True)
    raise SystemExit(BAD_INPUT) from None


def _read(path: Path) -> tuple[Numbered, ...]:
    try:
        with click.open_file(str(path), encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise StartError(f"{path} cannot be read: it is not UTF-8 text (byte {error.start})") from None
    return read_cases(text, str(path))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}") from None


def _evaluate(
    config: Path,
    other: Path | None,
    cases: Sequence[Numbered],
    source: str,
    concurrency: int,
    answer_tokens: int,
) -> tuple[Report, Comparison | None]:
    with _opened(config) as first:
        if other is None:
            require_known(cases, first.known, source)
            judged = _routed(first, cases, concurrency, str(config))
            return _summary(first, judged, answer_tokens), None
        with _opened(other) as second:
            require_known(cases, first.known | second.known, source)
            judged = _routed(first, cases, concurrency, str(config))
            again = _routed(second, cases, concurrency, str(other))
            return _summary(first, judged, answer_tokens), compare(judged, again)


def _summary(opened: Opened, judged: Sequence[Judged], answer_tokens: int) -> Report:
    return summarise(judged, order=opened.order, prices=opened.prices, completion_tokens=answer_tokens)


@contextmanager
def _opened(path: Path) -> Iterator[Opened]:
    settings = load_document(path)
    for problem in examine(settings):
        if problem.severity is Severity.REFUSED:
            click.echo(f"pointsman: {path} would not be served as it is: {problem}", err=True)
    opened = Opened.of(settings)
    try:
        yield opened
    finally:
        opened.close()


def _routed(opened: Opened, cases: Sequence[Numbered], concurrency: int, label: str) -> tuple[Judged, ...]:
    """Put the cases through, with a bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(Path(label).name, total=len(cases))
        return put_through(opened, cases, concurrency=concurrency, advance=lambda: progress.advance(task))
