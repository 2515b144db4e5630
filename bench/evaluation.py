"""`make eval`: our own cases through the shipped model; what came of it goes into docs/evaluation.md."""

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

from pointsman.cli.document import load_document
from pointsman.cli.evaluating import Opened, put_through
from pointsman.evaluation.case import read_cases
from pointsman.evaluation.rates import Rate
from pointsman.evaluation.report import Report, summarise

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "evaluation.md"
FOLDER = ROOT / "examples" / "eval"
BEGIN, END = "<!-- make eval: begin -->", "<!-- make eval: end -->"
MIXED_UP = 8
"""Confusions listed."""


def main() -> None:
    """Measure and write."""
    cases = read_cases((FOLDER / "cases.jsonl").read_text(encoding="utf-8"))
    opened = Opened.of(load_document(FOLDER / "config.yaml"))
    try:
        # One at a time: short texts that share a pass of the encoder shift each other's last digits.
        judged = put_through(opened, cases, concurrency=1, advance=lambda: None)
        identity = str(opened.runtime.encoder.identity)
        report = summarise(judged, order=opened.order)
    finally:
        opened.close()
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    block = measured(report, identity, dt.datetime.now(tz=dt.UTC).date())
    PAGE.write_text(f"{before}{BEGIN}\n\n{block}\n\n{END}{after}", encoding="utf-8")
    print(block)


def measured(report: Report, identity: str, day: dt.date) -> str:
    """The block of the page, as Markdown."""
    rate = report.accuracy
    alarms = sum(_alarms(report, guard) for guard in ("jailbreak_guard", "pii_guard"))
    ordinary = sum(score.expected for score in report.decisions if not score.name.endswith("_guard"))
    return "\n".join(
        [
            f"{rate.hits} of {rate.total} cases as expected: **{_percent(rate)}**.",
            f"Mean F1 of the decisions: {report.macro_f1:.3f}.",
            f"Of {ordinary} requests that no guard should stop, the guards stopped {alarms}.",
            "",
            f"Encoder `{identity}`, {day.isoformat()}.",
            "",
            *_table(
                ("decision", "cases", "precision", "recall", "F1"),
                (
                    (s.name, str(s.expected), f"{s.precision:.2f}", f"{s.recall.share:.2f}", f"{s.f1:.2f}")
                    for s in report.decisions
                ),
            ),
            "",
            *_table(
                ("language or tag", "cases", "accuracy and 95% interval"),
                (
                    (name, str(each.total), _percent(each))
                    for name, each in (*report.languages.items(), *report.tags.items())
                ),
            ),
            "",
            *_table(
                ("expected", "made", "cases"),
                ((*names, str(count)) for *names, count in report.confusion.mixed_up()[:MIXED_UP]),
            ),
        ]
    )


def _alarms(report: Report, name: str) -> int:
    """Requests that met this guard although they should meet none."""
    table = report.confusion
    if name not in table.names:
        return 0
    column = table.names.index(name)
    return sum(
        counts[column]
        for row, counts in zip(table.names, table.counts, strict=True)
        if not row.endswith("_guard")
    )


def _percent(rate: Rate) -> str:
    return f"{rate.share:.1%} ({rate.low:.1%} to {rate.high:.1%})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    return [line(head), "|" + "---|" * len(head), *map(line, rows)]


if __name__ == "__main__":
    main()
