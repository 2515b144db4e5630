"""What it costs to choose a decision once the signals are known.

``make bench-decisions`` runs it: one hundred decisions of five conditions, over few and many signals, flat
and nested, by priority and by confidence; the compiled plan beside the definition it is tested against. CPU
time of one thread, least of interleaved rounds. The table goes to the terminal and ``docs/benchmarks.md``.
"""

import argparse
import os
import platform
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from pointsman.core.decision import Decision, Strategy
from pointsman.core.rule import Leaf, Node, Operator, Rule
from pointsman.core.signal import Signal, SignalKey, SignalSet
from pointsman.decisions.plan import Plan
from pointsman.decisions.rank import choose

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN, END = "<!-- make bench-decisions: begin -->", "<!-- make bench-decisions: end -->"
DECISIONS, CONDITIONS = 100, 5
HEAD = "| rules | signals | strategy | compiled, us | definition, us |"


def rules(count: int, *, nested: bool, source: random.Random) -> list[Rule]:
    """Rules of five conditions each over ``count`` signals, every other an AND."""
    keys = [SignalKey("keyword", f"k{index}") for index in range(count)]
    made: list[Rule] = []
    for index in range(DECISIONS):
        one, two, three, four, five = leaves = tuple(Leaf(key) for key in source.sample(keys, CONDITIONS))
        conjunction = index % 2 == 0
        if not nested:
            made.append(Node(Operator.AND if conjunction else Operator.OR, leaves))
        elif conjunction:
            made.append(Node(Operator.AND, (one, Node(Operator.OR, (two, three, four)), _no(five))))
        else:
            made.append(Node(Operator.OR, (one, Node(Operator.AND, (two, three, _no(four))), five)))
    return made


def _no(leaf: Leaf) -> Rule:
    return Node(Operator.NOT, (leaf,))


def outcomes(count: int, source: random.Random) -> list[SignalSet]:
    """Requests of which a tenth of the signals match and one in fifty failed."""
    return [
        SignalSet.of(
            Signal(
                SignalKey("keyword", f"k{index}"),
                matched=source.random() < 0.1,
                confidence=source.random(),
                error="Timeout" if source.random() < 0.02 else "",
            )
            for index in range(count)
        )
        for _ in range(50)
    ]


def cost_us(call: Callable[[SignalSet], object], requests: list[SignalSet], repeats: int) -> float:
    """CPU time of one call, microseconds."""
    started = time.thread_time()
    for _ in range(repeats):
        for signals in requests:
            call(signals)
    return (time.thread_time() - started) * 1e6 / (repeats * len(requests))


def row(count: int, strategy: Strategy, *, nested: bool, rounds: int) -> str:
    """One line of the table."""
    source = random.Random(7)  # noqa: S311  # the same rules every time, no secret
    decisions = [
        Decision(f"d{index:03}", rule, priority=index % 7)
        for index, rule in enumerate(rules(count, nested=nested, source=source))
    ]
    requests, plan = outcomes(count, source), Plan(decisions, strategy)
    compiled, defined = [], []
    for _ in range(rounds):
        compiled.append(cost_us(plan.choose, requests, 10))
        defined.append(cost_us(lambda signals: choose(decisions, signals, strategy), requests, 1))
    form = "nested, with NOT" if nested else "flat"
    return f"| {form} | {count} | {strategy} | {min(compiled):.1f} | {min(defined):.0f} |"


def machine() -> str:
    """What it ran on, in a line."""
    info = Path("/proc/cpuinfo").read_text()
    names = [line.partition(":")[2].strip() for line in info.splitlines() if "model name" in line]
    model = names[0] if names else platform.machine()
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"


def main() -> None:
    """Measure, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="interleaved; the least is reported")
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md alone")
    args = parser.parse_args()
    lines = [HEAD, "|---|---|---|---|---|"]
    for nested in (False, True):
        for count in (20, 50, 200):
            for strategy in Strategy:
                lines.append(row(count, strategy, nested=nested, rounds=args.rounds))
                print(lines[-1], file=sys.stderr)
    report = (
        f"Measured on {machine()}; {DECISIONS} decisions of {CONDITIONS} conditions, CPU time of one thread, "
        f"least of {args.rounds} interleaved rounds.\n\n" + "\n".join(lines)
    )
    print(report)
    if not args.no_write:
        text = REPORT.read_text()
        before, rest = text.split(BEGIN)
        REPORT.write_text(f"{before}{BEGIN}\n\n{report}\n\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
