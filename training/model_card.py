"""The card of the shipped model, from figures alone."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
Figures = Mapping[str, Any]
ORIGINAL_WORDS = 30522
TESTS = ("own test", "fresh test")
RUNS = ("shipped", "held out")

INTRODUCTION = """# Model card: the encoder and its heads

One BERT-family encoder of six layers (384 dimensions), fine-tuned by us from sentence-transformers/all-MiniLM-L6-v2
(Apache-2.0) with {characters:,} Chinese characters and kana added to its vocabulary. One pass gives a sentence
embedding, the domain (14 labels), how much an input looks like an attempt to subvert the model, how much thought it
asks for, and the personal data in it (17 types, token by token). int8, {megabytes:.0f} MB in all, no GPU.

Every number below is written by `make train-report`; none is typed. Two models are measured:

- **shipped**: trained on every training source; measured on two test sets of our own that no training reads
  (`training/evaluation/`, written for this purpose, labels without a second reader). The **fresh test** was written
  later, by an author who saw neither the other set nor the training texts.
- **held out**: the training of the revision before (the same but for `guards_more`, wrapped texts and fewer fills of
  each carrier) without nine of the sources (
  {held}),
  measured on those too. It shows what to expect of text from elsewhere, and is the fairer figure.

Baselines are trained on the held-out model's sources: **frozen** is the original MiniLM with a logistic head,
**words** is TF-IDF over words and pairs with a logistic head.
"""

LIMITS = """## Limits

- The held-out rows are the ones to trust for unfamiliar traffic: exam questions from unseen collections and agent
  contexts with buried instructions (`bipia`) are clearly worse than our own test sets. Scan long documents by windows
  (`scan`), not by one pass.
- Chinese was aligned with a dictionary and some two thousand sentences; long Chinese texts are weaker than English.
  Other languages were only seen in passing.
- `harmful_request` texts count as jailbreak, as the upstream tests expect.
- Complexity follows the rubric its training texts were labelled by: one step, two or three, many. Where the labels
  follow another rubric (the own test) it is no better than the commonest class; treat it as a hint.
- Names, places and organisations come from the model alone. A postal address with its city and postcode is one span, in
  training and in these figures (`training/addresses.py`).
- A document that holds an instruction for the model is told from one that holds instructions for people only in part:
  about half are found where 1% of ordinary prompts are flagged. Keep tools and permissions narrow as well.
- Not all of the test sets are untouched. On the own test, recognisers and the merge rule were changed after looking at its
  misses; borders and merging were later tuned on carriers kept apart for it. Of the fresh test only totals were seen, of
  two earlier revisions.
- int8 sums depend on batch mates: probabilities move a little, and embeddings for storage are made one at a time.

## Data and licences

Sources, sizes and licences are in `training/README.md`. The weights derive from all-MiniLM-L6-v2 (Apache-2.0); training
text includes CC BY-SA material (EXAMS, OpenTriviaQA, Stack Overflow titles, CC-CEDICT glosses) and model-written
text (gpteacher-roleplay, belle-eval, contextual-anonymizer documents, and our own prompts).

## Rebuild

