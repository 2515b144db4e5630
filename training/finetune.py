"""Fine-tune the student on a GPU: align Chinese, then all heads at once while the embedding stays put.

    python finetune.py --folder cache/multitask --out OUT --hold medquad,legalbench,...

Sources in ``--hold`` are never trained on and are measured at the end, as is everything called ``test-*``.
"""

import argparse
import gzip
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from augment import rewritten, wrapped
from student import Student, embedding, original, vocabulary_size
from student_labels import DOMAINS, SEQUENCE_LABELS, TAGS

Row = dict[str, Any]
Batch = dict[str, Tensor]
SEED = 20260801
WORKERS = max(0, (os.cpu_count() or 1) - 2)
KNOWN_WORDS = 30522
BOOST = {
    "authored": 3.0,
    "own-templates": 0.45,
    "wordnet": 0.6,
    "domain": 0.5,
    "exams-qa": 0.7,
}
SIZES = {"domain": 208, "jailbreak": 112, "pii": 144, "complexity": 64}
KEEP, PAIRS = 192, 160
KEPT_WEIGHT = 2.5
"""What the embedding of English weighs: the heads would bend it otherwise."""
WRAPPED = 0.08
"""Share of the guards' texts that stand in a quote, a code block or JSON: what wraps a text says nothing."""
LENGTHS = {"task": 160, "kept": 96, "zh": 40, "en": 48}
"""Tokens; what is longer is cut."""
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Source:
    """Draws rows of one task, each source in proportion to a power of its size."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        groups: dict[str, list[int]] = defaultdict(list)
        for index, row in enumerate(rows):
            groups[row["source"]].append(index)
        self.groups = list(groups.values())
        self.weights = [len(g) ** 0.65 * boost(name) for name, g in groups.items()]

    def draw(self, count: int, chance: random.Random) -> list[Row]:
        """Rows, with replacement."""
        picked = chance.choices(self.groups, self.weights, k=count)
        return [self.rows[chance.choice(group)] for group in picked]


def boost(source: str) -> float:
    """How much more, or less, a source is drawn."""
    return next((value for name, value in BOOST.items() if source.startswith(name)), 1.0)


class Encoder:
    """Texts to padded ids."""

    def __init__(self, path: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(path))

    def ids(self, texts: list[str], limit: int) -> Tensor:
        """(texts, longest), zero where there is nothing."""
        return padded(
            [[*e.ids[: limit - 1], 102] if len(e.ids) > limit else e.ids for e in self.encode(texts)]
        )

    def encode(self, texts: list[str], *, offsets: bool = False) -> list[Any]:
        """The tokenizer's own result; the fast way knows no offsets."""
        run = self.tokenizer.encode_batch if offsets else self.tokenizer.encode_batch_fast
        return run([text[:4000] or "." for text in texts])


