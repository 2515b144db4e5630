"""CPU per request and added latency of the router and Envoy, beside two floors in the same run.

``make bench`` runs it: two simulated engines, a plain Envoy, and ``pointsman serve``, loaded in turn; medians
over interleaved rounds. The table goes to the terminal and between the markers in ``docs/benchmarks.md``.
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from plain_envoy import plain_envoy  # noqa: E402  # after the path is set
from support.gateway import Engine, Gateway, start_engine, start_gateway  # noqa: E402  # same

TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
REPORT = ROOT / "docs" / "benchmarks.md"
OUT = ROOT / "bench" / "out"
Results = dict[tuple[str, int], list[dict[str, float]]]
LEVELS = [1, 32]
BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


@dataclass(frozen=True)
class Case:
    """One way to send a request, and the processes whose time it costs."""

    name: str
    url: str
    model: str
    texts: str
    router: int | None
    envoy: int | None


def cpu_us(pid: int | None) -> float:
    """User and system time of a process so far, microseconds."""
    if pid is None:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_US


def rss_mb(pid: int) -> float:
    """Resident memory, MB (10^6 bytes)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def child_of(pid: int) -> int:
    """The Envoy that a gateway process runs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    named = [int(child) for child in children if "envoy" in Path(f"/proc/{child}/cmdline").read_text()]
    return named[0]


def measure(case: Case, concurrency: int, seconds: float) -> dict[str, float]:
    """Load one case once."""
    before = cpu_us(case.router), cpu_us(case.envoy)
    command = [sys.executable, str(ROOT / "bench" / "load.py"), case.url, "--model", case.model]
    command += ["--texts", case.texts, "--concurrency", str(concurrency), "--seconds", str(seconds)]
    result: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    if result["errors"]:
        raise SystemExit(f"{case.name}: {result['errors']} of {result['requests']} requests failed")
    result["router_us"] = (cpu_us(case.router) - before[0]) / result["requests"]
    result["envoy_us"] = (cpu_us(case.envoy) - before[1]) / result["requests"]
    return result


@contextmanager
def engines(folder: Path) -> Iterator[list[Engine]]:
    """Two simulated engines that answer one token at once."""
    flags = ("--ttft", "0", "--rate", "0", "--answer-tokens", "1", "--max-concurrency", "1024")
    running = [start_engine(folder, name, *flags) for name in ("a", "b")]
    try:
        yield running
    finally:
        for engine in running:
            engine.process.stop()


def cases(engine: Engine, plain: tuple[str, int], gateway: Gateway) -> list[Case]:
    """From the floors up."""
    path = "/v1/chat/completions"
    router = gateway.process.child.pid
    envoy = child_of(router)
    url = gateway.url + path
    return [
        Case("direct to one engine", engine.url + path, "base-model", "same", None, None),
        Case("plain Envoy", plain[0] + path, "base-model", "same", None, plain[1]),
        Case("pointsman, named model", url, "base-model", "same", router, envoy),
        Case("pointsman, MoM, text seen before", url, "MoM", "same", router, envoy),
        Case("pointsman, MoM, fresh 64-token text", url, "MoM", "fresh", router, envoy),
    ]


HEAD = "| path | c | router CPU, us | Envoy CPU, us | p50, ms | added p50, ms | CPU to plain Envoy |"


def table(results: Results, names: list[str], levels: list[int]) -> str:
    """Medians as Markdown; added latency against the direct case of the same concurrency ``c``."""
    rows = [HEAD, "|---|---|---|---|---|---|---|"]
    for level in levels:
        medians = [median(results[name, level]) for name in names]
        direct, floor = medians[0], medians[1]
        for name, each in zip(names, medians, strict=True):
            spent = each["router_us"] + each["envoy_us"]
            cells = [
                name,
                str(level),
                f"{each['router_us']:.0f}",
                f"{each['envoy_us']:.0f}",
                f"{each['p50_ms']:.2f}",
                f"{each['p50_ms'] - direct['p50_ms']:+.2f}",
                f"{spent / floor['envoy_us']:.1f}x" if spent else "",
            ]
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def median(runs: list[dict[str, float]]) -> dict[str, float]:
    """Each figure's median over the rounds."""
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def machine() -> str:
    """What it ran on, in a line."""
    info = Path("/proc/cpuinfo").read_text()
    names = [line.partition(":")[2].strip() for line in info.splitlines() if "model name" in line]
    model = names[0] if names else platform.machine()
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"


def write(report: str) -> None:
    """Between the markers of the page."""
    text = REPORT.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    REPORT.write_text(f"{before}{BEGIN}\n\n{report}\n\n{END}{after}")


def main() -> None:
    """Start everything, measure in turn, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of load per measurement")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved; medians are reported")
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md alone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, engines(Path(folder)) as running:
        report, results = bench(Path(folder), running, args.rounds, args.seconds)
    print(report)
    OUT.mkdir(exist_ok=True)
    keyed: dict[str, Any] = {f"{name} c={level}": runs for (name, level), runs in results.items()}
    (OUT / "bench.json").write_text(json.dumps(keyed, indent=1))
    if not args.no_write:
        write(report)


def bench(folder: Path, running: list[Engine], rounds: int, seconds: float) -> tuple[str, Results]:
    """The report and the figures behind it."""
    results: Results = {}
    started = time.perf_counter()
    gateway = start_gateway(folder, running)
    ready_s = time.perf_counter() - started
    try:
        with plain_envoy(running) as plain:
            lineup = cases(running[0], plain, gateway)
            for round_, level, case in itertools.product(range(rounds), LEVELS, lineup):
                print(f"round {round_ + 1}/{rounds}  c={level:<3} {case.name}", file=sys.stderr)
                results.setdefault((case.name, level), []).append(measure(case, level, seconds))
            memory = [rss_mb(pid) for pid in (lineup[2].router, lineup[2].envoy) if pid]
    finally:
        gateway.process.stop()
    parts = [
        f"Measured on {machine()}; {rounds} rounds of {seconds:g} s, interleaved, medians.",
        table(results, [case.name for case in lineup], LEVELS),
        f"Resident after the run: router {memory[0]:.0f} MB, Envoy {memory[1]:.0f} MB.",
        f"From `pointsman serve` to the first answered request: {ready_s:.2f} s.",
    ]
    return "\n\n".join(parts), results


if __name__ == "__main__":
    main()
