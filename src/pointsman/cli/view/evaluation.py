"""An evaluation for people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from pointsman.cli.view.ink import Ink
from pointsman.evaluation.classes import ClassScore, Confusion
from pointsman.evaluation.compare import Comparison
from pointsman.evaluation.cost import Cost
from pointsman.evaluation.latency import Spread
from pointsman.evaluation.outcome import Judged
from pointsman.evaluation.rates import Rate
from pointsman.evaluation.report import Report

_NAME = 26
"""Columns of a name."""
_PAIRS = 10
"""Confusions shown where the whole table does not fit."""
_MOVES = 40
"""Moves shown unless every miss is asked for."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def evaluation_view(
    report: Report,
    comparison: Comparison | None = None,
    *,
    misses: bool = False,
    threshold: float | None = None,
) -> "_View":
    """Everything in the report; the cases that missed only if asked for."""
    return _View(report, comparison, misses=misses, threshold=threshold)


class _View:
    """Renders itself, because tables depend on the console's width and encoding."""

    def __init__(
        self, report: Report, comparison: Comparison | None, *, misses: bool, threshold: float | None
    ) -> None:
        self._report = report
        self._comparison = comparison
        self._misses = misses
        self._threshold = threshold

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        ink, width, report = Ink.of(options), options.max_width, self._report
        yield from _headline(report, self._threshold)
        yield from _decisions(report.decisions, report.macro_f1, ink)
        yield from _confusion(report.confusion, ink, width)
        yield from _rates("language", report.languages, ink)
        yield from _rates("tag", report.tags, ink)
        yield from _signals(report, ink)
        yield from _phases(report.phases, ink)
        yield from _costs(report.costs, report.completion_tokens, ink, width)
        if self._comparison is not None:
            yield from _comparison(self._comparison, ink, width, most=None if self._misses else _MOVES)
        if self._misses:
            yield from _misses(report.misses, ink, width)
        elif report.misses:
            yield Text(f"\n{len(report.misses)} not as expected: --misses shows them", "dim")


def _headline(report: Report, threshold: float | None) -> Iterator[Text]:
    line = Text("accuracy   ", "bold").append(_share(report.accuracy), "bold")
    yield line
    words = f"{report.accuracy.hits} of {report.accuracy.total} cases as expected; intervals are at 95%"
    yield Text(f"           {words}")
    if threshold is not None:
        below = report.accuracy.share < threshold
        verdict = "below" if below else "not below"
        yield Text(f"           {verdict} the threshold {threshold:.1%}", "red" if below else "green")


def _head(*columns: str) -> Text:
    """A table's head: the name, then columns as wide as numbers."""
    return Text("\n" + _pad(columns[0], _NAME) + "".join(f"{c:>10}" for c in columns[1:]), "bold")


def _decisions(scores: Sequence[ClassScore], macro: float, ink: Ink) -> Iterator[Text]:
    if not scores:
        return
    yield _head("decision", "cases", "precision", "recall", "F1")
    for score in scores:
        cells = (f"{score.expected:>10}", f"{score.precision:>10.2f}", f"{score.recall.share:>10.2f}")
        yield Text(_pad(ink.clip(score.name, _NAME), _NAME) + "".join(cells) + f"{score.f1:>10.2f}")
    yield Text(_pad("mean of those expected", _NAME) + " " * 30 + f"{macro:>10.2f}", "dim")


def _confusion(table: Confusion, ink: Ink, width: int) -> Iterator[Text]:
    """The whole table, zeros left out; only the pairs where it does not fit."""
    mixed_up = table.mixed_up()
    if not mixed_up:
        return
    cell = 1 + max(2, len(str(max(map(max, table.counts)))))
    if len(table.names) > len(_LETTERS) or _NAME + 2 + cell * len(table.names) > width:
        yield Text("\nmixed up", "bold")
        for expected, made, count in mixed_up[:_PAIRS]:
            yield Text(f"{count:>4}  {ink.plain(expected)} {ink.arrow} {ink.plain(made)}")
        if len(mixed_up) > _PAIRS:
            yield Text(f"      {len(mixed_up) - _PAIRS} pairs more", "dim")
        return
    letters = _LETTERS[: len(table.names)]
    yield Text(
        "\n" + _pad("expected, and what was made", _NAME + 2) + "".join(f"{x:>{cell}}" for x in letters),
        "bold",
    )
    for row, name in enumerate(table.names):
        line = Text(f"{letters[row]} " + _pad(ink.clip(name, _NAME), _NAME))
        for column, count in enumerate(table.counts[row]):
            style = "green" if row == column else "red" if count else "dim"
            line.append(f"{count or ink.dot:>{cell}}", style)
        yield line


