"""Measure a packaged model and write its card: every number here comes from this script.

    python training/report_model.py                                   # the shipped model on our own test sets
    python training/report_model.py --model DIR --held a,b --save runs/held-out.json

A model trained with sources held out is measured on them and its figures are kept in ``runs/``; the shipped
model, trained on all sources, is measured on the test sets that no training reads (``evaluation/``).
"""

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from assemble import PROMPTS
from build_onnx import packaged
from plain_encoder import PlainEncoder
from pointsman.encoder import Encoder

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "src/pointsman/encoder/model"
PER_SOURCE = 600
TESTS = {"own test": "", "fresh test": "fresh_"}
"""Our own test sets, and what their files begin with."""
TRIGGERS = (
    "ignore",
    "jailbreak",
    "developer mode",
    "system prompt",
    "act as",
    "pretend",
    "no rules",
    "bypass",
)
Row = dict[str, Any]
Figures = dict[str, Any]
Floats = NDArray[np.float64]


def main() -> None:
    """Measure; write the card, or keep the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared/data")
    parser.add_argument("--held", default="", help="shared sources this model never saw, comma separated")
    parser.add_argument("--save", type=Path, help="keep the figures here instead of writing the card")
    options = parser.parse_args()
    held = set(filter(None, options.held.split(",")))
    encoder = Encoder.load(directory=options.model)
    try:
        figures = measured(encoder, options, held)
    finally:
        encoder.close()
    if options.save:
        options.save.parent.mkdir(parents=True, exist_ok=True)
        options.save.write_text(json.dumps(figures, indent=1) + "\n")
        print(json.dumps(figures, indent=1))
        return
    from model_card import write_card  # noqa: PLC0415  # the card needs the figures, not the other way round

    write_card(options.model, figures, json.loads((HERE / "runs/held-out.json").read_text()))


def measured(encoder: Encoder, options: argparse.Namespace, held: set[str]) -> Figures:
    """All figures of one model."""
    baseline = Baseline(options.data, held)
    return {
        "identity": encoder.identity,
        "held": sorted(held),
        "domain": domains(encoder, baseline, [*own("domain"), *sampled(options.data, "domain", held)]),
        "guards": guards(encoder, [*own("guards"), *sampled(options.data, "jailbreak", held)]),
        "complexity": {name: complexity(encoder, local(name, "domain")) for name in TESTS},
        "embedding": embeddings(encoder, [row["text"] for row in own("domain") if row["lang"] == "en"]),
    }


def own(task: str) -> list[Row]:
    """All our own test sets of a task."""
    return [row for name in TESTS for row in local(name, task)]


def local(name: str, task: str) -> list[Row]:
    """One of our own test sets."""
    lines = (HERE / "evaluation" / f"{TESTS[name]}{task}.jsonl").read_text().splitlines()
    return [{"source": name, **json.loads(line)} for line in lines]


def sampled(data: Path, name: str, sources: set[str]) -> Iterator[Row]:
    """Rows of the given sources, evenly spaced, at most ``PER_SOURCE`` each."""
    groups: dict[str, list[Row]] = defaultdict(list)
    with gzip.open(data / f"{name}.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            if row["source"] in sources:
                groups[row["source"]].append(row)
    for rows in groups.values():
        yield from rows[:: max(1, len(rows) // PER_SOURCE)][:PER_SOURCE]


class Baseline:
    """Frozen MiniLM with a logistic head, and bags of words, on the same training sources."""

    def __init__(self, data: Path, held: set[str], rows: int = 9000) -> None:
        train: list[Row] = []
        with gzip.open(data / "domain.jsonl.gz", "rt") as lines:
            train = [row for row in map(json.loads, lines) if row["source"] not in held]
        for name in PROMPTS:
            text = (HERE / "authored" / f"{name}.jsonl").read_text()
            train += [json.loads(line) for line in text.splitlines()]
        train = train[:: max(1, len(train) // rows)]
        texts, labels = [row["text"] for row in train], [row["label"] for row in train]
        self.frozen = PlainEncoder(load_file(packaged("model.safetensors")), packaged("tokenizer.json"))
        print(f"baseline: embedding {len(texts):,} texts with the frozen encoder", flush=True)
        self.head = LogisticRegression(max_iter=400, C=10).fit(self.frozen.embed(texts), labels)
        self.words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
        self.bag = LogisticRegression(max_iter=400, C=10).fit(self.words.fit_transform(texts), labels)

    def predictions(self, texts: list[str]) -> dict[str, list[str]]:
        """Both baselines' labels."""
        return {
            "frozen": list(self.head.predict(self.frozen.embed(texts))),
            "words": list(self.bag.predict(self.words.transform(texts))),
        }


