"""``make fuzz``: many cases, what became of them, and every one that failed with its seed."""

import argparse
import sys
import time
import traceback
from collections import Counter
from multiprocessing import Pool
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz.case import failures  # after the path is set

CHUNK = 250


def chunk(first: int) -> tuple[Counter[str], dict[str, tuple[int, str]]]:
    """One chunk's outcomes, and one seed and traceback for each place that failed."""
    counts: Counter[str] = Counter()
    found: dict[str, tuple[int, str]] = {}
    for seed, outcome in failures(first, CHUNK):
        if isinstance(outcome, str):
            counts[outcome] += 1
            continue
        counts["failed"] += 1
        last = traceback.extract_tb(outcome.__traceback__)[-1]
        place = f"{last.filename.partition('main/')[2]}:{last.lineno} {type(outcome).__name__}"
        found.setdefault(place, (seed, "".join(traceback.format_exception(outcome))))
    return counts, found


def main() -> None:
    """Run the cases on all cores, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first case; the same seed is the same case"
    )
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    started, counts = time.monotonic(), Counter[str]()
    places: dict[str, tuple[int, str]] = {}
    firsts = range(args.seed, args.seed + args.count, CHUNK)
    with Pool(args.processes) as pool:
        for some, found in pool.imap_unordered(chunk, firsts):
            counts += some
            for place, (seed, trace) in found.items():
                if place not in places:
                    places[place] = (seed, trace)
                    sys.stdout.write(f"--- {place}, case {seed}\n{trace}\n")
                    sys.stdout.flush()
    spent = time.monotonic() - started
    sys.stdout.write(
        f"{counts.total()} cases in {spent:.0f} s: {dict(counts)}; {len(places)} places failed\n"
    )
    raise SystemExit(bool(places))


if __name__ == "__main__":
    main()
