"""How well policies place requests, and what a choice costs; writes docs/benchmarks.md and its figure.

Run it with `make bench-placement`. Engines and time are simulated (`placement_replay.py`); the policies are
the real ones with their real index and load view. Weights were tuned on seeds 1 to 3 and the first half of
the trace; what is written here is of other seeds and of the second half.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

from placement_figure import Bar, figure
from placement_replay import Result, Router, replay
from placement_routers import Clock, Hashed, LeastRequest, Longest, Ours, RoundRobin
from placement_workloads import Workload, chat, documents, mooncake
from pointsman.config.placement import Placement
from pointsman.core.endpoint import Endpoint, Health
from pointsman.core.model import Target
from pointsman.dialects.body import parse_object
from pointsman.fleet.roster import Roster
from pointsman.placement.memory import Memory
from pointsman.placement.placer import Placer, Wanted
from pointsman.placement.table import build_policy

DOCS = Path(__file__).parents[1] / "docs"
PAGE, FIGURE = DOCS / "benchmarks.md", DOCS / "assets" / "placement.svg"
START, END = "<!-- make bench-placement: begin -->\n", "<!-- make bench-placement: end -->"
SEEDS = range(11, 16)
TRACE = "traces/mooncake_fast25_conversation_trace.jsonl.gz"

Make = Callable[[Workload, Clock], Router]
POLICIES: dict[str, Make] = {
    "roundrobin": lambda workload, _: RoundRobin(workload),
    "least_request": lambda workload, _: LeastRequest(workload),
    "hash of the session, load unseen": lambda workload, _: Hashed(workload),
    "longest match, load unseen": lambda workload, _: Longest(workload),
    "`session`": lambda workload, clock: Ours("session", workload, clock),
    "`loadaware`": lambda workload, clock: Ours("loadaware", workload, clock),
    "`prefixaware` (default)": lambda workload, clock: Ours("prefixaware", workload, clock),
}


def main() -> None:
    """Measure, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder with the traces.")
    trace = parser.parse_args().data / TRACE
    workloads: dict[str, Sequence[Workload]] = {
        "chat": [chat(seed) for seed in SEEDS],
        "documents": [documents(seed) for seed in SEEDS],
        "mooncake": [mooncake(trace, share=2, of=2)],
    }
    parts, bars = [], []
    for name, each in workloads.items():
        bounds = _bounds(each)
        results = {policy: [_run(one, make) for one in each] for policy, make in POLICIES.items()}
        parts.append(_table(name, bounds, results))
        bars += [Bar(name, policy, mean(r.hit for r in found)) for policy, found in results.items()]
        bars += [Bar(name, "bound", bounds[1])]
        print(parts[-1])
    parts.append(_costs())
    print(parts[-1])
    page = PAGE.read_text()
    before, _, rest = page.partition(START)
    PAGE.write_text(before + START + "\n" + "\n".join(parts) + "\n" + END + rest.partition(END)[2])
    FIGURE.parent.mkdir(exist_ok=True)
    FIGURE.write_text(figure(bars))


def _run(workload: Workload, make: Make) -> Result:
    return replay(workload, lambda clock: make(workload, clock))


def _bounds(workloads: Iterable[Workload]) -> tuple[float, float]:
    """Hit rates of one cache for all: without end, and as large as those of all engines together."""
    endless, finite = [], []
    for workload in workloads:
        one = replace(workload, engines=1, prefill_rate=1e12)

        def only(_: Clock, one: Workload = one) -> Router:
            return RoundRobin(one)

        endless.append(replay(one, only, cache_blocks=1 << 60).hit)
        finite.append(replay(one, only, cache_blocks=workload.cache_blocks * workload.engines).hit)
    return mean(endless), mean(finite)


def _table(name: str, bounds: tuple[float, float], results: dict[str, list[Result]]) -> str:
    runs = len(next(iter(results.values())))
    what = "means of 5 seeds, in brackets the worst" if runs > 1 else "second half of the trace"
    lines = [
        (
            f"**{name}**, {what}: one endless cache for all would have {bounds[0]:.3f}, one as large as all "
            f"caches together {bounds[1]:.3f}.\n"
        ),
        "| policy | hit rate | requests, max/mean | computed tokens, max/mean | TTFT p50, ms | p90 | p95 |",
        "|---|---|---|---|---|---|---|",
    ]
    for policy, found in results.items():
        ttft = [mean(result.ttft_ms[index] for result in found) for index in range(3)]
        lines.append(
            f"| {policy} | {mean(r.hit for r in found):.3f} | {_spread([r.requests for r in found])} "
            f"| {_spread([r.work for r in found])} | {ttft[0]:,.0f} | {ttft[1]:,.0f} | {ttft[2]:,.0f} |"
        )
    return "\n".join(lines) + "\n"


def _spread(values: Sequence[float]) -> str:
    """The mean, and the worst where there are several."""
    return f"{mean(values):.2f} ({max(values):.2f})" if len(values) > 1 else f"{values[0]:.2f}"


def _costs() -> str:
    lines = [
        "**What a choice costs**, CPU time of one thread, least of 9 rounds over 64 chats of eight turns:\n",
        "| policy | endpoints | prompt | place, us | place and remember, us |",
        "|---|---|---|---|---|",
    ]
    for policy in ("prefixaware", "session", "loadaware"):
        for count in (8, 64):
            for characters in (4_000, 32_000):
                alone, both = _cost(policy, count, characters)
                lines.append(f"| `{policy}` | {count} | {characters:,} | {alone:.0f} | {both:.0f} |")
    return "\n".join(lines) + "\n"


def _cost(policy: str, count: int, characters: int) -> tuple[float, float]:
    """Microseconds of choosing, and of choosing and remembering."""
    endpoints = [Endpoint(f"10.0.0.{number}:8000", "m", health=Health.READY) for number in range(count)]
    roster, memory, settings = Roster(endpoints), Memory(), Placement()
    built = build_policy(policy, settings)  # type: ignore[arg-type]
    assert built is not None  # noqa: S101  # these are not native
    placer = Placer(built, settings, roster, memory)
    target = Target("m", "m", "m")
    bodies = [_body(number, characters) for number in range(64)]
    least = [float("inf"), float("inf")]
    for round_ in range(9):
        for remembered in (False, True):
            began = time.thread_time()
            for number, body in enumerate(bodies):
                placing = placer.place(Wanted(target, parse_object(body), len(body)))
                placement = _finished(placing)
                if remembered:
                    memory.began(f"{round_}/{number}", "m", placement, roster)
            spent = (time.thread_time() - began) / len(bodies) * 1e6
            least[remembered] = min(least[remembered], spent)
        for number in range(len(bodies)):
            memory.ended(f"{round_}/{number}", "", failed=False)
    return least[0], least[1]


def _finished(coroutine):  # noqa: ANN001, ANN202  # a coroutine that never waits, run without a loop
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("it waited")


def _body(number: int, characters: int) -> bytes:
    text = f"Chat {number} says what it said before. " * (characters // 8 // 38 + 1)
    turns = [{"role": "user", "content": f"{turn} {text}"[: characters // 8]} for turn in range(8)]
    return json.dumps({"model": "m", "messages": turns}).encode()


if __name__ == "__main__":
    main()
