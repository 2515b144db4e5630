"""From BIO probabilities of word pieces to entities in the text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

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
    if (probabilities.argmax(axis=1) == scheme.outside).all():
        return []
    open_kind, found = -1, list[tuple[int, int, int, list[float]]]()
    for _, group in groupby(range(len(words)), key=words.__getitem__):
        pieces = list(group)
        mean = probabilities[pieces].mean(axis=0)
        by_kind = mean[scheme.begin] + mean[scheme.inside]
        kind = int(by_kind.argmax())
        score = float(by_kind[kind])
        if score <= mean[scheme.outside]:
            open_kind = -1
            continue
        first = probabilities[pieces[0]]
        begins = first[scheme.begin[kind]] > first[scheme.inside[kind]]
        end = offsets[pieces[-1]][1]
        if kind == open_kind and not begins:
            _, start, _, scores = found.pop()
            found.append((kind, start, end, [*scores, score]))
        else:
            found.append((kind, offsets[pieces[0]][0], end, [score]))
        open_kind = kind
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
