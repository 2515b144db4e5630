"""One request on one screen: what it said, what was seen in it, what was decided and why."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from pointsman.cli.view.body import abbreviated, pretty
from pointsman.cli.view.decision import failed_keys, rule_tree, why_lost
from pointsman.cli.view.ink import Ink
from pointsman.cli.view.record import explain_json
from pointsman.cli.view.signals import signal_table
from pointsman.core.decision import DecisionTrace
from pointsman.core.guard import GuardOutcome, Outcome
from pointsman.core.model import Selection
from pointsman.core.placement import Placement
from pointsman.core.trace import Trace
from pointsman.core.verdict import Reply, Verdict

__all__ = ["explain_json", "explain_view"]

_LABEL = 10
_WIDEST = 100
_MOST_LOSERS = 4
_BODY_LINES = 14
_TOTAL = "total"
"""The phase that spans the others."""


def explain_view(trace: Trace, verdict: Verdict, limits: Sequence[str] = ()) -> RenderableType:
    """The screen for one request; fits 80 columns and terminals without colour or UTF-8.

    ``limits``: the rate limits that concern the request, in words.
    """
    return _Screen(trace, verdict, tuple(limits))


class _Screen:
    """Renders itself, because marks depend on the console's encoding and clipping on its width."""

    def __init__(self, trace: Trace, verdict: Verdict, limits: tuple[str, ...]) -> None:
        self._trace = trace
        self._verdict = verdict
        self._limits = limits

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        ink, width = Ink.of(options), min(options.max_width, _WIDEST)
        yield from _request(self._trace, ink, width)
        if len(self._trace.signals):
            yield Text("")
            yield signal_table(self._trace.signals, ink)
        yield Text("")
        yield from _decision(self._trace, ink, width)
        yield from _guards(self._trace.guards, ink, width)
        if self._trace.selection:
            yield from _facts("model", _selected(self._trace.selection, ink), ink, width)
            yield from _why(self._trace.selection, ink, width)
        if self._trace.placement:
            yield from _facts("endpoint", _placed(self._trace.placement), ink, width)
        yield from _listed("limits", self._limits, ink, width)
        for index, note in enumerate(self._trace.rewrites):
            yield _line("" if index else "rewritten", Text(ink.plain(note)), width)
        yield Text("")
        yield from _outcome(self._trace, self._verdict, ink, width)
        if self._trace.phases_us:
            yield from _facts("time", _times(self._trace, ink), ink, width)


def _line(label: str, content: Text, width: int) -> Text:
    """A labelled line, cut at the width."""
    line = Text(f"{label:<{_LABEL}} ", "bold cyan", no_wrap=True)
    line.append_text(content)
    line.truncate(width, overflow="crop")
    return line


def _facts(label: str, facts: list[str], ink: Ink, width: int) -> Iterator[Text]:
    """The first fact, which matters most, and the others, over as many lines as they need."""
    room = width - _LABEL - 1
    line = Text(ink.clip(facts[0], room), "bold")
    for fact in facts[1:]:
        addition = f" {ink.dot} {ink.clip(fact, room)}"
        if line.cell_len + len(addition) > room:
            yield _line(label, line, width)
            label, line, addition = "", Text(), ink.clip(fact, room)
        line.append(addition, "dim")
    yield _line(label, line, width)


def _request(trace: Trace, ink: Ink, width: int) -> Iterator[Text]:
    request = trace.request
    if request is None:
        yield _line("request", Text("not understood", "red"), width)
        return
    room = width - _LABEL - 1
    yield _line("request", Text(ink.clip(request.text, room) or "(no text)"), width)
    kind = "virtual: the router chooses" if trace.virtual else "named by the client"
    yield _line("asks for", Text(f"{ink.clip(request.model, 40)}  ({kind})"), width)


def _decision(trace: Trace, ink: Ink, width: int) -> Iterator[RenderableType]:
    match = trace.match
    if match is None:
        words = "refused before one was made" if trace.error else "none needed: the client named the model"
        yield _line("decision", Text(words, "dim"), width)
        return
    if match.decision is None:
        yield _line("decision", Text("none matched: the default model answers", "yellow"), width)
    winner = next(
        (each for each in match.traces if match.decision and each.name == match.decision.name), None
    )
    if winner is not None:
        facts = f"  confidence {winner.confidence:.2f}, priority {winner.priority}"
        tier = f", tier {winner.tier}" if winner.tier else ""
        name = Text(ink.clip(winner.name, 36), "bold green").append(facts + tier, "dim")
        yield _line("decision", name, width)
        yield Padding(rule_tree(winner.rule, ink), (0, 0, 0, _LABEL + 1))
    yield from _others([each for each in match.traces if each is not winner], winner, ink, width)


