"""How often the semantic cache hits where it should, and where it must not.

``make bench-cache`` makes pairs of questions by rule from the texts of ``DATA`` (``cache_pairs.py``), adds
for each question the most similar other one of the data, and compares vectors and words. The tables go to the
terminal and between the markers of ``docs/cache.md``.
"""

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cache_pairs import SEED, Pair, Text, look_alikes, paraphrases, texts, topic_swaps
from pointsman.cache.veto import Check, differ, marks_of
from pointsman.encoder import Encoder

BEGIN, END = "<!-- make bench-cache: begin -->", "<!-- make bench-cache: end -->"
REPORT = Path(__file__).parents[1] / "docs" / "cache.md"
QUESTIONS, CORPUS = 900, 4000
CHECKS = (Check.OFF, Check.LOOSE, Check.STRICT)
THRESHOLDS = (0.7, 0.75, 0.8, 0.85, 0.875, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99)


@dataclass(frozen=True)
class Judged:
    """A pair with its similarity and what its words say."""

    pair: Pair
    similarity: float
    vetoes: Mapping[Check, str]

    def hits(self, threshold: float, check: Check) -> bool:
        """Whether the cache would answer one with the other's answer."""
        return self.similarity >= threshold and not self.vetoes[check]


def pairs(encoder: Encoder, data: Path) -> list[Judged]:
    """Every pair, judged."""
    rng = random.Random(SEED)  # noqa: S311  # a draw, no secret
    known = texts(data)
    rng.shuffle(known)
    asked = [text for text in known if text.held_out][:QUESTIONS]
    corpus = asked + [text for text in known if not text.held_out][:CORPUS]
    topics = sorted({text.topic for text in known if len(text.topic) >= 4})
    made: list[Pair] = []
    for text in asked:
        made += [*paraphrases(text, rng), *look_alikes(text, rng), *topic_swaps(text, topics, rng)]
    made += neighbours(encoder, asked, corpus)
    return [judged(encoder, pair) for pair in made]


def neighbours(encoder: Encoder, asked: Sequence[Text], corpus: Sequence[Text]) -> list[Pair]:
    """For each question the most similar one about something else."""
    vectors = np.stack([encoder.embed_now(text.text) for text in corpus])
    found = []
    for number, text in enumerate(asked):
        for place in np.argsort(-(vectors @ vectors[number]))[1:20]:
            other = corpus[int(place)]
            if other.topic != text.topic and text.topic not in other.text.lower():
                found.append(Pair("nearest", text.text, other.text, same=False))
                break
    return found


def judged(encoder: Encoder, pair: Pair) -> Judged:
    """One pair."""
    similarity = float(encoder.embed_now(pair.one) @ encoder.embed_now(pair.other))
    one, other = marks_of(pair.one), marks_of(pair.other)
    return Judged(pair, similarity, {check: differ(other, one, check) or "" for check in CHECKS})


def percent(found: Sequence[Judged], threshold: float, check: Check) -> str:
    """Part of the pairs that would hit."""
    return f"{100 * sum(each.hits(threshold, check) for each in found) / max(1, len(found)):.1f} %"


def curve(found: Sequence[Judged]) -> list[str]:
    """Hits wanted and unwanted at each threshold, for each way to check the words."""
    same = [each for each in found if each.pair.same]
    other = [each for each in found if not each.pair.same]
    head = " | ".join(f"`{check}` hits | wrong" for check in CHECKS)
    lines = [
        f"{len(same)} pairs with one answer, {len(other)} that look alike and have two.",
        "",
        f"| threshold | {head} |",
        "| --- " * (1 + 2 * len(CHECKS)) + "|",
    ]
    for threshold in THRESHOLDS:
        cells = [percent(part, threshold, check) for check in CHECKS for part in (same, other)]
        lines.append(f"| {threshold:g} | " + " | ".join(cells) + " |")
    return lines


def by_kind(found: Sequence[Judged], threshold: float) -> list[str]:
    """The same for each rule the pairs are made by."""
    kinds: dict[tuple[bool, str], list[Judged]] = defaultdict(list)
    for each in found:
        kinds[not each.pair.same, each.pair.kind].append(each)
    lines = [
        f"Share that hits at {threshold:g}:",
        "",
        "| pairs | answers | number | " + " | ".join(f"`{check}`" for check in CHECKS) + " |",
        "| --- " * (3 + len(CHECKS)) + "|",
    ]
    for (differs, kind), part in sorted(kinds.items()):
        cells = [percent(part, threshold, check) for check in CHECKS]
        lines.append(f"| {kind} | {'two' if differs else 'one'} | {len(part)} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--show", action="store_true", help="print what goes wrong")
    given = parser.parse_args()
    encoder = Encoder.load()
    found = pairs(encoder, given.data)
    encoder.close()
    if given.show:
        show(found)
    lines = [*curve(found), "", *by_kind(found, 0.8)]
    text = "\n".join(lines)
    print(text)
    if REPORT.exists():
        page = REPORT.read_text()
        head, _, rest = page.partition(BEGIN)
        REPORT.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")


def show(found: Sequence[Judged]) -> None:
    """Wrong hits, and hits the words prevent, for whoever works on the words."""
    wrong = [each for each in found if not each.pair.same and each.hits(0.8, Check.STRICT)]
    lost = [each for each in found if each.pair.same and each.vetoes[Check.STRICT] and each.similarity >= 0.8]
    print(Counter((each.pair.kind, each.vetoes[Check.STRICT]) for each in lost))
    for each in [*wrong[:60], *lost[:60]]:
        print(
            each.pair.kind,
            dict(each.vetoes),
            round(each.similarity, 3),
            "|",
            each.pair.one,
            "|",
            each.pair.other,
        )


if __name__ == "__main__":
    main()
