"""What choosing by outcomes gains on public benchmark results; writes a table into docs/selection.md.

Run it with `make bench-selection`. The outcomes are of nine public models on 4995 questions of thirteen
benchmarks, with prices per million tokens; a fifth of the questions, chosen by a hash of their text, is held
out.
"""

import argparse
import asyncio
import json
from pathlib import Path

from pointsman.cli.select_train import KS, read_outcomes, train
from pointsman.selection.training import Gain, held_out, judge

PAGE = Path(__file__).parents[1] / "docs" / "selection.md"
START, END = "<!-- measured: bench/selection.py -->\n", "<!-- end -->"


def main() -> None:
    """Train, judge, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="Folder with routing.jsonl.gz and its prices."
    )
    data = parser.parse_args().data
    scores = read_outcomes(data / "routing.jsonl.gz", "query")
    models = json.loads((data / "routing_models.json").read_text())
    prices = {name: (model["price_in"] + model["price_out"]) / 2 for name, model in models.items()}
    outcomes = asyncio.run(train(scores))
    test = held_out(list(scores), 0.2)
    text = _table(judge(outcomes, test, KS, prices), f"{int(test.sum())} of {len(test)}", outcomes.encoder)
    print(text)
    page = PAGE.read_text()
    before, _, rest = page.partition(START)
    PAGE.write_text(before + START + text + END + rest.partition(END)[2])


def _table(gains: tuple[Gain, ...], rows: str, encoder: str) -> str:
    lines = [
        f"Questions held out: {rows}. Encoder: `{encoder}`.\n",
        "| Chosen by | Mean score | As good as any | Mean price |",
        "|---|---|---|---|",
    ]
    lines += [f"| {g.name} | {g.score:.3f} | {g.accuracy:.1%} | {g.price:.3f} |" for g in gains]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
