"""From BIO probabilities of word pieces to entities in the text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pointsman.encoder.engine import Floats
from pointsman.encoder.errors import ModelFilesError
from pointsman.encoder.values import Entity

OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class BioScheme:
    """Which label means what: `O`, and `B-` and `I-` of each kind."""

    kinds: tuple[str, ...]
    begin: NDArray[np.int64]
    """Index of each kind's `B-` label, shape (kinds,)."""

    inside: NDArray[np.int64]
    """Index of its `I-` label."""

    outside: int

    @classmethod
    def of(cls, labels: Sequence[str]) -> "BioScheme":
        """Read the scheme off a head's labels; raises ModelFilesError when they are none."""
        place = {label: number for number, label in enumerate(labels)}
        kinds = tuple(sorted({label[2:] for label in labels if label != OUTSIDE}))
        wanted = {OUTSIDE, *(f"{prefix}-{kind}" for kind in kinds for prefix in "BI")}
        if set(labels) != wanted or not kinds:
            raise ModelFilesError(f"not the labels of a BIO head: {list(labels)}")
        return cls(
            kinds=kinds,
            begin=np.array([place[f"B-{kind}"] for kind in kinds]),
            inside=np.array([place[f"I-{kind}"] for kind in kinds]),
            outside=place[OUTSIDE],
        )

    def silent(self, scores: Floats) -> bool:
        """Tell whether no piece, shape (pieces, labels), has a label more likely than outside.

        Scores and the probabilities they become are equally good.
        """
        return bool((scores.argmax(axis=1) == self.outside).all())


def decode(
    scheme: BioScheme,
    probabilities: Floats,
    words: Sequence[int | None],
    offsets: Sequence[tuple[int, int]],
) -> list[Entity]:
    """Read entities off the pieces of one window.

    `probabilities` has the shape (pieces, labels), `words` numbers the word of each piece, `offsets` are its
    characters. A word is decided as a whole, by the mean over its pieces, and B or I only tells whether a
    neighbour of the same kind is another entity: a missing B costs nothing.
    """
    if scheme.silent(probabilities):
        return []
    starts = [place for place in range(len(words)) if not place or words[place] != words[place - 1]]
    ends = [*starts[1:], len(words)]
    counts = np.subtract(ends, starts).astype(np.float32)
    means = np.add.reduceat(probabilities, starts) / counts[:, None]
    by_kind = means[:, scheme.begin] + means[:, scheme.inside]
    kinds, highest = by_kind.argmax(axis=1), by_kind.max(axis=1)
    last, found = -2, list[tuple[int, int, int, list[float]]]()
    for word in np.flatnonzero(highest > means[:, scheme.outside]).tolist():
        kind, score = int(kinds[word]), float(highest[word])
        first = probabilities[starts[word]]
        begins = first[scheme.begin[kind]] > first[scheme.inside[kind]]
        end = offsets[ends[word] - 1][1]
        if word == last + 1 and kind == found[-1][0] and not begins:
            _, start, _, scores = found.pop()
            found.append((kind, start, end, [*scores, score]))
        else:
            found.append((kind, offsets[starts[word]][0], end, [score]))
        last = word
    return [
        Entity(scheme.kinds[kind], start, end, min(1.0, sum(scores) / len(scores)))
        for kind, start, end, scores in found
    ]


def merged(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """Join what several windows say of the same stretch of text.

    Overlapping entities of one kind become one, from the first character to the last, with the higher
    score; of overlapping ones of two kinds the better scored stays.
    """
    kept: list[Entity] = []
    for entity in sorted(entities, key=lambda found: (found.start, found.end)):
        last = kept[-1] if kept else None
        if last is None or entity.start >= last.end:
            kept.append(entity)
        elif entity.label == last.label:
            score = max(entity.score, last.score)
            kept[-1] = Entity(entity.label, last.start, max(entity.end, last.end), score)
        elif entity.score > last.score:
            kept[-1] = entity
    return tuple(kept)
