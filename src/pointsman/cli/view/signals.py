"""The signals of a request as a table, one family after the other."""

from collections.abc import Iterator
from itertools import groupby

from rich.table import Table
from rich.text import Text

from pointsman.cli.view.ink import Ink, colour
from pointsman.core.signal import Signal, SignalSet

_VISIBLE = 0.005
"""Confidences below this print as 0.00."""
_MOST = 3
"""Unmatched signals shown for a family; the others are counted."""


def signal_table(signals: SignalSet, ink: Ink) -> Table:
    """Family, name, mark, confidence, what matched; the cost of a family on its first line."""
    table = Table.grid(padding=(0, 1))
    for width, justify in ((10, "left"), (20, "left"), (1, "left"), (15, "left"), (21, "left"), (8, "right")):
        table.add_column(width=width, justify=justify, no_wrap=True, overflow="crop")  # type: ignore[arg-type]  # rich's literal type
    ordered = sorted(signals, key=lambda signal: signal.key.family)
    for family, group in groupby(ordered, key=lambda signal: signal.key.family):
        for row in _family_rows(family, list(group), ink):
            table.add_row(*row)
    return table


def _family_rows(family: str, signals: list[Signal], ink: Ink) -> Iterator[tuple[Text, ...]]:
    signals.sort(
        key=lambda signal: (not signal.matched, not signal.error, -signal.confidence, signal.key.name)
    )
    shown = [signal for signal in signals if signal.matched]
    rest = [signal for signal in signals if not signal.matched]
    shown += rest[:_MOST] if len(rest) > _MOST + 1 else rest
    cost = ink.duration(sum(signal.cost_us for signal in signals))
    for index, signal in enumerate(shown):
        yield _row(signal, family if index == 0 else "", cost if index == 0 else "", ink)
    hidden = len(signals) - len(shown)
    if hidden:
        best = max(signal.confidence for signal in rest[_MOST:])
        words = f"{hidden} more, up to {best:.2f}" if best >= _VISIBLE else f"{hidden} more"
        yield (Text(""), Text(words, "dim"), *(Text("") for _ in range(4)))


def _row(signal: Signal, family: str, cost: str, ink: Ink) -> tuple[Text, ...]:
    style = colour(matched=signal.matched, error=signal.error)
    if signal.error:
        evidence, detail = Text(ink.clip(signal.error, 15), style), ""
    elif signal.matched or signal.confidence:
        evidence, detail = Text(f"{ink.bar(signal.confidence)} {signal.confidence:.2f}", style), signal.detail
    else:
        evidence, detail = Text(""), ""
    return (
        Text(ink.clip(family, 10), "cyan"),
        Text(ink.clip(signal.key.name, 20), "" if signal.matched else style),
        Text(ink.mark(matched=signal.matched, error=signal.error), style),
        evidence,
        Text(ink.clip(detail, 21), "dim"),
        Text(cost, "dim"),
    )
