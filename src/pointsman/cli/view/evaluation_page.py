"""An evaluation as one self-contained page: plots and tables, light and dark, nothing loaded, no script."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Final

from pointsman import __version__
from pointsman.cli.view.plot import Bar, bars, heat_map, histogram_plot, milliseconds
from pointsman.evaluation.compare import Comparison
from pointsman.evaluation.outcome import Judged
from pointsman.evaluation.rates import Rate
from pointsman.evaluation.report import Report

_MOST_ROWS: Final = 1000
"""Misses and moves listed; beyond that a page is no longer read, and --json has them all."""
_TEXT_SHOWN: Final = 600

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2127;--quiet:#5d6875;--paper:#fff;--line:#d9dee4;--hit:#2f6fb0;
--miss:#c0392b;--strong:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ed;--quiet:#97a2ae;--paper:#14181d;--line:#333b45;
--hit:#6aa9e9;--miss:#f0776a;--strong:#0d1115}}
body{margin:2rem auto;max-width:62rem;padding:0 1rem;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}
.big{font-size:2.4rem;font-weight:600}.quiet,caption{color:var(--quiet)}
table{border-collapse:collapse;margin:.5rem 0}caption{text-align:left;font-size:.9em}
th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600}th:first-child,td:first-child,.words{text-align:left}
.words{overflow-wrap:anywhere;white-space:pre-wrap}.wrong{color:var(--miss)}.right{color:var(--hit)}
.scroll{overflow-x:auto}
svg{font:12px system-ui,sans-serif;max-width:none}text{fill:var(--ink)}text.quiet{fill:var(--quiet)}
text.strong{fill:var(--strong)}.hit{fill:var(--hit)}.bar{fill-opacity:.55}.miss{fill:var(--miss)}
.grid{fill:none;stroke:var(--line)}.axis,.whisker{stroke:var(--ink);fill:none}
"""