def padded(rows: list[list[int]], fill: int = 0) -> Tensor:
    """Rows of different length as one tensor."""
    out = np.full((len(rows), max(map(len, rows))), fill, np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return torch.from_numpy(out)


def tags(row: Row, encoding: Any, limit: int) -> list[int]:
    """A tag per token; -100 where it is not known."""
    out = [0] * min(len(encoding.ids), limit)
    if row.get("annotated") is not None:
        # Only some labels were looked for: what holds a digit may be a date or a number that was not.
        pieces = [row["text"][start:end] for start, end in encoding.offsets]
        out = [-100 if any(c.isdigit() for c in piece) else 0 for piece in pieces[: len(out)]]
    for span in row["spans"]:
        inside = False
        for at, (start, end) in enumerate(encoding.offsets[: len(out)]):
            if start < span["end"] and end > span["start"] and end > start:
                out[at] = TAGS.index(f"{'I' if inside else 'B'}-{span['label']}")
                inside = True
    out[0] = out[-1] = -100
    return out


class Batches(Dataset[dict[str, Any]]):
    """Step by step, everything one step needs; the same for the same seed however many workers make it."""

    def __init__(
        self, folder: Path, rows: dict[str, list[Row]], pairs: list[Row], *, steps: int, align: bool
    ) -> None:
        self.encoder = Encoder(folder / "tokenizer.json")
        self.tasks = {task: Source(rows[task]) for task in SIZES}
        self.pairs, self.pair_weights = pairs, np.cumsum([row["weight"] for row in pairs])
        texts = [
            row["text"]
            for task in ("domain", "pii", "jailbreak")
            for row in rows[task]
            if row["text"].isascii()
        ]
        self.plain = [text[:600] for text in texts]
        self.steps, self.align = steps, align

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, number: int) -> dict[str, Any]:
        chance = random.Random(SEED + 2 * number + self.align)
        count = 3 if self.align else 1
        step: dict[str, Any] = {
            "kept": self.kept(chance),
            "pairs": [self.aligned(chance) for _ in range(count)],
        }
        if not self.align:
            step |= {task: self.sequence(task, chance) for task in SEQUENCE_LABELS}
            step["pii"] = self.entities(chance)
        return step

    def sequence(self, task: str, chance: random.Random) -> tuple[Tensor, Tensor]:
        """Ids and labels for a sequence head."""
        rows = self.tasks[task].draw(SIZES[task], chance)
        if task == "jailbreak":  # ordinary prompts of every subject are benign
            plain = [*self.tasks["domain"].draw(48, chance), *self.tasks["pii"].draw(32, chance)]
            rows = [*rows, *({"text": row["text"], "label": "benign"} for row in plain)]
        texts = [varied(task, row, chance) for row in rows]
        labels = SEQUENCE_LABELS[task]
        return self.encoder.ids(texts, LENGTHS["task"]), torch.tensor(
            [labels.index(row["label"]) for row in rows]
        )

    def entities(self, chance: random.Random) -> tuple[Tensor, Tensor]:
        """Ids and tags for the token head."""
        rows = self.tasks["pii"].draw(SIZES["pii"], chance)
        encodings = self.encoder.encode([row["text"] for row in rows], offsets=True)
        ids = padded([e.ids[: LENGTHS["task"]] for e in encodings])
        return ids, padded(
            [tags(row, e, LENGTHS["task"]) for row, e in zip(rows, encodings, strict=True)], fill=-100
        )

    def kept(self, chance: random.Random) -> Tensor:
        """English texts whose embedding must stay."""
        return self.encoder.ids(chance.choices(self.plain, k=KEEP), LENGTHS["kept"])

    def aligned(self, chance: random.Random) -> tuple[Tensor, Tensor]:
        """Chinese ids and the English ids they should embed like; some joined to the length of a sentence."""
        zh, en = [], []
        for _ in range(PAIRS):
            points = [chance.random() * self.pair_weights[-1] for _ in range(chance.choice((1, 1, 1, 2, 3)))]
            rows = [self.pairs[int(i)] for i in np.searchsorted(self.pair_weights, points)]
            zh.append("，".join(row["zh"] for row in rows))
            en.append("; ".join(row["en"] for row in rows))
        return self.encoder.ids(zh, LENGTHS["zh"]), self.encoder.ids(en, LENGTHS["en"])

    def stream(self) -> Iterator[dict[str, Any]]:
        """All steps in order, made ahead by workers."""
        yield from DataLoader(
            self, batch_size=None, num_workers=WORKERS, prefetch_factor=4 if WORKERS else None
        )


def varied(task: str, row: Row, chance: random.Random) -> str:
    """A variant that keeps the label."""
    text = row["text"]
    if task == "jailbreak" and len(text) > 400 and chance.random() < 0.6:
        # Guards read small windows: benign ones anywhere, subverting ones from their beginning.
        at = 0 if row["label"] == "jailbreak" else chance.randrange(len(text) - 200)
        text = text[at : at + chance.randrange(200, 700)]
    if task == "jailbreak" and chance.random() < WRAPPED:
        return wrapped(text, chance)
    return text if task == "complexity" else rewritten(text, chance)


def likeness(student: Tensor, teacher: Tensor) -> Tensor:
    """Each embedding near its target, and the similarities within the batch as they were."""
    direct = (1 - (student * teacher).sum(-1)).mean()
    return 6 * direct + 20 * functional.mse_loss(student @ student.T, teacher @ teacher.T)


