"""What a text is on one screen: domains, complexity, jailbreak, personal data, embedding."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from pointsman.cli.view.ink import Ink
from pointsman.encoder import Encoding, Scan
from pointsman.pii import Finding, masked

_LABEL = 11
_WIDEST = 100
_NAME = 20
_MOST_DOMAINS = 5
_MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Report:
    """All there is to say about a text."""

    text: str
    identity: str
    """Engine and precision: vectors of two identities must not be compared."""
    encoding: Encoding
    scan: Scan
    findings: tuple[Finding, ...]
    """Personal data over its thresholds."""


def classify_view(report: Report) -> RenderableType:
    """The screen for one text; fits 80 columns and terminals without colour or UTF-8."""
    return _Screen(report)


def classify_json(report: Report) -> dict[str, Any]:
    """The same for programs."""
    encoding, scan = report.encoding, report.scan
    return {
        "domains": dict(encoding.domains),
        "complexity": dict(encoding.complexity),
        "jailbreak": _jailbreak_json(scan),
        "pii": {"findings": list(report.findings), "sampled": scan.sampled},
        "embedding": {"identity": report.identity, "dimension": len(encoding.embedding)},
        "tokens": encoding.tokens,
        "truncated": encoding.truncated,
    }


class _Screen:
    """Renders itself, because marks depend on the console's encoding and clipping on its width."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        ink, width = Ink.of(options), min(options.max_width, _WIDEST)
        report = self._report
        dimension = len(report.encoding.embedding)
        covered, _ = masked(report.text, report.findings)
        for line in (
            _line("text", ink.clip(covered, width - _LABEL - 1) or "(no text)"),
            *(_line("", note, "dim") for note in _size(report, ink)),
            Text(""),
            *_bars("domain", report.encoding.domains, ink),
            *_bars("complexity", report.encoding.complexity, ink),
            Text(""),
            *_jailbreak(report, ink),
            Text(""),
            *_personal(report, ink, width),
            Text(""),
            _line("embedding", f"{dimension} dimensions {ink.dot} {ink.plain(report.identity)}"),
        ):
            line.no_wrap = True
            line.truncate(width, overflow="crop")
            yield line


def _line(label: str, content: str, style: str = "") -> Text:
    return Text(f"{label:<{_LABEL}} ", "bold cyan").append(content, style)


def _size(report: Report, ink: Ink) -> Iterator[str]:
    encoding, scan = report.encoding, report.scan
    yield f"{len(report.text)} characters {ink.dot} {encoding.tokens} word pieces read for the topic"
    if encoding.truncated:
        yield "the middle was left out for the topic"
    if scan.sampled:
        yield "guards read it in samples; recognisers read all"


def _bars(label: str, scores: Mapping[str, float], ink: Ink) -> Iterator[Text]:
    ranked = sorted(scores.items(), key=lambda item: -item[1])[:_MOST_DOMAINS]
    for place, (name, score) in enumerate(ranked):
        style = "dim" if place else "green"
        row = f"{ink.clip(name, _NAME):<{_NAME}} {ink.bar(score)} {score:.2f}"
        yield _line("" if place else label, row, style)


def _jailbreak(report: Report, ink: Ink) -> Iterator[Text]:
    scan = report.scan
    risk = scan.jailbreak.probability
    place = f"in characters {scan.jailbreak.start} to {scan.jailbreak.end}"
    yield _line(
        "jailbreak", f"{'probability':<{_NAME}} {ink.bar(risk)} {risk:.2f}", "red" if risk >= 0.5 else "green"
    )
    yield _line("", f"most suspicious {place}", "dim")
    if scan.disguised:
        yield _line("", "hidden or look-alike characters stand in words", "yellow")


def _personal(report: Report, ink: Ink, width: int) -> Iterator[Text]:
    findings = report.findings
    if not findings:
        yield _line("pii", "none found", "green")
    for place, finding in enumerate(findings[:_MOST_FINDINGS]):
        where = f"{finding.start}-{finding.end}"
        row = f"{finding.label:<{_NAME}} {ink.bar(finding.score)} {finding.score:.2f}  {where:<10} "
        reasons = ink.clip(", ".join(finding.evidence), max(1, width - _LABEL - 1 - len(row)))
        yield _line("" if place else "pii", row, "red").append(reasons, "dim")
    if len(findings) > _MOST_FINDINGS:
        yield _line("", f"{len(findings) - _MOST_FINDINGS} more", "dim")


def _jailbreak_json(scan: Scan) -> dict[str, Any]:
    return {
        "probability": scan.jailbreak.probability,
        "start": scan.jailbreak.start,
        "end": scan.jailbreak.end,
        "sampled": scan.sampled,
        "disguised": scan.disguised,
    }
