"""How good a set of guesses is, and how honest the probabilities behind them are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score, precision_recall_fscore_support

BINS = 15


@dataclass(frozen=True, slots=True)
class Judged:
    """Probabilities for some rows beside their true labels."""

    labels: tuple[str, ...]
    truth: NDArray[np.int64]
    """Shape (rows,): place of the true label."""

    probabilities: NDArray[np.float64]
    """Shape (rows, labels)."""

    @property
    def guesses(self) -> NDArray[np.int64]:
        """The most probable label of each row, shape (rows,)."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which guesses are true, shape (rows,)."""
        return np.asarray(self.guesses == self.truth)

    def where(self, mask: NDArray[np.bool_]) -> "Judged":
        """Keep the rows marked true."""
        return Judged(self.labels, self.truth[mask], self.probabilities[mask])

    def accuracy(self) -> float:
        """Share of true guesses."""
        return float(self.right.mean())

    def macro_f1(self) -> float:
        """Mean F1 over the labels that occur in the truth."""
        return float(
            f1_score(self.truth, self.guesses, labels=np.unique(self.truth), average="macro", zero_division=0)
        )

    def calibration_error(self) -> float:
        """Expected calibration error over bins of equal width (Guo et al. 2017)."""
        confidence = self.probabilities.max(axis=1)
        bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
        gaps = [
            abs(self.right[bins == number].mean() - confidence[bins == number].mean())
            * (bins == number).mean()
            for number in np.unique(bins)
        ]
        return float(sum(gaps))

    def confident(self, threshold: float) -> tuple[float, float]:
        """Share of rows whose best probability reaches a threshold, and the accuracy among them."""
        sure = self.probabilities.max(axis=1) >= threshold
        return float(sure.mean()), float(self.right[sure].mean()) if sure.any() else float("nan")

    def per_label(self) -> list[tuple[str, int, float, float, float, float]]:
        """Label, rows, precision, recall, F1, and accuracy of the yes-or-no question "is it this label?"."""
        everything = np.arange(len(self.labels))
        precision, recall, f1, rows = precision_recall_fscore_support(
            self.truth, self.guesses, labels=everything, zero_division=0
        )
        binary = [float(((self.truth == place) == (self.guesses == place)).mean()) for place in everything]
        return [
            (self.labels[place], int(rows[place]), precision[place], recall[place], f1[place], binary[place])
            for place in everything
        ]

    def confusions(self, count: int) -> list[tuple[str, str, int]]:
        """Give the most frequent mistakes: true label, guess, rows."""
        table = np.zeros((len(self.labels), len(self.labels)), dtype=int)
        np.add.at(table, (self.truth[~self.right], self.guesses[~self.right]), 1)
        worst = table.ravel().argsort()[::-1][:count]
        places = [divmod(int(index), len(self.labels)) for index in worst]
        return [(self.labels[true], self.labels[guess], int(table[true, guess])) for true, guess in places]
