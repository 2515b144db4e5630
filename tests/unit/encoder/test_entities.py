import numpy as np
import pytest

from pointsman.encoder import Entity, ModelFilesError
from pointsman.encoder.engine import Floats
from pointsman.encoder.entities import BioScheme, decode, merged

LABELS = ("O", "B-NAME", "I-NAME", "B-MAIL", "I-MAIL")
SCHEME = BioScheme.of(LABELS)


def said(*tags: str, sure: float = 0.8) -> Floats:
    """Probabilities that say these tags."""
    rows = np.full((len(tags), len(LABELS)), (1 - sure) / (len(LABELS) - 1), np.float32)
    for row, tag in enumerate(tags):
        rows[row, LABELS.index(tag)] = sure
    return rows


def spans(found: list[Entity]) -> list[tuple[str, int, int]]:
    return [(entity.label, entity.start, entity.end) for entity in found]


def read(*tags: str, words: list[int] | None = None) -> list[tuple[str, int, int]]:
    """Decode pieces of two characters each, a word each unless told."""
    offsets = [(3 * place, 3 * place + 2) for place in range(len(tags))]
    return spans(decode(SCHEME, said(*tags), words or list(range(len(tags))), offsets))


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ((), []),
        (("O", "O"), []),
        (("O", "B-NAME", "I-NAME", "O"), [("NAME", 3, 8)]),
        (("I-NAME", "I-NAME"), [("NAME", 0, 5)]),
        (("B-NAME", "B-NAME"), [("NAME", 0, 2), ("NAME", 3, 5)]),
        (("B-NAME", "I-MAIL", "I-MAIL"), [("NAME", 0, 2), ("MAIL", 3, 8)]),
        (("B-NAME", "O", "I-NAME"), [("NAME", 0, 2), ("NAME", 6, 8)]),
    ],
)
def test_tags_become_stretches(tags: tuple[str, ...], found: list[tuple[str, int, int]]) -> None:
    """An I without its B begins an entity, a B always does, and another kind ends the one before."""
    assert (read(*tags) if tags else []) == found


def test_a_word_is_decided_as_a_whole() -> None:
    """Pieces of one word that disagree give one entity over all of the word, or none."""
    assert read("B-NAME", "O", "I-NAME", words=[0, 0, 0]) == [("NAME", 0, 8)]
    assert read("B-NAME", "O", "O", words=[0, 0, 0]) == []


def test_a_score_is_the_mean_probability_of_the_kind() -> None:
    """B and I of the kind count together, averaged over the words."""
    found = decode(SCHEME, said("B-NAME", "I-NAME"), [0, 1], [(0, 1), (2, 3)])
    assert found[0].score == pytest.approx(0.85)


def test_windows_that_overlap_are_joined() -> None:
    """One kind: the union with the higher score. Two kinds: the better scored. Neighbours stay apart."""
    found = merged(
        [
            Entity("NAME", 5, 9, 0.9),
            Entity("NAME", 0, 7, 0.6),
            Entity("NAME", 9, 12, 0.5),
            Entity("MAIL", 20, 30, 0.4),
            Entity("NAME", 25, 28, 0.7),
        ]
    )
    assert found == (Entity("NAME", 0, 9, 0.9), Entity("NAME", 9, 12, 0.5), Entity("NAME", 25, 28, 0.7))


@pytest.mark.parametrize("labels", [("O",), ("B-X", "I-X"), ("O", "B-X"), ("O", "B-X", "I-X", "X")])
def test_labels_that_are_no_scheme_are_refused(labels: tuple[str, ...]) -> None:
    """A head without O, or with a kind that lacks its B or I, cannot be decoded."""
    with pytest.raises(ModelFilesError, match="BIO"):
        BioScheme.of(labels)
