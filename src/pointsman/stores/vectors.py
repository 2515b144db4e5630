"""The vectors of one partition, one under the other, so that a question is compared with all at once."""

import numpy as np

from pointsman.stores.entry import Entry, Floats

_FIRST = 4


class Vectors:
    """Rows that are added and taken away; the last row fills the place of one that leaves."""

    def __init__(self, dimension: int) -> None:
        self._rows: Floats = np.empty((_FIRST, dimension), np.float32)
        self._entries: list[Entry] = []
        self._places: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        """An entry with a meaning, whose question is not among them."""
        assert entry.meaning is not None  # noqa: S101  # callers checked; narrows the type
        count = len(self._entries)
        if count == len(self._rows):
            grown = np.empty((2 * count, self._rows.shape[1]), np.float32)
            grown[:count] = self._rows
            self._rows = grown
        self._rows[count] = entry.meaning.vector
        self._places[entry.question] = count
        self._entries.append(entry)

    def remove(self, entry: Entry) -> None:
        """Take one away."""
        place = self._places.pop(entry.question)
        last = self._entries.pop()
        if last.question != entry.question:
            self._entries[place] = last
            self._rows[place] = self._rows[len(self._entries)]
            self._places[last.question] = place

    def nearest(self, vector: Floats, most: int) -> list[tuple[Entry, float]]:
        """The most similar entries and their cosines, best first."""
        scores = self._rows[: len(self._entries)] @ vector
        everything = len(scores) <= most
        few = np.arange(len(scores)) if everything else np.argpartition(-scores, most - 1)[:most]
        best = few[np.argsort(-scores[few], kind="stable")]
        return [(self._entries[place], float(scores[place])) for place in best.tolist()]
