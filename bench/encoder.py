"""CPU time of the encoder, as ratios measured side by side in one run.

``make bench-encoder`` runs it. Cases alternate and the least of many rounds counts, so that what else
the machine does falls out. The table goes to the terminal and between the markers in ``docs/benchmarks.md``.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from networks import DIMENSION, Peak, fp32_twin, machine_peak, write_big
from pointsman.encoder import Encoder, EngineMissing
from pointsman.encoder.engine import Engine
from pointsman.encoder.folder import GRAPH, SHIPPED, TOKENIZER, open_folder
from pointsman.encoder.load import joined, open_engine
from pointsman.encoder.model import Model
from pointsman.encoder.ort_engine import OrtEngine
from pointsman.encoder.plain_graph import plain_graph
from pointsman.encoder.session import open_session
from pointsman.encoder.tokenizer import WordPieces, cut
from pointsman.encoder.values import Encoding
from run import REPORT, machine

EVALUATION = Path(__file__).parents[1] / "training" / "evaluation"
BEGIN, END = "<!-- make bench-encoder: begin -->", "<!-- make bench-encoder: end -->"
WORDS = [
    "the",
    "model",
    "reads",
    "a",
    "plain",
    "question",
    "about",
    "water",
    "music",
    "law",
    "trade",
    "and",
    "number",
    "theory",
    "before",
    "it",
    "answers",
]
FLOPS_PER_TOKEN = 2 * 10.617e6
FLOPS_PER_PAIR = 9216


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    ours: str
    other: str
    ratio: str


def texts(count: int, tokens: int, *, seed: int = 0) -> list[str]:
    """Different texts of about `tokens` word pieces, markers included."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, tokens - 2)) for _ in range(count)]


def least(rounds: int, *cases: Callable[[], int]) -> list[float]:
    """CPU seconds per unit of work of each case, least of the interleaved rounds; a case says its units."""
    best = [float("inf")] * len(cases)
    for _ in range(rounds):
        for place, case in enumerate(cases):
            begun = time.process_time()
            units = case()
            best[place] = min(best[place], (time.process_time() - begun) / units)
    return best


def bare(engine: Engine, batch: Sequence[list[int]]) -> Callable[[], int]:
    """Nothing but the session, on texts already tokenised, one at a time."""
    inputs = [(np.array([ids]), np.ones((1, len(ids)), np.int64)) for ids in batch]

    def case() -> int:
        for ids, mask in inputs:
            engine.hidden(ids, mask)
        return len(inputs)

    return case


def one_by_one(encoder: Encoder, prompts: list[str]) -> Callable[[], int]:
    """Each text by itself: normalised, tokenised, read, and judged by every head."""
    readings = [cut(text) for text in prompts]

    def case() -> int:
        for reading in readings:
            encoder._model.read([reading])  # noqa: SLF001  # past the cache, in this thread
        return len(readings)

    return case


def served(encoder: Encoder, prompts: list[str], concurrency: int) -> Callable[[], int]:
    """Through `encode`, so many at a time, as requests would come."""

    async def client(waiting: list[str]) -> None:
        while waiting:
            await encoder.encode(waiting.pop())

    async def crowd() -> None:
        waiting = [*prompts]
        await asyncio.gather(*(client(waiting) for _ in range(concurrency)))

    def case() -> int:
        asyncio.run(crowd())
        return len(prompts)

    return case


def heads(encoder: Encoder, engine: OrtEngine, rounds: int) -> list[Row]:
    """All heads and everything around the pass, against the pass."""
    prompts = texts(8, 64)
    words = WordPieces((SHIPPED / TOKENIZER).read_bytes(), max_tokens=512)
    tokens = [words.marked(each.ids) for each in words.encoded(prompts, placed=False)]
    whole, session, lone = least(
        rounds, one_by_one(encoder, prompts), bare(engine, tokens), served(encoder, prompts, 1)
    )
    ms = [f"{1e3 * value:.2f} ms" for value in (whole, session, lone)]
    return [
        Row(
            "64 tokens: text in, all heads and embedding out, to the bare session call",
            ms[0],
            ms[1],
            ratio(whole, session),
        ),
        Row(
            "64 tokens: a lone `await encode`, loop and threads included, to the bare session call",
            ms[2],
            ms[1],
            ratio(lone, session),
        ),
    ]