def evaluation_page(
    report: Report,
    config: str,
    cases: str,
    comparison: Comparison | None = None,
    other: str = "",
) -> str:
    """The page; ``config``, ``cases`` and ``other`` are names of files, for its head."""
    parts = [
        *_head(report, config, cases),
        *_decisions(report),
        *_rates("By language", report.languages),
        *_rates("By tag", report.tags),
        *_signals(report),
        *_latency(report),
        *_costs(report),
        *(_comparison(comparison, other) if comparison is not None else ()),
        *_misses(report.misses),
        f'<p class="quiet">pointsman {escape(__version__)}. Intervals are at 95%, after Wilson.</p>',
    ]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Evaluation of {escape(config)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _head(report: Report, config: str, cases: str) -> Iterator[str]:
    rate = report.accuracy
    yield f"<h1>{escape(config)}, on {escape(cases)}</h1>"
    yield (
        f'<p><span class="big">{rate.share:.1%}</span> of {rate.total} cases as expected '
        f'<span class="quiet">(95% interval {rate.low:.1%} to {rate.high:.1%})</span></p>'
    )
    for name, count in report.signal_failures.items():
        yield f'<p class="wrong">{escape(name)} could not be computed in {count} cases.</p>'


def _decisions(report: Report) -> Iterator[str]:
    if not report.decisions:
        return
    yield "<h2>Decisions</h2>"
    expected = [Bar(score.name, score.recall) for score in report.decisions if score.expected]
    plot = bars(expected, "Share of each expected decision that was made, with 95% intervals")
    yield f'<div class="scroll">{plot}</div>'
    yield _table(
        ("decision", "expected", "made", "precision", "recall", "F1"),
        (
            (
                score.name,
                str(score.expected),
                str(score.made),
                f"{score.precision:.3f}",
                f"{score.recall.share:.3f}",
                f"{score.f1:.3f}",
            )
            for score in report.decisions
        ),
        caption=f"Mean F1 of the decisions expected: {report.macro_f1:.3f}",
    )
    yield "<h2>What is mixed up with what</h2>"
    yield '<p class="quiet">Rows: the decision expected. Columns: the decision made.</p>'
    yield f'<div class="scroll">{heat_map(report.confusion)}</div>'
    mixed_up = report.confusion.mixed_up()
    if mixed_up:
        rows = ((expected, made, str(count)) for expected, made, count in mixed_up)
        yield _table(("expected", "made", "cases"), rows, words=1)


def _rates(title: str, rates: Mapping[str, Rate]) -> Iterator[str]:
    if rates:
        yield f"<h2>{title}</h2>"
        rows = [Bar(name, rate) for name, rate in rates.items()]
        yield f'<div class="scroll">{bars(rows, f"Accuracy {title.lower()}, with 95% intervals")}</div>'


def _signals(report: Report) -> Iterator[str]:
    if not report.signals:
        return
    yield "<h2>Signals</h2>"
    yield _table(
        ("signal", "cases", "right", "missed", "unasked", "failed"),
        (
            (
                score.name,
                str(score.right.total),
                f"{score.right.share:.1%}",
                str(score.missed),
                str(score.unasked),
                str(score.failed),
            )
            for score in report.signals
        ),
        caption="Over the cases that say whether the signal should match.",
    )


def _latency(report: Report) -> Iterator[str]:
    if not report.phases:
        return
    yield "<h2>Latency</h2>"
    if report.total:
        yield f'<div class="scroll">{histogram_plot(report.total, "Histogram of the total duration")}</div>'
    yield _table(
        ("phase", "p50", "p90", "p99", "most"),
        (
            (name, *(milliseconds(us) for us in (spread.p50, spread.p90, spread.p99, spread.most)))
            for name, spread in report.phases.items()
        ),
        caption="Of the router alone, several cases at a time; no model was asked.",
    )


def _costs(report: Report) -> Iterator[str]:
    for cost in report.costs:
        yield f"<h2>Cost, {escape(cost.currency)}</h2>"
        rows = [("as decided", cost.amount)]
        rows += [(f"of that {name}", amount) for name, amount in cost.by_model.items()]
        rows += [(f"all to {name}", amount) for name, amount in cost.all_to.items()]
        yield _table(
            ("", "amount"),
            ((name, f"{amount:.6f}") for name, amount in rows),
            caption=(
                f"Estimate for {cost.requests} requests: prompts by their length, "
                f"answers of {report.completion_tokens} tokens."
            ),
        )


def _comparison(comparison: Comparison, other: str) -> Iterator[str]:
    rate = comparison.other
    yield f"<h2>Compared with {escape(other)}</h2>"
    yield (
        f"<p>There {rate.share:.1%} as expected ({rate.low:.1%} to {rate.high:.1%}): {comparison.fixed} "
        f"fixed, {comparison.broken} broken; p = {comparison.p_value:.3g} (McNemar, exact).</p>"
    )
    rows = (
        (
            str(move.line),
            f"{move.before} → {move.after}",
            _fate(move.right_before, move.right_after),
            _cut(move.text),
        )
        for move in comparison.moves[:_MOST_ROWS]
    )
    yield _table(("line", "moved", "", "request"), rows, words=3)


def _fate(before: bool, after: bool) -> str:  # noqa: FBT001  # a pair of like values
    if before == after:
        return "right" if after else "wrong"
    return "fixed" if after else "broken"


def _misses(missed: Sequence[Judged]) -> Iterator[str]:
    if not missed:
        return
    yield "<h2>Not as expected</h2>"
    rows = (
        (str(each.line), "\n".join(each.misses), f"{each.outcome.confidence:.2f}", _cut(each.case.shown))
        for each in missed[:_MOST_ROWS]
    )
    yield _table(("line", "what", "confidence", "request"), rows, words=3)
    if len(missed) > _MOST_ROWS:
        yield f'<p class="quiet">{len(missed) - _MOST_ROWS} more: --json has them.</p>'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str = "", words: int = 0) -> str:
    """A table; the column numbered ``words``, and the second where it is not 0, hold prose."""
    prose = {1, words} if words else set()

    def cell(tag: str, index: int, text: str) -> str:
        kind = ' class="words"' if index in prose else ""
        return f"<{tag}{kind}>{escape(text)}</{tag}>"

    def row(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(cell(tag, index, text) for index, text in enumerate(cells)) + "</tr>"

    titled = f"<caption>{escape(caption)}</caption>" if caption else ""
    lines = [row("td", cells) for cells in rows]
    return f'<div class="scroll"><table>{titled}{row("th", head)}{"".join(lines)}</table></div>'


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_SHOWN else text[: _TEXT_SHOWN - 1] + "…"
