"""How often the tool that a request needs is among the first, and how many requests for none are told apart.

``make bench-tools`` runs it over ``bench/tool_queries.txt`` (``language|request|tool[,tool]``, ``-`` for none
that fits) and ``examples/tools/assistant.json``. The table goes to the terminal and between the markers in
``docs/benchmarks.md``. The threshold is set on the requests of even lines, so that it keeps nine in ten of
those that need a tool; kept and rejected are counted on the odd ones.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointsman.encoder import Encoder
from pointsman.plugins.encoder import Floats
from pointsman.plugins.no_tool import lead, no_tool_vectors
from pointsman.plugins.tool_database import read_tools
from pointsman.plugins.tool_index import ToolIndex, index_now
from pointsman.plugins.tool_ranking import BY_MEANING, COMBINED, Query, Ranking, Weights
from run import REPORT, machine

BEGIN, END = "<!-- make bench-tools: begin -->", "<!-- make bench-tools: end -->"
QUERIES = Path(__file__).with_name("tool_queries.txt")
SET = "builtin:assistant"
KEPT = 0.9
RANKINGS = {
    "embed": BY_MEANING,
    "lexical": Weights(embed=0.0, lexical=1.0),
    "embed + lexical": Weights(embed=0.7, lexical=0.3),
    "embed + lexical + tag (default)": COMBINED,
}


@dataclass(frozen=True)
class Case:
    """A request, the tools that fit it, and whether its line is even."""

    language: str
    query: Query
    fitting: frozenset[str]
    even: bool


@dataclass(frozen=True)
class Outcome:
    """What a ranking made of a case."""

    case: Case
    names: tuple[str, ...]
    best: float

    def found(self, among: int) -> bool:
        """Whether a fitting tool is among the first."""
        return not self.case.fitting.isdisjoint(self.names[:among])


def cases(encoder: Encoder) -> list[Case]:
    """The labelled requests, encoded."""
    found = []
    for number, line in enumerate(QUERIES.read_text().splitlines()):
        language, text, tools = line.split("|")
        fitting = frozenset() if tools == "-" else frozenset(tools.split(","))
        found.append(Case(language, Query(text, encoder.embed_now(text)), fitting, number % 2 == 0))
    return found


def outcomes(weights: Weights, labelled: Sequence[Case], tools: ToolIndex) -> list[Outcome]:
    """Every case ranked."""
    ranking = Ranking(weights)
    ranked = [(case, ranking.ranked(case.query, tools)) for case in labelled]
    return [Outcome(case, tuple(each.tool.name for each in best), best[0].score) for case, best in ranked]


def row(name: str, found: Sequence[Outcome]) -> str:
    """A ranking's figures."""
    needing = [each for each in found if each.case.fitting]
    needless = [each for each in found if not each.case.fitting]
    threshold = float(np.quantile([each.best for each in needing if each.case.even], 1 - KEPT))
    kept = share(needing, lambda each: not each.case.even, lambda each: each.best >= threshold)
    rejected = share(needless, lambda each: not each.case.even, lambda each: each.best < threshold)
    cells = [
        name,
        share(needing, lambda _: True, lambda each: each.found(1)),
        share(needing, lambda _: True, lambda each: each.found(3)),
        share(needing, lambda each: spoken(each, ("en",)), lambda each: each.found(3)),
        share(needing, lambda each: spoken(each, ("zh",)), lambda each: each.found(3)),
        share(needing, lambda each: spoken(each, None), lambda each: each.found(3)),
    ]
    return "| " + " | ".join([*cells, f"{threshold:.2f}", kept, rejected]) + " |"


def lead_row(labelled: Sequence[Case], tools: ToolIndex, phrases: Floats) -> str:
    """How well requests for no tool are told apart by the lead of the nearest tool over such requests."""
    found = [
        Outcome(each.case, each.names, lead(each.case.query.vector, tools.vectors, phrases))
        for each in outcomes(BY_MEANING, labelled, tools)
    ]
    return row("embed, told apart by min_lead", found)


def spoken(outcome: Outcome, languages: tuple[str, ...] | None) -> bool:
    """Whether a request is in one of the languages; ``None`` asks for any but English and Chinese."""
    if languages is None:
        return outcome.case.language not in {"en", "zh"}
    return outcome.case.language in languages


def share(
    found: Sequence[Outcome], counts: Callable[[Outcome], bool], holds: Callable[[Outcome], bool]
) -> str:
    """Of those that count, the share for which it holds."""
    chosen = [each for each in found if counts(each)]
    return f"{100 * sum(map(holds, chosen)) / len(chosen):.0f}%"


def report() -> str:
    """Markdown: what was measured, and the table."""
    encoder = Encoder.load(cache_entries=0)
    try:
        tools = index_now(read_tools(SET, "bench"), encoder)
        labelled = cases(encoder)
        phrases = no_tool_vectors(encoder)
        rows = [row(name, outcomes(weights, labelled, tools)) for name, weights in RANKINGS.items()]
    finally:
        encoder.close()
    rows.append(lead_row(labelled, tools, phrases))
    needless = sum(not case.fitting for case in labelled)
    languages = len({case.language for case in labelled})
    head = (
        f"Measured on {machine()}: {len(labelled)} requests in {languages} languages over {len(tools.tools)} "
        f"tools; {needless} requests need none of them."
    )
    titles = "| score | top 1 | top 3 | top 3, en | top 3, zh | top 3, others | threshold | kept | rejected |"
    return "\n".join([head, "", titles, "|---|---|---|---|---|---|---|---|---|", *rows])


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md alone")
    args = parser.parse_args()
    measured = report()
    print(measured)
    page = REPORT.read_text()
    if not args.no_write and BEGIN in page and END in page:
        before, _, rest = page.partition(BEGIN)
        _, _, after = rest.partition(END)
        REPORT.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}")


if __name__ == "__main__":
    main()
