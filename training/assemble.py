"""Gather everything the fine-tuning reads into one folder: examples, translation pairs, vocabulary, weights.

Sources: the shared labelled data (``--data``), our own prompts (``authored/``), WordNet terms and CC-CEDICT
glosses (``--words``, a folder with the unpacked Debian package and the dictionary). The result travels to the
machine with the GPU as it is.
"""

import argparse
import gzip
import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

import carriers
import lexicon
from addresses import whole
from build_onnx import packaged

HERE = Path(__file__).parent
SEED = 20260801
HARD, EASY = 0.35, 0.8
"""Mean score of nine models below which a question counts as hard, above which as easy."""
PROMPTS = ("sciences", "society", "chinese", "exam_sciences", "exam_society", "conversations")
"""Our own prompts by subject."""
TESTS = {"": "test-authored", "fresh_": "test-fresh"}
"""Our own test sets: what their files begin with, and the source they are held out as."""
FILLS = 10
"""Texts made of each carrier of personal data."""
APART, HELD_CARRIERS = 12, "test-carriers"
"""Every how-manieth carrier is not trained on, and as what it is held out."""
CHARACTERS = 7000
GLOSSES = 3
Row = dict[str, Any]


def main() -> None:
    """Write examples.jsonl.gz, pairs.jsonl.gz, tokenizer.json and start.npz."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=HERE.parent.parent / "shared/data")
    parser.add_argument("--words", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=HERE / "cache/multitask")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    examples = [*domains(options), *guards(options), *entities(options), *difficulties(options)]
    pairs = list(translations(options))
    write(options.out / "examples.jsonl.gz", examples)
    write(options.out / "pairs.jsonl.gz", pairs)
    print(Counter((row["task"], row["source"].partition(":")[0]) for row in examples))
    added = extend_vocabulary(options, examples, pairs)
    start(options.out / "start.npz")
    print(f"{len(examples):,} examples, {len(pairs):,} pairs, {added:,} characters added")


def shared(options: argparse.Namespace, name: str) -> Iterator[Row]:
    """Rows of a shared file."""
    with gzip.open(options.data / f"{name}.jsonl.gz", "rt") as lines:
        yield from map(json.loads, lines)


def local(folder: str, name: str) -> Iterator[Row]:
    """Rows of one of our own files."""
    with (HERE / folder / f"{name}.jsonl").open() as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def domains(options: argparse.Namespace) -> Iterator[Row]:
    """Texts with one of the 14 labels."""
    keep = ("text", "label", "source", "kind", "lang")
    for row in shared(options, "domain"):
        yield {"task": "domain", **{key: row[key] for key in keep}}
    for name in PROMPTS:
        for row in local("authored", name):
            yield {"task": "domain", "source": f"authored-{name}", **{k: row[k] for k in keep if k in row}}
    for name, source in TESTS.items():
        for row in local("evaluation", f"{name}domain"):
            yield {"task": "domain", "source": source, **{k: row[k] for k in keep if k in row}}
    for text, label in lexicon.prompts(options.words / "wordnet", SEED):
        yield {
            "task": "domain",
            "text": text,
            "label": label,
            "source": "wordnet",
            "kind": "short",
            "lang": "en",
        }


def guards(options: argparse.Namespace) -> Iterator[Row]:
    """Benign and subverting prompts."""
    keep = ("text", "label", "source", "kind", "lang")
    for row in shared(options, "jailbreak"):
        yield {"task": "jailbreak", **{key: row[key] for key in keep}}
    for name in ("guards", "guards_more", "buried"):
        for row in local("authored", name):
            yield {"task": "jailbreak", **row, "source": f"authored-{name}"}
    for name, source in TESTS.items():
        for row in local("evaluation", f"{name}guards"):
            yield {"task": "jailbreak", **row, "source": source}


def entities(options: argparse.Namespace) -> Iterator[Row]:
    """Texts with spans of personal data; ``annotated`` lists the labels that were looked for."""
    keep = ("text", "spans", "source", "split", "lang", "annotated")
    for row in shared(options, "pii"):
        yield {"task": "pii", **{key: row[key] for key in keep}, "spans": whole(row["text"], row["spans"])}
    paths = [HERE / "authored" / f"pii_{name}.jsonl" for name in ("english", "other")]
    for path in paths:
        yield from filled(path)
    for name, source in TESTS.items():
        for row in local("evaluation", f"{name}pii"):
            spans = whole(row["text"], row["spans"])
            yield {"task": "pii", "annotated": None, "split": "test", **row, "spans": spans, "source": source}


def filled(path: Path) -> Iterator[Row]:
    """Texts made of carriers; every twelfth carrier is kept apart, to set thresholds by."""
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    for source, chosen in (
        ("authored-pii", [line for at, line in enumerate(lines) if at % APART]),
        (HELD_CARRIERS, lines[::APART]),
    ):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write("\n".join(chosen))
            file.flush()
            for row in carriers.rows([Path(file.name)], SEED, FILLS):
                yield {"task": "pii", **row, "source": source}


def difficulties(options: argparse.Namespace) -> Iterator[Row]:
    """Texts with easy, medium or hard: our own judgement, and how many of nine models answered."""
    for folder, name, source in (
        *(("authored", name, f"authored-{name}") for name in PROMPTS),
        *(("evaluation", f"{name}domain", source) for name, source in TESTS.items()),
    ):
        for row in local(folder, name):
            yield {"task": "complexity", "text": row["text"], "label": row["difficulty"], "source": source}
    for row in shared(options, "routing"):
        mean = sum(row["scores"].values()) / len(row["scores"])
        label = "hard" if mean < HARD else "easy" if mean > EASY else "medium"
        if row["task"] not in {
            "natural_qa",
            "trivia_qa",
        }:  # hard for lack of knowledge, not for want of thought
            text = re.sub(r"^Q: |\s*A:\s*$", "", row["query"])
            yield {"task": "complexity", "text": text, "label": label, "source": f"routing:{row['task']}"}


def translations(options: argparse.Namespace) -> Iterator[Row]:
    """Chinese and its English meaning: dictionary entries and our own sentences."""
    with gzip.open(options.words / "cedict.txt.gz", "rt") as lines:
        for line in lines:
            match = re.match(r"(\S+) (\S+) \[[^\]]*\] /(.*)/$", line.strip())
            if match is None or line.startswith("#"):
                continue
            traditional, simplified, meaning = match.groups()
            glosses = [
                g for g in meaning.split("/") if not re.match(r"CL:|variant of|old variant|surname ", g)
            ]
            if glosses:
                english = re.sub(
                    r"\[[a-z0-9: ]+\]|[^\x00-\x7f]+\|?", "", "; ".join(glosses[:GLOSSES])
                ).strip()
                yield {"zh": simplified, "en": english, "weight": 1.0}
                if traditional != simplified:
                    yield {"zh": traditional, "en": english, "weight": 0.3}
    for row in local("authored", "chinese_pairs"):
        yield {"zh": row["zh"], "en": row["en"], "weight": 20.0}


def extend_vocabulary(options: argparse.Namespace, examples: list[Row], pairs: list[Row]) -> int:
    """Add the most used Chinese characters and kana that the tokenizer does not know; returns how many."""
    document = json.loads(packaged("tokenizer.json").read_text())
    document["padding"] = document["truncation"] = None
    vocabulary: dict[str, int] = document["model"]["vocab"]
    seen: Counter[str] = Counter()
    for row in examples:
        seen.update(set(row["text"]))
    for row in pairs:
        seen.update(dict.fromkeys(set(row["zh"]), row["weight"]))
    wanted = [c for c, _ in seen.most_common() if "\u3040" <= c <= "\u30ff" or "\u4e00" <= c <= "\u9fff"]
    added = [c for c in wanted if c not in vocabulary][:CHARACTERS]
    for character in added:
        vocabulary[character] = len(vocabulary)
    (options.out / "tokenizer.json").write_text(
        json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    )
    return len(added)


def start(path: Path) -> None:
    """The original weights, half precision: the teacher and where the student begins."""
    weights = load_file(packaged("model.safetensors"))
    table = weights.pop("embeddings.word_embeddings.weight")
    scale = np.abs(table).max(axis=1, keepdims=True) / 127
    small = {name: value.astype(np.float16) for name, value in weights.items() if value.dtype == np.float32}
    np.savez_compressed(
        path, table=np.round(table / scale).astype(np.int8), scale=scale.astype(np.float32), **small
    )


def write(path: Path, rows: list[Row]) -> None:
    """JSON lines, shuffled once so that any prefix is a fair sample."""
    random.Random(SEED).shuffle(rows)
    with gzip.open(path, "wt") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


if __name__ == "__main__":
    main()