def _others(
    others: list[DecisionTrace], winner: DecisionTrace | None, ink: Ink, width: int
) -> Iterator[Text]:
    lost = [each for each in others if each.matched]
    if winner is not None:
        for index, each in enumerate(lost[:_MOST_LOSERS]):
            reason = Text(f"{ink.clip(each.name, 30)}  ").append(why_lost(each, winner), "dim")
            yield _line("" if index else "also", reason, width)
        if len(lost) > _MOST_LOSERS:
            yield _line("", Text(f"{len(lost) - _MOST_LOSERS} more matched and lost", "dim"), width)
    unmatched = [each for each in others if not each.matched]
    unknown = sum(1 for each in unmatched if any(failed_keys(each.rule)))
    if unmatched:
        words = f"{len(unmatched)} others did not match" if winner else f"{len(unmatched)} did not match"
        failed = f", {unknown} of them with a signal that failed" if unknown else ""
        yield _line("", Text(words, "dim").append(failed, "red"), width)


def _selected(selection: Selection, ink: Ink) -> list[str]:
    candidate, target = selection.candidate, selection.candidate.target
    lora = [f"LoRA on {ink.clip(target.provider, 30)}"] if target.provider != target.name else []
    reasoning = f"reasoning on ({candidate.effort})" if candidate.use_reasoning else "reasoning off"
    return [ink.clip(target.name, 40), *lora, reasoning, f"algorithm {selection.algorithm}"]


def _placed(placement: Placement) -> list[str]:
    """Where it would go now; traffic, caches and load of a running gateway may send it elsewhere."""
    behind = [f"then {', '.join(placement.fallbacks)}"] if placement.fallbacks else []
    return [placement.primary, placement.reason, f"policy {placement.policy}", *behind]


def _why(selection: Selection, ink: Ink, width: int) -> Iterator[Text]:
    """Why this model; in red where the algorithm could not say and the first candidate was taken."""
    room = width - _LABEL - 1
    if selection.fallback:
        words = f"{selection.algorithm} fell back to the first candidate"
        reason = f": {selection.reason}" if selection.reason else ""
        yield _line("", Text(ink.clip(words + reason, room), "red"), width)
    elif selection.reason:
        yield _line("", Text(ink.clip(selection.reason, room), "dim"), width)


def _guards(outcomes: Sequence[GuardOutcome], ink: Ink, width: int) -> Iterator[Text]:
    """What each guard found, in the order they are written."""
    for index, each in enumerate(outcomes):
        style = {Outcome.FOUND: "yellow", Outcome.FAILED: "red"}.get(each.outcome, "green")
        line = Text(f"{ink.clip(each.guard, 24)} {each.outcome}", style)
        facts = [f"action {each.action}"]
        facts += [f"score {each.score:.2f}"] if each.score else []
        facts += [", ".join(each.kinds)] if each.kinds else []
        facts += [each.detail] if each.detail else []
        line.append("".join(f" {ink.dot} {ink.plain(fact)}" for fact in facts), "dim")
        yield _line("" if index else "guards", line, width)


def _listed(label: str, notes: Sequence[str], ink: Ink, width: int) -> Iterator[Text]:
    for index, note in enumerate(notes):
        yield _line("" if index else label, Text(ink.clip(note, width - _LABEL - 1)), width)


def _outcome(trace: Trace, verdict: Verdict, ink: Ink, width: int) -> Iterator[Text]:
    if isinstance(verdict, Reply):
        style = "red" if verdict.status >= 400 else "yellow"
        yield _line("answered", Text(f"HTTP {verdict.status}, without a model", style), width)
        if trace.error:
            yield _line("", Text(ink.clip(trace.error, width - _LABEL - 1), "red"), width)
            return
        body: bytes | None = verdict.body
    else:
        pool = ink.clip(verdict.pool, 40) or "whatever the data plane routes to"
        yield _line("sent to", Text(pool), width)
        body = verdict.body
    if body is None:
        yield _line("body", Text("as received, byte for byte", "dim"), width)
        return
    room = width - _LABEL - 1
    lines = pretty(abbreviated(body, trace.request), room)
    shown = lines if len(lines) <= _BODY_LINES else [*lines[: _BODY_LINES - 1], ink.more]
    for index, text in enumerate(shown):
        indent = len(text) - len(text.lstrip())
        yield _line("" if index else "body", Text(" " * indent + ink.clip(text, room - indent)), width)


def _times(trace: Trace, ink: Ink) -> list[str]:
    phases = {name: us for name, us in trace.phases_us.items() if name != _TOTAL}
    total = trace.phases_us.get(_TOTAL, sum(phases.values()))
    parts = [f"{name} {ink.duration(us)}" for name, us in phases.items() if us >= 1]
    return [f"{ink.duration(total)} in all", *parts]
