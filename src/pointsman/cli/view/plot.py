"""Plots as inline SVG: strings that need no script. Colours come from the page's custom properties."""

from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec

from pointsman.evaluation.classes import Confusion
from pointsman.evaluation.latency import Bin
from pointsman.evaluation.rates import Rate

_CELL: Final = 30
_NAMES: Final = 190
"""Room for names, pixels."""
_TILT: Final = 155
"""Room for tilted names above columns."""
_BAR: Final = 300
_ROW: Final = 24
_CLIP: Final = 26


class Bar(msgspec.Struct, frozen=True):
    """One line of a bar plot."""

    name: str
    rate: Rate


def heat_map(table: Confusion) -> str:
    """Rows are what was expected, columns what was made; the darker, the larger its share of the row."""
    side = _CELL * len(table.names)
    # The last column's name leans beyond its cell.
    width, height = _NAMES + side + _TILT, _TILT + side + 8
    parts = [_open(width, height, "Confusion table: expected decisions against decisions made")]
    for index, name in enumerate(table.names):
        x, y = _NAMES + index * _CELL + _CELL / 2, _TILT + index * _CELL + _CELL / 2
        parts.append(_text(_NAMES - 8, y + 4, _clip(name), anchor="end"))
        parts.append(_text(x, _TILT - 8, _clip(name), turn=-45))
    for row, counts in enumerate(table.counts):
        parts += _cells(table, row, counts)
    return "".join([*parts, "</svg>"])


def _cells(table: Confusion, row: int, counts: Sequence[int]) -> list[str]:
    parts, most = [], sum(counts) or 1
    for column, count in enumerate(counts):
        x, y = _NAMES + column * _CELL, _TILT + row * _CELL
        kind = "hit" if row == column else "miss"
        shade = 0.15 + 0.85 * (count / most) ** 0.5 if count else 0
        title = f"{table.names[row]} expected, {table.names[column]} made: {count} of {sum(counts)}"
        parts.append(
            f'<rect class="grid" x="{x}" y="{y}" width="{_CELL}" height="{_CELL}"/>'
            f'<rect class="{kind}" x="{x + 1}" y="{y + 1}" width="{_CELL - 2}" height="{_CELL - 2}" '
            f'fill-opacity="{shade:.2f}"><title>{escape(title)}</title></rect>'
        )
        if count:
            tone = "strong" if shade > 0.6 else ""
            parts.append(_text(x + _CELL / 2, y + _CELL / 2 + 4, str(count), anchor="middle", kind=tone))
    return parts


def bars(rows: Sequence[Bar], label: str) -> str:
    """A bar for each share with its 95% interval, on an axis from 0 to 100%."""
    height = _ROW * len(rows) + 26
    parts = [_open(_NAMES + _BAR + 190, height, label)]
    for tick in range(0, 101, 25):
        x = _NAMES + _BAR * tick / 100
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{height - 20}"/>')
        parts.append(_text(x, height - 5, f"{tick}%", anchor="middle", kind="quiet"))
    for index, bar in enumerate(rows):
        parts.append(_bar(index * _ROW, bar))
    return "".join([*parts, "</svg>"])


def _bar(y: float, bar: Bar) -> str:
    rate, middle = bar.rate, y + _ROW / 2
    low, high = _NAMES + _BAR * rate.low, _NAMES + _BAR * rate.high
    words = f"{rate.share:.1%} of {rate.total}"
    title = f"{bar.name}: {words}, 95% interval {rate.low:.1%} to {rate.high:.1%}"
    return (
        f"<g><title>{escape(title)}</title>"
        + _text(_NAMES - 8, middle + 4, _clip(bar.name), anchor="end")
        + f'<rect class="hit bar" x="{_NAMES}" y="{y + 5}" width="{_BAR * rate.share:.1f}" '
        + f'height="{_ROW - 10}"/>'
        + f'<path class="whisker" d="M{low:.1f} {middle}H{high:.1f}'
        + f'M{low:.1f} {middle - 4}v8M{high:.1f} {middle - 4}v8"/>'
        + _text(_NAMES + _BAR + 12, middle + 4, words, kind="quiet")
        + "</g>"
    )


def histogram_plot(bins: Sequence[Bin], label: str) -> str:
    """Counts by duration on a logarithmic axis."""
    width, height, floor = 720, 190, 160
    most = max(each.count for each in bins)
    step = (width - 20) / len(bins)
    parts = [_open(width, height, label)]
    for index, each in enumerate(bins):
        tall = (floor - 16) * each.count / most
        title = f"{milliseconds(each.start)} to {milliseconds(each.end)}: {each.count}"
        parts.append(
            f'<rect class="hit" x="{10 + index * step + 1:.1f}" y="{floor - tall:.1f}" '
            f'width="{max(1.0, step - 2):.1f}" height="{tall:.1f}"><title>{escape(title)}</title></rect>'
        )
        if each.count == most:
            parts.append(_text(10 + (index + 0.5) * step, floor - tall - 4, str(most), anchor="middle"))
        if index % 4 == 0:
            side = "middle" if index else "start"
            parts.append(
                _text(10 + index * step, floor + 16, milliseconds(each.start), anchor=side, kind="quiet")
            )
    parts.append(f'<line class="axis" x1="10" x2="{width - 10}" y1="{floor}" y2="{floor}"/>')
    return "".join([*parts, "</svg>"])


def milliseconds(us: float) -> str:
    """A duration given in microseconds, with two or three digits."""
    return f"{us:.0f} µs" if us < 1000 else f"{us / 1000:.3g} ms"


def _open(width: float, height: float, label: str) -> str:
    return (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" xmlns="http://www.w3.org/2000/svg">'
    )


def _text(x: float, y: float, words: str, *, anchor: str = "start", turn: int = 0, kind: str = "") -> str:
    turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turned}{named}>{escape(words)}</text>'


def _clip(name: str) -> str:
    return name if len(name) <= _CLIP else name[: _CLIP - 1] + "…"
