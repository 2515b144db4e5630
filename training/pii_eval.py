"""Measure what finds personal data: the recognisers alone, the model alone, and both merged.

Strict counts a span when label and both ends are right; partial when the label is right and the spans
overlap. Addresses are one span each (`addresses.py`). Rows may say which labels are annotated (`annotated`, null for all); others are left out.
"""

import argparse
import asyncio
import gzip
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from addresses import whole
from pointsman.encoder import Encoder
from pointsman.pii import Entity, Finding, confident, merge, recognise

DATA = Path(__file__).parents[2] / "shared/data"

Reader = Callable[[str], Sequence[Entity]]
"""What the token classifier makes of a text."""


class Span(msgspec.Struct, frozen=True):
    """A piece of personal data as annotated."""

    label: str
    start: int
    end: int


class Row(msgspec.Struct, frozen=True):
    """A text and all personal data in it."""

    text: str
    spans: tuple[Span, ...]
    annotated: tuple[str, ...] | None = None
    split: str = ""
    source: str = ""
    lang: str = ""


@dataclass
class Tally:
    """How often each label was right, found and there."""

    found: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    """Spans that are exactly right."""

    touching: Counter[str] = field(default_factory=Counter)
    """Findings that overlap an annotated span of their label."""

    touched: Counter[str] = field(default_factory=Counter)
    """Annotated spans that a finding of their label overlaps."""

    def add(self, row: Row, findings: Iterable[Finding]) -> None:
        """Count one row."""
        counted = [each for each in findings if row.annotated is None or each.label in row.annotated]
        exact = {(span.label, span.start, span.end) for span in row.spans}
        for finding in counted:
            self.found[finding.label] += 1
            self.right[finding.label] += (finding.label, finding.start, finding.end) in exact
            self.touching[finding.label] += any(_overlap(finding, span) for span in row.spans)
        for span in row.spans:
            self.there[span.label] += 1
            self.touched[span.label] += any(_overlap(finding, span) for finding in counted)

    def strict(self, labels: Iterable[str]) -> float:
        """F1 of exact spans over some labels."""
        labels = list(labels)
        right = sum(self.right[label] for label in labels)
        return _f1(right, right, *self._totals(labels))

    def partial(self, labels: Iterable[str]) -> float:
        """F1 of overlapping spans over some labels."""
        labels = list(labels)
        touching = sum(self.touching[label] for label in labels)
        touched = sum(self.touched[label] for label in labels)
        return _f1(touching, touched, *self._totals(labels))

    def _totals(self, labels: Sequence[str]) -> tuple[int, int]:
        return sum(self.found[label] for label in labels), sum(self.there[label] for label in labels)


def main() -> None:
    """Print a table of F1 for each label and way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=DATA / "pii.jsonl.gz", help="JSONL, maybe .gz")
    parser.add_argument("--split", default="val", help="of rows that have one")
    parser.add_argument(
        "--model", type=Path, help="model folder with a token head; without, recognisers only"
    )
    parser.add_argument("--by", choices=("source", "lang"), help="also each group of rows by itself")
    options = parser.parse_args()
    rows = [row for row in read(options.file) if row.split in {"", options.split}]
    ways = {"recognisers": recognised}
    if options.model:
        reader = model_reader(options.model)
        ways["model"] = lambda text: confident(merge(text, (), reader(text)))
        ways["merged"] = lambda text: confident(merge(text, recognise(text), reader(text)))
    report(rows, ways)
    for group in sorted({getattr(row, options.by) for row in rows}) if options.by else ():
        print(f"\n## {group}")
        report([row for row in rows if getattr(row, options.by) == group], ways)


def recognised(text: str) -> tuple[Finding, ...]:
    """Find what has a form or a check digit."""
    return confident(merge(text, recognise(text)))


def model_reader(folder: Path) -> Reader:
    """Load a model with a token head."""
    encoder, runner = Encoder.load(directory=folder), asyncio.Runner()
    return lambda text: runner.run(encoder.scan(text)).entities


def report(rows: Sequence[Row], ways: dict[str, Callable[[str], tuple[Finding, ...]]]) -> None:
    """Print the table of some rows."""
    tallies = {name: tally(rows, way) for name, way in ways.items()}
    labels = sorted({label for each in tallies.values() for label in (*each.there, *each.found)})
    print(f"{len(rows)} rows")
    print("| label | spans | " + " | ".join(f"{name} strict | partial" for name in tallies) + " |")
    print("|---|---" + "|---" * 2 * len(tallies) + "|")
    formed = [label for label in labels if tallies["recognisers"].found[label]]
    for name, chosen in [
        *((label, [label]) for label in labels),
        ("all with a form", formed),
        ("all", labels),
    ]:
        there = sum(tallies["recognisers"].there[label] for label in chosen)
        cells = [f"{each.strict(chosen):.3f} | {each.partial(chosen):.3f}" for each in tallies.values()]
        print(f"| {name} | {there} | " + " | ".join(cells) + " |")


def tally(rows: Sequence[Row], way: Callable[[str], Iterable[Finding]]) -> Tally:
    """Count all rows, found one way."""
    result = Tally()
    for row in rows:
        result.add(row, way(row.text))
    return result


def read(path: Path) -> Iterator[Row]:
    """Read the rows of a file."""
    decoder = msgspec.json.Decoder(Row)
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
        for line in lines:
            if line.strip():
                row = decoder.decode(line)
                spans = whole(row.text, [msgspec.structs.asdict(span) for span in row.spans])
                yield msgspec.structs.replace(row, spans=tuple(Span(**span) for span in spans))


def _overlap(finding: Finding, span: Span) -> bool:
    return finding.label == span.label and finding.start < span.end and span.start < finding.end


def _f1(right_found: int, right_there: int, found: int, there: int) -> float:
    precision = right_found / found if found else 0.0
    recall = right_there / there if there else 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


if __name__ == "__main__":
    main()
