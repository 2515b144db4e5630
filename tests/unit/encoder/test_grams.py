import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.encoder.grams import BUCKETS, gram_buckets


def buckets(*grams: str) -> set[int]:
    """Hash grams as the module says it does."""
    return {zlib.crc32(gram.encode()) % BUCKETS for gram in grams}


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        ("", ()),
        ("plain English", ()),
        ("déjà vu Привет", ()),
        ("导数", ("导", "数", "导数")),
        ("求x的导", ("求", "的", "导", "的导")),
        ("日本 한국 カナ", ("日", "本", "日本", "한", "국", "한국", "カ", "ナ", "カナ")),
    ],
)
def test_grams_are_characters_and_neighbours_inside_a_run(text: str, grams: tuple[str, ...]) -> None:
    """Only Han, kana and Hangul count, and a pair never spans anything else."""
    assert gram_buckets(text) == buckets(*grams)


@given(text=st.text(st.characters(codec="utf-8")))
def test_every_bucket_is_a_row_of_the_lexicon(text: str) -> None:
    """Whatever the text, bucket numbers stay inside the table."""
    assert all(0 <= bucket < BUCKETS for bucket in gram_buckets(text))