def batching(encoder: Encoder, precise: Encoder, rounds: int) -> list[Row]:
    """Micro-batched int8 against fp32 one at a time, and against itself unbatched."""
    prompts = texts(256, 20)
    batched, single, exact = least(
        max(3, rounds // 4),
        served(encoder, prompts, 32),
        one_by_one(encoder, prompts[:64]),
        one_by_one(precise, prompts[:64]),
    )
    each = [f"{1 / value:.0f} texts per CPU second" for value in (batched, single, exact)]
    return [
        Row(
            "20 tokens, 32 at a time: int8 in shared passes, to fp32 one at a time",
            each[0],
            each[2],
            f"{exact / batched:.2f}x",
        ),
        Row(
            "20 tokens, 32 at a time: shared passes, to int8 one at a time without a loop",
            each[0],
            each[1],
            f"{single / batched:.2f}x",
        ),
    ]


def classifiers(encoder: Encoder, folder: Path, rounds: int) -> list[Row]:
    """One pass with all heads against three classifiers of the size others run, at 512 tokens."""
    path = folder / "big.onnx"
    write_big(path)
    session = open_session(path.read_bytes())
    ids = np.random.default_rng(0).integers(1000, 20000, (1, 512))

    def three() -> int:
        for _ in range(3):
            session.run(None, {"input_ids": ids})
        return 1

    ours, theirs = least(max(2, rounds // 10), one_by_one(encoder, texts(2, 512)), three)
    what = "512 tokens: one pass and all heads, to three ModernBERT-base-sized fp32 passes"
    return [Row(what, f"{1e3 * ours:.0f} ms", f"{1e3 * theirs:.0f} ms", ratio(theirs, ours))]


def second_engine(engine: OrtEngine, rounds: int) -> list[Row]:
    """The same weights in openvino: what a pass costs there, and how near each is to no rounding at all."""
    folder = open_folder(SHIPPED)
    try:
        other = open_engine(folder, "openvino", threads=1)
    except EngineMissing as error:
        return [Row("the pass in openvino, to the int8 pass", str(error).partition(":")[0], "", "")]
    rows: list[Row] = []
    for tokens in (16, 64, 512):
        ids = [np.random.default_rng(tokens).integers(1000, 20000, tokens).tolist() for _ in range(4)]
        ours, theirs = least(max(5, rounds // 2), bare(other, ids), bare(engine, ids))
        what = f"{tokens} tokens: the {other.precision} pass, to the int8 pass"
        rows.append(Row(what, f"{1e3 * ours:.2f} ms", f"{1e3 * theirs:.2f} ms", ratio(ours, theirs)))
    exact = OrtEngine(plain_graph(folder.content(GRAPH), dimension=DIMENSION), dimension=DIMENSION)
    return [*rows, *agreement(*(told(joined(folder, each)) for each in (other, engine, exact)))]


def told(model: Model) -> list[Encoding]:
    """What a model tells of each text that the package is evaluated with, one at a time."""
    lines = [line for path in sorted(EVALUATION.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    return [model.read([cut(msgspec.json.decode(line)["text"])])[0].encoding for line in lines]


def agreement(ours: list[Encoding], theirs: list[Encoding], exact: list[Encoding]) -> list[Row]:
    """How often two engines tell what the third tells, and how alike their vectors are."""
    rows: list[Row] = []
    measures: dict[str, Callable[[Encoding, Encoding], float]] = {
        "mean cosine of the vectors": lambda one, other: float(one.embedding @ other.embedding),
        "same domain": lambda one, other: likeliest(one.domains) == likeliest(other.domains),
        "same complexity": lambda one, other: likeliest(one.complexity) == likeliest(other.complexity),
        "same side of jailbreak 0.5": lambda one, other: (one.jailbreak > 0.5) == (other.jailbreak > 0.5),
    }
    for name, measure in measures.items():
        near, other = (np.mean([*map(measure, found, exact)]) for found in (ours, theirs))
        what = f"{len(exact)} texts, {name} as in fp32 arithmetic: openvino, to int8"
        rows.append(Row(what, f"{near:.4f}", f"{other:.4f}", f"{near - other:+.4f}"))
    return rows


def likeliest(probabilities: Mapping[str, float]) -> str:
    """The label with the highest probability."""
    return max(probabilities, key=probabilities.__getitem__)


def peaks(engine: OrtEngine, precise: OrtEngine, peak: Peak, rounds: int) -> list[Row]:
    """How much of what one core can multiply the passes use."""
    rows: list[Row] = []
    for tokens in (64, 128):
        ids = [np.random.default_rng(tokens).integers(1000, 20000, tokens).tolist() for _ in range(4)]
        work = FLOPS_PER_TOKEN * tokens + FLOPS_PER_PAIR * tokens**2
        int8, fp32 = least(rounds, bare(engine, ids), bare(precise, ids))
        for name, spent, limit in (("int8", int8, peak.int8), ("fp32", fp32, peak.fp32)):
            reached = work / spent
            what = f"{tokens} tokens: the {name} pass, to this core's own large {name} matrix product"
            share = f"{100 * reached / limit:.0f}%"
            rows.append(Row(what, f"{reached / 1e9:.0f} Gop/s", f"{limit / 1e9:.0f} Gop/s", share))
    return rows


async def lag(encoder: Encoder, prompts: list[str], clients: int, seconds: float) -> float:
    """99th percentile of how late a 1 ms timer fires while `clients` have prompts read, milliseconds."""
    late: list[float] = []
    end = time.perf_counter() + seconds

    async def client() -> None:
        while prompts and time.perf_counter() < end:
            text = prompts.pop()
            await asyncio.gather(encoder.encode(text), encoder.scan(text))

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client())
        while time.perf_counter() < end:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append(1e3 * (time.perf_counter() - begun) - 1)
    return float(np.quantile(late, 0.99))


def lags(encoder: Encoder, seconds: float) -> list[Row]:
    """How late the event loop runs beside the workers, with half the prompts in Cyrillic."""
    prompts = [text[:32_000] for text in texts(64, 9000, seed=3)]
    prompts = [text.replace("o", "\u043e") if place % 2 else text for place, text in enumerate(prompts)]
    idle = asyncio.run(lag(encoder, [], 0, seconds))
    busy = asyncio.run(lag(encoder, prompts, 4, seconds))
    what = "event loop, p99 lag while prompts of 32,000 characters are encoded and scanned, to idle"
    return [Row(what, f"{busy:.2f} ms", f"{idle:.2f} ms", f"+{busy - idle:.2f} ms")]


def ratio(value: float, base: float) -> str:
    """How many times as much."""
    return f"{value / base:.2f}x"


def table(rows: list[Row]) -> str:
    """As Markdown."""
    lines = [f"| {row.what} | {row.ours} | {row.other} | {row.ratio} |" for row in rows]
    return "\n".join(["| what, to what | ours | other | ratio |", "|---|---|---|---|", *lines])


def write(report: str) -> None:
    """Between the markers of the page, if it has them."""
    text = REPORT.read_text()
    if BEGIN in text and END in text:
        before, _, rest = text.partition(BEGIN)
        _, _, after = rest.partition(END)
        REPORT.write_text(f"{before}{BEGIN}\n\n{report}\n\n{END}{after}")


def measured(folder: Path, rounds: int, seconds: float, *, quick: bool) -> list[Row]:
    """All rows."""
    twin = fp32_twin(folder / "fp32")
    engine = OrtEngine((SHIPPED / GRAPH).read_bytes(), dimension=DIMENSION)
    precise = OrtEngine((twin / GRAPH).read_bytes(), dimension=DIMENSION)
    encoder = Encoder.load(cache_entries=0)
    exact = Encoder.load(directory=twin, cache_entries=0)
    try:
        rows = heads(encoder, engine, rounds) + batching(encoder, exact, rounds)
        rows += [] if quick else classifiers(encoder, folder, rounds)
        rows += second_engine(engine, rounds)
        return rows + peaks(engine, precise, machine_peak(), rounds) + lags(encoder, seconds)
    finally:
        encoder.close()
        exact.close()


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="interleaved; the least counts")
    parser.add_argument("--seconds", type=float, default=5.0, help="of the event loop's lag")
    parser.add_argument("--quick", action="store_true", help="leave out the large classifiers")
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md alone")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measured(Path(folder), args.rounds, args.seconds, quick=args.quick)
    head = f"Measured on {machine()}; CPU time of all threads, least of {args.rounds} interleaved rounds."
    report = f"{head}\n\n{table(rows)}"
    print(report)
    if not args.no_write:
        write(report)


if __name__ == "__main__":
    main()