def _rates(title: str, rates: Mapping[str, Rate], ink: Ink) -> Iterator[Text]:
    if not rates:
        return
    yield _head(title, "cases", "accuracy")
    for name, rate in rates.items():
        line = Text(_pad(ink.clip(name, _NAME), _NAME) + f"{rate.total:>10}{rate.share:>10.1%}")
        yield line.append(f"  {ink.bar(rate.share)}  {_interval(rate)}", "dim")


def _signals(report: Report, ink: Ink) -> Iterator[Text]:
    if report.signals:
        yield _head("signal", "cases", "right", "missed", "unasked", "failed")
        for score in report.signals:
            counts = "".join(f"{n:>10}" for n in (score.missed, score.unasked, score.failed))
            name = _pad(ink.clip(score.name, _NAME), _NAME)
            yield Text(f"{name}{score.right.total:>10}{score.right.share:>10.1%}{counts}")
    for name, count in report.signal_failures.items():
        yield Text(f"{ink.failed} {ink.plain(name)} could not be computed in {count} cases", "red")


def _phases(phases: Mapping[str, Spread], ink: Ink) -> Iterator[Text]:
    if not phases:
        return
    yield _head("phase", "p50", "p90", "p99", "most")
    for name, spread in phases.items():
        durations = (spread.p50, spread.p90, spread.p99, spread.most)
        yield Text(_pad(name, _NAME) + "".join(f"{ink.duration(us):>10}" for us in durations))


def _costs(costs: Iterable[Cost], completion_tokens: int, ink: Ink, width: int) -> Iterator[Text]:
    for cost in costs:
        title = f"\ncost of {cost.requests} requests, {cost.currency}, answers of {completion_tokens} tokens"
        yield Text(title, "bold")
        yield Text(_pad("as decided", _NAME) + f"{cost.amount:>12.6f}")
        for name, amount in cost.by_model.items():
            yield Text(_pad("  " + ink.clip(name, _NAME - 3), _NAME) + f"{amount:>12.6f}", "dim")
        for name, amount in cost.all_to.items():
            words = ink.clip(f"all to {name}", min(_NAME, width))
            yield Text(_pad(words, _NAME) + f"{amount:>12.6f}", "dim")


def _comparison(comparison: Comparison, ink: Ink, width: int, most: int | None) -> Iterator[Text]:
    yield Text("\nthe other document", "bold")
    yield Text(f"accuracy   {_share(comparison.other)}")
    words = f"{comparison.fixed} fixed, {comparison.broken} broken, p = {comparison.p_value:.3g}"
    verdict = "more than chance" if comparison.p_value < 0.05 else "chance could do that"
    yield Text(f"           {words} (McNemar): {verdict}")
    for move in comparison.moves[:most]:
        style = "green" if move.right_after and not move.right_before else ""
        style = "red" if move.right_before and not move.right_after else style
        yield Text(f"{move.line:>5}  {ink.plain(move.before)} {ink.arrow} {ink.plain(move.after)}", style)
        yield Text("       " + ink.clip(move.text, width - 8), "dim")
    if most is not None and len(comparison.moves) > most:
        yield Text(f"       {len(comparison.moves) - most} more cases move: --misses shows them", "dim")


def _misses(missed: Sequence[Judged], ink: Ink, width: int) -> Iterator[Text]:
    if missed:
        yield Text("\n line  not as expected", "bold")
    for each in missed:
        yield Text(f"{each.line:>5}  " + ink.clip("; ".join(each.misses), width - 8), "red")
        yield Text("       " + ink.clip(each.case.shown, width - 8), "dim")


def _share(rate: Rate) -> str:
    return f"{rate.share:.1%} ({_interval(rate)})"


def _interval(rate: Rate) -> str:
    return f"{rate.low:.1%} to {rate.high:.1%}"


def _pad(text: str, cells: int) -> str:
    return text + " " * max(0, cells - cell_len(text))