`training/README.md` gives the commands in order. Fine-tuning took about eight minutes on one data-centre GPU.
"""


def write_card(folder: Path, shipped: Figures, held: Figures) -> None:
    """Write ``MODEL_CARD.md`` beside the model."""
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    added = len(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]) - ORIGINAL_WORDS
    sections = [
        INTRODUCTION.format(characters=added, megabytes=size, held=", ".join(held["held"])),
        domain_section(shipped, held),
        guard_section(shipped["guards"], held["guards"]),
        pii_section(folder),
        embedding_section(shipped, held),
        LIMITS,
    ]
    (folder / "MODEL_CARD.md").write_text("\n".join(sections))
    print(f"{folder / 'MODEL_CARD.md'} written")


def domain_section(shipped: Figures, held: Figures) -> str:
    """Accuracy by group and label."""
    ours, theirs = shipped["domain"], held["domain"]
    rows = []
    for name, group in theirs["groups"].items():
        mine = ours["groups"].get(name)
        rows.append(
            [
                name,
                group["rows"],
                number(mine["model"]) if mine else "trained on",
                number(group["model"]),
                number(group["frozen"]),
                number(group["words"]),
            ]
        )
    labels = [
        [label, count, number(precision), number(recall), number(theirs["labels"][label][2])]
        for label, (count, precision, recall) in ours["labels"].items()
    ]
    return "\n".join(
        [
            "## Domain\n",
            table(
                [
                    "macro-F1",
                    "shipped",
                    "held out",
                    "frozen",
                    "words",
                    "calibration error, shipped",
                    "held out",
                ],
                [
                    [
                        name,
                        number(ours["macro_f1"][name]["model"]) if name in ours["macro_f1"] else "trained on",
                        *(number(judged[judge]) for judge in ("model", "frozen", "words")),
                        number(ours["ece"][name]) if name in ours["ece"] else "",
                        number(theirs["ece"][name]),
                    ]
                    for name, judged in theirs["macro_f1"].items()
                ],
            ),
            "",
            table(["accuracy on", "rows", "shipped", "held out", "frozen", "words"], rows),
            "",
            table(["label (both test sets)", "rows", "precision", "recall", "recall, held out"], labels),
            "",
        ]
    )


def guard_section(shipped: Figures, held: Figures) -> str:
    """Recall and false alarms."""
    parts = ["## Jailbreak\n"]
    parts += [
        "Recall of attacks that a user types (documents with buried instructions have their own rows below).\n",
        table(
            ["ordinary prompts flagged", "threshold", *(f"{name}, {run}" for name in TESTS for run in RUNS)],
            [
                [rate.removeprefix("at "), number(shipped[rate]["threshold"])]
                + [number(run[rate]["recall"][name]) for name in TESTS for run in (shipped, held)]
                for rate in ("at 0.01", "at 0.05")
            ],
        ),
        "",
    ]
    fixed, words = shipped["at threshold 0.5"], shipped["keyword list"]
    parts.append(
        f"At a threshold of 0.5: recall {' and '.join(number(each) for each in fixed['recall'].values())}, ordinary "
        f"prompts flagged {number(fixed['ordinary'])}, "
        f"look-alikes {number(fixed['look-alikes'])}. A list of trigger words: recall {number(words['recall'])}, "
        f"ordinary {number(words['ordinary'])}.\n"
    )
    rows = []
    for name, (count, flagged) in held["at 0.01"]["kinds"].items():
        mine = shipped["at 0.01"]["kinds"].get(name)
        rows.append([name, count, number(mine[1]) if mine else "trained on", number(flagged)])
    parts.append(table(["share flagged, at 1% of ordinary prompts", "rows", "shipped", "held out"], rows))
    return "\n".join([*parts, ""])


def pii_section(folder: Path) -> str:
    """Spans found: recognisers alone, the model alone, both."""
    parts = ["## Personal data\n"]
    for name, path in (("fresh test", "fresh_pii"), ("own test", "pii")):
        command = [
            sys.executable,
            str(HERE / "pii_eval.py"),
            str(HERE / f"evaluation/{path}.jsonl"),
            "--model",
            str(folder),
        ]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()  # noqa: S603  # ours
        parts += [
            f"Span F1 on the {name} set, strict and partial.\n",
            *(x for x in lines if x.startswith("|")),
            "",
        ]
    return "\n".join(parts)


def embedding_section(shipped: Figures, held: Figures) -> str:
    """Similarity against the original, and complexity."""
    names = ("spearman", "cosine to the original, mean", "same nearest", "nearest among the original's five")
    rows = [[name, number(shipped["embedding"][name]), number(held["embedding"][name])] for name in names]
    efforts = [
        [
            name,
            each["rows"],
            *(number(each[key]) for key in ("accuracy", "within one", "always the commonest")),
        ]
        for name, each in shipped["complexity"].items()
    ]
    return "\n".join(
        [
            "## Embedding\n",
            f"Similarities of {shipped['embedding']['texts']} English texts against the original model in fp32.\n",
            table(["", "shipped", "held out"], rows),
            "\n## Complexity\n",
            "Agreement with the authors' easy, medium or hard.\n",
            table(["", "texts", "the same", "within one step", "always the commonest"], efforts),
            "",
        ]
    )


def table(head: list[str], rows: Iterable[list[Any]]) -> str:
    """Markdown."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def number(value: float) -> str:
    """Three decimals."""
    return f"{value:.3f}"
