"""Hit rates of policies as an SVG, readable on light and dark pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_STYLE = """text{font:12px system-ui,sans-serif;fill:#24292f}.bar{fill:#8c959f}.ours{fill:#0969da}
.bound{stroke:#cf222e;stroke-width:2}.axis{stroke:#d0d7de}.head{font-weight:600}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#4493f8}
.bound{stroke:#f85149}.axis{stroke:#3d444d}}"""
_ROW, _LEFT, _WIDTH = 20, 220, 420


@dataclass(frozen=True)
class Bar:
    """One policy's hit rate in one workload; the policy ``bound`` is drawn as a line."""

    workload: str
    policy: str
    hit: float


def figure(bars: Sequence[Bar]) -> str:
    """A block of bars for each workload, ours in colour, the bound as a line."""
    body, y = [], 10
    for workload in dict.fromkeys(bar.workload for bar in bars):
        rows = [bar for bar in bars if bar.workload == workload and bar.policy != "bound"]
        bound = next(bar.hit for bar in bars if bar.workload == workload and bar.policy == "bound")
        body.append(
            f'<text class="head" x="8" y="{y + 12}">{escape(workload)}: prompt tokens found in a cache</text>'
        )
        y += _ROW + 4
        top = y
        for bar in rows:
            kind = "ours" if "default" in bar.policy else "bar"
            name = escape(bar.policy.replace("`", ""))
            body.append(f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{name}</text>')
            body.append(
                f'<rect class="{kind}" x="{_LEFT}" y="{y + 2}" '
                f'width="{bar.hit * _WIDTH:.1f}" height="{_ROW - 5}"/>'
            )
            body.append(f'<text x="{_LEFT + bar.hit * _WIDTH + 6:.1f}" y="{y + 13}">{bar.hit:.3f}</text>')
            y += _ROW
        x = _LEFT + bound * _WIDTH
        body.append(f'<line class="axis" x1="{_LEFT}" x2="{_LEFT}" y1="{top}" y2="{y}"/>')
        body.append(f'<line class="bound" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 2}" y2="{y}"/>')
        body.append(f'<text x="{x + 5:.1f}" y="{top - 6}">one cache: {bound:.3f}</text>')
        y += 14
    size = f'width="{_LEFT + _WIDTH + 90}" height="{y}" viewBox="0 0 {_LEFT + _WIDTH + 90} {y}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
        f"<title>Hit rates of policies</title><style>{_STYLE}</style>{''.join(body)}</svg>\n"
    )