def train(student: Student, teacher: Student, batches: Batches) -> None:
    """One stage; the averaged weights replace the last ones at its end."""
    steps, align = batches.steps, batches.align
    words = [p for n, p in student.named_parameters() if n == "words.weight"]
    heads = [p for n, p in student.named_parameters() if n.startswith("heads.")]
    body = [p for n, p in student.named_parameters() if n != "words.weight" and not n.startswith("heads.")]
    rates = (1e-3, 1e-4, 0.0) if align else (1e-4, 1e-4, 1e-3)
    groups = [{"params": p, "lr": lr} for p, lr in zip((words, body, heads), rates, strict=True)]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda s: min(1, (s + 1) / 200) * max(0.02, 1 - s / steps)
    )
    average = {name: value.detach().clone() for name, value in student.state_dict().items()}
    student.train()
    started = time.time()
    for number, step in enumerate(batches.stream()):
        with torch.autocast(DEVICE, torch.bfloat16):
            losses = step_losses(student, teacher, step)
            loss = sum(losses.values(), torch.zeros((), device=DEVICE))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        decay = min(0.999, (number + 1) / (number + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(average.values()), list(student.state_dict().values()), 1 - decay)
        if number % 250 == 0 or number == steps - 1:
            shown = "  ".join(f"{name} {value.item():.3f}" for name, value in losses.items())
            print(
                f"{'align' if align else 'tasks'} {number:5d}  {time.time() - started:5.0f} s  {shown}",
                flush=True,
            )
    student.load_state_dict(average)


def step_losses(student: Student, teacher: Student, step: dict[str, Any]) -> dict[str, Tensor]:
    """Every part of one step, in few passes: small kernels cost more to start than to run."""
    kept, pairs = step["kept"], step["pairs"]
    zh, en = ([part[side] for part in pairs] for side in (0, 1))
    with torch.no_grad():
        targets = taught(teacher, stacked([kept, *en]).to(DEVICE))
    ours = embedding(*student(stacked([kept, *zh]).to(DEVICE)))
    losses = {"kept": KEPT_WEIGHT * likeness(ours[: len(kept)], targets[: len(kept)])}
    parts = zip(ours[len(kept) :].split(PAIRS), targets[len(kept) :].split(PAIRS), strict=True)
    losses["pairs"] = 0.4 * sum((likeness(*part) for part in parts), torch.zeros((), device=DEVICE))
    if "pii" in step:
        losses |= task_losses(student, {task: step[task] for task in (*SEQUENCE_LABELS, "pii")})
    return losses


def task_losses(student: Student, tasks: dict[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """All heads on one pass."""
    hidden, mask = student(stacked([ids for ids, _ in tasks.values()]).to(DEVICE))
    sizes = [len(ids) for ids, _ in tasks.values()]
    losses: dict[str, Tensor] = {}
    for (task, (_, wanted)), part, there in zip(
        tasks.items(), hidden.split(sizes), mask.split(sizes), strict=True
    ):
        wanted = wanted.to(DEVICE)  # noqa: PLW2901  # the same labels, where the logits are
        if task == "pii":
            logits = student.heads["pii"](part[:, : wanted.shape[1]]).float()
            losses[task] = 2 * functional.cross_entropy(
                logits.flatten(0, 1), wanted.flatten(), ignore_index=-100
            )
            continue
        logits = student.logits(task, part, there).float()
        losses[task] = functional.cross_entropy(logits, wanted, label_smoothing=0.05)
        if task == "domain":
            each = functional.one_hot(wanted, len(DOMAINS)).float()
            losses["each"] = functional.binary_cross_entropy_with_logits(logits, each) * 2
        if task == "complexity":
            losses[task] = losses[task] * 0.3
    return losses


def stacked(parts: list[Tensor]) -> Tensor:
    """Batches of different length as one."""
    longest = -(-max(part.shape[1] for part in parts) // 16) * 16  # the fast attention wants aligned lengths
    return torch.cat([functional.pad(part, (0, longest - part.shape[1])) for part in parts])


@torch.no_grad()
def taught(teacher: Student, ids: Tensor) -> Tensor:
    """The original embedding; what it has no word for it reads as unknown."""
    return embedding(*teacher(torch.where(ids >= KNOWN_WORDS, 100, ids)))


@torch.no_grad()
def predicted(student: Student, encoder: Encoder, texts: list[str], task: str) -> Tensor:
    """Logits of a sequence head for texts."""
    student.eval()
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = torch.zeros(len(texts), len(SEQUENCE_LABELS[task]))
    for at in range(0, len(order), 256):
        part = order[at : at + 256]
        ids = encoder.ids([texts[i] for i in part], 256).to(DEVICE)
        with torch.autocast(DEVICE, torch.bfloat16):
            out[part] = student.logits(task, *student(ids)).float().cpu()
    return out


def measure(student: Student, encoder: Encoder, rows: dict[str, list[Row]]) -> dict[str, Any]:
    """A quick look on what was held out; the figures that count are measured on the packaged model."""
    report: dict[str, Any] = {}
    for task in ("domain", "complexity"):
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in rows[task]:
            groups[f"{row['source'].partition(':')[0]}/{row.get('kind', '')}/{row.get('lang', 'en')}"].append(
                row
            )
        for name, members in sorted(groups.items()):
            logits = predicted(student, encoder, [row["text"] for row in members], task)
            right = [
                SEQUENCE_LABELS[task][i] == r["label"]
                for i, r in zip(logits.argmax(-1).tolist(), members, strict=True)
            ]
            report[f"{task} {name}"] = [round(sum(right) / len(right), 3), len(right)]
    members = rows["jailbreak"]
    if len(members) > 50:
        score = (
            predicted(student, encoder, [row["text"] for row in members], "jailbreak")
            .softmax(-1)[:, 1]
            .numpy()
        )
        bad = np.array([row["label"] == "jailbreak" for row in members])
        plain = np.array(
            [row["label"] == "benign" and row["kind"] in {"benign", "ordinary"} for row in members]
        )
        for rate in (0.01, 0.05):
            bar = np.quantile(score[plain], 1 - rate)
            report[f"jailbreak recall at {rate}"] = [
                round(float((score[bad] > bar).mean()), 3),
                int(bad.sum()),
                round(float(bar), 4),
            ]
            for kind in sorted({row["kind"] for row in members}):
                mask = np.array([row["kind"] == kind for row in members])
                report[f"jailbreak flagged at {rate}: {kind}"] = [
                    round(float((score[mask] > bar).mean()), 3),
                    int(mask.sum()),
                ]
    return report


def save(student: Student, path: Path) -> None:
    """Weights in half precision, the word table in int8 per row (as it ships)."""
    state = {name: value.detach().float().cpu().numpy() for name, value in student.state_dict().items()}
    table = state.pop("words.weight")
    scale = np.abs(table).max(axis=1, keepdims=True) / 127
    np.savez_compressed(path, table=np.round(table / scale).astype(np.int8), scale=scale.astype(np.float32),
                        **{name: value.astype(np.float16) for name, value in state.items()})  # fmt: skip


def divide(path: Path, size: int = 15 << 20) -> None:
    """In pieces that can be carried."""
    content = path.read_bytes()
    for index, at in enumerate(range(0, len(content), size)):
        path.with_name(f"{path.stem}.{index}").write_bytes(content[at : at + size])
    path.unlink()


def load(
    folder: Path, held: Callable[[Row], bool]
) -> tuple[dict[str, list[Row]], dict[str, list[Row]], list[Row]]:
    """Rows to train on, rows held out, translation pairs."""
    seen: dict[str, list[Row]] = defaultdict(list)
    hidden: dict[str, list[Row]] = defaultdict(list)
    with gzip.open(folder / "examples.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            (hidden if held(row) else seen)[row["task"]].append(row)
    with gzip.open(folder / "pairs.jsonl.gz", "rt") as lines:
        pairs = [json.loads(line) for line in lines]
    return seen, hidden, pairs


def main() -> None:
    """Both stages, then a report and the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("cache/multitask"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="student")
    parser.add_argument("--hold", default="", help="sources to hold out, comma separated")
    parser.add_argument("--align-steps", type=int, default=3000)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--resume", type=Path, help="aligned weights of an earlier run (.pt)")
    options = parser.parse_args()
    torch.manual_seed(7)
    torch.backends.cuda.matmul.allow_tf32 = True
    hold = set(filter(None, options.hold.split(",")))
    seen, hidden, pairs = load(
        options.folder, lambda row: row["source"].startswith("test-") or row["source"] in hold
    )
    print(
        {task: (len(rows), len(hidden[task])) for task, rows in seen.items()}, len(pairs), DEVICE, flush=True
    )
    teacher = original(options.folder, dropout=0.0).to(DEVICE).eval().requires_grad_(requires_grad=False)
    student = original(options.folder, dropout=0.1, words=vocabulary_size(options.folder)).to(DEVICE)
    aligned = options.resume or options.folder / "aligned.pt"
    if aligned.exists():
        student.load_state_dict(torch.load(aligned))
    else:
        train(student, teacher, Batches(options.folder, seen, pairs, steps=options.align_steps, align=True))
        torch.save(student.state_dict(), aligned)
    train(student, teacher, Batches(options.folder, seen, pairs, steps=options.steps, align=False))
    report = measure(student, Encoder(options.folder / "tokenizer.json"), hidden)
    for name, value in report.items():
        print(f"{name:60s} {value}", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{options.name}.json").write_text(json.dumps(report, indent=1))
    save(student, options.out / f"{options.name}.npz")
    divide(options.out / f"{options.name}.npz")


if __name__ == "__main__":
    main()
