"""The problems of a document, the most serious first, each with where it is and what to do."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from pointsman.cli.view.ink import Ink
from pointsman.core.problem import Problem, Severity

_TITLES = {
    Severity.ERROR: ("red", "Errors: the document does not run"),
    Severity.REFUSED: ("red", "Refused: guards that do not exist yet"),
    Severity.WARNING: ("yellow", "Warnings: it runs, but hardly as meant"),
    Severity.UNIMPLEMENTED: ("dim", "Without effect yet"),
}
_NOUNS = {
    Severity.ERROR: ("error", "errors"),
    Severity.REFUSED: ("refusal", "refusals"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.UNIMPLEMENTED: ("key without effect", "keys without effect"),
}


def check_view(problems: Sequence[Problem], source: str) -> RenderableType:
    """All problems grouped by severity and a closing line that says whether the document runs."""
    return _Report(tuple(problems), source)


class _Report:
    """Renders itself, because marks depend on the console's encoding."""

    def __init__(self, problems: tuple[Problem, ...], source: str) -> None:
        self._problems = problems
        self._source = source

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        ink = Ink.of(options)
        for severity, (style, title) in _TITLES.items():
            group = [problem for problem in self._problems if problem.severity is severity]
            if group:
                yield Text(title, f"bold {style}")
                yield from (_problem(problem, style, ink) for problem in group)
                yield Text("")
        yield _verdict(self._problems, self._source, ink)


def _problem(problem: Problem, style: str, ink: Ink) -> RenderableType:
    parts: list[RenderableType] = [
        Text(ink.plain(problem.path) or "(document)", "bold", overflow="fold"),
        Padding(Text(ink.plain(problem.message), style, overflow="fold"), (0, 0, 0, 2)),
    ]
    if problem.remedy:
        remedy = Text(f"{ink.arrow} {ink.plain(problem.remedy)}", overflow="fold")
        parts.append(Padding(remedy, (0, 0, 0, 2)))
    return Padding(Group(*parts), (0, 0, 0, 2))


def _verdict(problems: Sequence[Problem], source: str, ink: Ink) -> Text:
    counts = Counter(problem.severity for problem in problems)
    runs = not counts[Severity.ERROR] and not counts[Severity.REFUSED]
    found = ", ".join(
        f"{count} {_NOUNS[severity][count != 1]}" for severity in _TITLES if (count := counts[severity])
    )
    mark = ink.mark(matched=runs)
    words = f"{mark} {ink.plain(source)}: {found or 'no problems'}"
    ending = "" if runs else "; it does not run"
    return Text(words + ending, "bold green" if runs else "bold red", overflow="fold")
