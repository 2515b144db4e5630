"""A closed-loop load generator in a process of its own; prints one JSON object.

``python bench/load.py URL --model MoM --concurrency 32 --seconds 5 --texts fresh``
"""

import argparse
import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Iterator

import aiohttp

# 64 word pieces of plain prose once the counter is in; each fresh text is new to every cache.
PROSE = (
    "Please explain to a careful reader how the derivative of a polynomial is found, which rules are used for"
    " sums, products and powers, why the limit definition gives the same result, and where a beginner usually"
    " makes a mistake when the exponent is negative or a fraction. Use the number {n} in your example."
)


def texts(kind: str) -> Iterator[str]:
    """Endless prompts: all the same, or each one new."""
    numbers = itertools.repeat(7) if kind == "same" else itertools.count(time.time_ns() % 10**9)
    return (PROSE.format(n=n) for n in numbers)


async def worker(
    session: aiohttp.ClientSession, args: argparse.Namespace, prompts: Iterator[str], until: float
) -> tuple[list[float], int]:
    """Send one request after another until the clock says stop; latencies in ms and the number of errors."""
    latencies, errors = [], 0
    while time.perf_counter() < until:
        body = {
            "model": args.model,
            "max_tokens": 1,
            "messages": [{"role": "user", "content": next(prompts)}],
        }
        start = time.perf_counter()
        async with session.post(args.url, json=body) as response:
            await response.read()
            errors += response.status != 200
        latencies.append((time.perf_counter() - start) * 1000)
    return latencies, errors


async def run(args: argparse.Namespace) -> dict[str, float]:
    """All workers at once; one connection each."""
    prompts = texts(args.texts)
    connector = aiohttp.TCPConnector(limit=args.concurrency)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        until = time.perf_counter() + args.seconds
        parts = await asyncio.gather(
            *(worker(session, args, prompts, until) for _ in range(args.concurrency))
        )
    latencies = sorted(latency for part, _ in parts for latency in part)
    return {
        "requests": len(latencies),
        "errors": sum(errors for _, errors in parts),
        "p50_ms": statistics.median(latencies),
        "p99_ms": latencies[int(len(latencies) * 0.99)],
    }


def main() -> None:
    """Read the flags, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--model", default="base-model")
    parser.add_argument("--concurrency", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--texts", choices=["same", "fresh"], default="same")
    print(json.dumps(asyncio.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