def domains(encoder: Encoder, baseline: Baseline, rows: list[Row]) -> Figures:
    """Accuracy by group, macro-F1, calibration, beside the baselines."""
    found = [encoder.encode_now(row["text"]).domains for row in rows]
    ours = [max(each, key=each.__getitem__) for each in found]
    sure = np.array([max(each.values()) for each in found])
    truth = [row["label"] for row in rows]
    judges = {"model": ours, **baseline.predictions([row["text"] for row in rows])}
    ownest = [index for index, row in enumerate(rows) if row["source"] in TESTS]
    figures: Figures = {"groups": {}, "labels": {}, "macro_f1": {}, "ece": {}}
    for name, members in grouped(rows, group_of):
        figures["groups"][name] = {"rows": len(members)} | {
            judge: share(truth[i] == labels[i] for i in members) for judge, labels in judges.items()
        }
    for label in encoder.labels:
        members = [i for i in ownest if truth[i] == label]
        said = [i for i in ownest if ours[i] == label]
        right = sum(ours[i] == label for i in members)
        figures["labels"][label] = [len(members), right / max(1, len(said)), right / len(members)]
    sets = {name: [i for i, row in enumerate(rows) if row["source"] == name] for name in TESTS}
    sets["held-out sources"] = [i for i in range(len(rows)) if i not in set(ownest)]
    for name, members in sets.items():
        if not members:
            continue
        right = np.array([truth[i] == ours[i] for i in members])
        figures["ece"][name] = calibration_error(sure[members], right)
        figures["macro_f1"][name] = {
            judge: f1_score([truth[i] for i in members], [labels[i] for i in members], average="macro")
            for judge, labels in judges.items()
        }
    return figures


def group_of(row: Row) -> str:
    """How rows are shown: our own by kind and language, others by source."""
    if row["source"] not in TESTS:
        return str(row["source"])
    return f"{row['source']}: {'Chinese' if row['lang'] == 'zh' else row['kind']}"


def guards(encoder: Encoder, rows: list[Row]) -> Figures:
    """Recall at fixed shares of flagged ordinary prompts, and what is flagged of each kind."""
    score = np.array([encoder.encode_now(row["text"]).jailbreak for row in rows])
    words = np.array([any(word in row["text"].lower() for word in TRIGGERS) for row in rows])
    bad = np.array([row["label"] == "jailbreak" for row in rows])
    own = np.array([row["source"] in TESTS for row in rows])
    plain = np.array([row["kind"] == "ordinary" for row in rows])
    buried = np.array([row["kind"] == "indirect_injection" for row in rows])
    sets = {name: np.array([row["source"] == name for row in rows]) & bad & ~buried for name in TESTS}
    figures: Figures = {
        "keyword list": {"recall": float(words[bad & own].mean()), "ordinary": float(words[plain].mean())}
    }
    for rate in (0.01, 0.05):
        bar = float(np.quantile(score[plain], 1 - rate))
        kinds = {
            name: [len(members), float((score[members] > bar).mean())]
            for name, members in grouped(rows, lambda row: f"{row['source']}: {row['kind']}")
        }
        figures[f"at {rate:g}"] = {
            "threshold": bar,
            "recall": {name: float((score[mask] > bar).mean()) for name, mask in sets.items()},
            "kinds": kinds,
        }
    figures["at threshold 0.5"] = {
        "recall": {name: float((score[mask] > 0.5).mean()) for name, mask in sets.items()},
        "ordinary": float((score[plain] > 0.5).mean()),
        "look-alikes": float((score[own & ~bad & ~plain] > 0.5).mean()),
    }
    return figures


def complexity(encoder: Encoder, rows: list[Row]) -> Figures:
    """Agreement with the authors' judgement, and with it within one step."""
    order = ("easy", "medium", "hard")
    said = [encoder.encode_now(row["text"]).complexity for row in rows]
    top = [order.index(max(each, key=each.__getitem__)) for each in said]
    truth = [order.index(row["difficulty"]) for row in rows]
    pairs = list(zip(top, truth, strict=True))
    most = max(order, key=lambda name: truth.count(order.index(name)))
    return {
        "rows": len(rows),
        "accuracy": share(a == b for a, b in pairs),
        "within one": share(abs(a - b) <= 1 for a, b in pairs),
        "always the commonest": truth.count(order.index(most)) / len(truth),
    }


def embeddings(encoder: Encoder, texts: list[str]) -> Figures:
    """How far similarity is what the original model says."""
    frozen = PlainEncoder(load_file(packaged("model.safetensors")), packaged("tokenizer.json"))
    theirs = frozen.embed(texts)
    ours = np.stack([encoder.encode_now(text).embedding for text in texts])
    upper = np.triu_indices(len(texts), 1)
    mine, original = ours @ ours.T, theirs @ theirs.T
    ranks = [np.argsort(np.argsort(each[upper])).astype(np.float64) for each in (mine, original)]
    for each in (mine, original):
        np.fill_diagonal(each, -1)
    best = np.argsort(-original, axis=1)[:, :5]
    return {
        "texts": len(texts),
        "spearman": float(np.corrcoef(*ranks)[0, 1]),
        "cosine to the original, mean": float((ours * theirs).sum(1).mean()),
        "same nearest": float((mine.argmax(1) == original.argmax(1)).mean()),
        "nearest among the original's five": float((best == mine.argmax(1)[:, None]).any(1).mean()),
    }


def calibration_error(sure: Floats, right: NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins (Guo et al. 2017, arXiv 1706.04599)."""
    bins = np.clip((sure * 10).astype(int), 0, 9)
    parts = [bins == number for number in range(10)]
    return float(
        sum(abs(sure[part].mean() - right[part].mean()) * part.mean() for part in parts if part.any())
    )


def grouped(rows: list[Row], key: Callable[[Row], str]) -> list[tuple[str, list[int]]]:
    """Indexes by group, in order of name."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[key(row)].append(index)
    return sorted(groups.items())


def share(outcomes: Iterable[bool]) -> float:
    """The share that is true."""
    listed = list(outcomes)
    return sum(listed) / len(listed)


if __name__ == "__main__":
    main()
