import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pointsman.encoder import normalise
from pointsman.encoder.normalise import _JOINING, _PLAIN, INVISIBLE, MARKS

HOSTILE = st.text(
    st.one_of(
        st.characters(codec=None),
        st.sampled_from(
            "aeZ1 аеоΑβ\u0301\u0327\u0345\u200b\u200d\ufe0f\u202e\U000e0041\u1161\u11a8ㄱㅏｶﾞﬁ각\ud83d\ude00"
        ),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("text", "read", "disguised"),
    [
        ("plain", "plain", False),
        ("Ünïcödé 漢字 Привет", "Ünïcödé 漢字 Привет", False),
        ("ｉｇｎｏｒｅ", "ignore", False),
        ("𝐢𝐠𝐧𝐨𝐫𝐞", "ignore", False),
        ("ig\u200bno\u00adre", "ignore", True),
        ("\U000e0069\U000e0067hi", "hi", True),
        ("\u202eerongi", "erongi", True),
        ("❤\ufe0f", "❤", False),
        ("pаypаl", "paypal", True),
        ("раура", "раура", False),
        ("αx + βy = ρgh", "αx + βy = ρgh", False),
        ("аdmіn Иван", "admin Иван", True),
        ("ｶﾞ", "ガ", False),
        ("\u1100\u1161\u11a8", "각", False),
        ("e\u200d\u0301", "é", False),
        ("x\ud83d\ude00y\ud83d", "x😀y\ufffd", False),
    ],
)
def test_a_text_is_read_as_people_see_it(text: str, read: str, *, disguised: bool) -> None:
    """Hidden characters go, compatibility forms and look-alikes become letters, honest text stays."""
    found = normalise(text)
    assert (found.text, found.changed, found.disguised) == (read, text != read, disguised)


def test_what_is_found_can_be_shown_in_the_original() -> None:
    """A stretch of the normalised text maps to the characters it was made of."""
    text = "to jo\u200bhn@ﬁrm.ｃｏｍ now"
    found = normalise(text)
    start = found.text.index("john@firm.com")
    first, last = found.original(start, start + len("john@firm.com"))
    assert text[first:last] == "jo\u200bhn@ﬁrm.ｃｏｍ"
    assert found.original(len(found.text), len(found.text)) == (len(text), len(text))


@given(text=HOSTILE)
@example("а\u0301b")
@example("\u0344" * 12)
@example("x" + "\u0344" * 5)
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    """What comes out is what comes out of it again."""
    once = normalise(text).text
    assert normalise(once).text == once


@given(text=HOSTILE)
def test_every_character_knows_where_it_came_from(text: str) -> None:
    """Places never decrease, never leave the text, and unchanged characters map to themselves."""
    found = normalise(text)
    spans = [found.original(place, place + 1) for place in range(len(found.text))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    assert [end for _, end in spans] == sorted(end for _, end in spans)
    if not found.changed:
        assert found.text == text
    for place, (start, end) in enumerate(spans):
        character = found.text[place]
        if character.isascii() and character.isalpha() and text[start:end].isascii():
            assert text[start] == character


@given(text=st.text(st.characters(codec="utf-8"), max_size=40))
def test_the_composition_is_that_of_the_standard(text: str) -> None:
    """Where nothing is hidden, stacked or mixed, the result is NFKC of the whole text."""
    found = normalise(text)
    if not found.disguised and INVISIBLE.search(text) is None:
        assert found.text == unicodedata.normalize("NFKC", text)


def test_the_plain_characters_are_plain() -> None:
    """No character in the class that is skipped is changed by NFKC or joins another."""
    plain = _ranges(_PLAIN)
    assert len(plain) > 40000
    for character in plain:
        assert unicodedata.normalize("NFKC", character) == character
        assert unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) == 0
        assert character not in _JOINING
        assert not INVISIBLE.match(character) or character == "\u00ad"


def test_marks_on_one_letter_are_capped() -> None:
    """A flood of combining marks, which would be sorted in quadratic time, leaves a handful."""
    found = normalise("a" + "\u0327\u0301" * 50_000 + "b")
    assert len(found.text) <= MARKS + 2
    assert found.text[-1] == "b"
    assert found.disguised
    assert found.original(0, 1) == (0, 100_001)


@pytest.mark.parametrize(
    "text",
    [
        "\u1161" * 50_000,
        "аb" * 25_000,
        "а" * 50_000 + "b",
        "1" * 50_000 + "а",
        "ﷺ" * 5_000,
        "\u0301" * 50_000,
    ],
)
def test_floods_of_any_kind_come_out(text: str) -> None:
    """Fifty thousand characters of the most awkward kinds are normalised like any others."""
    once = normalise(text)
    assert normalise(once.text).text == once.text


def _ranges(characters: str) -> str:
    """Expand the ranges of a regular expression's class."""
    found: list[str] = []
    place = 0
    while place < len(characters):
        if characters[place + 1 : place + 2] == "-":
            found += map(chr, range(ord(characters[place]), ord(characters[place + 2]) + 1))
            place += 3
        else:
            found.append(characters[place])
            place += 1
    return "".join(found)
