import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.encoder import ModelFilesError
from pointsman.encoder.folder import SHIPPED
from pointsman.encoder.tokenizer import CHARACTERS_PER_SIDE, WordPieces, cut

CLS, SEP = 101, 102
WORDS = len(json.loads((SHIPPED / "tokenizer.json").read_text())["model"]["vocab"])


@pytest.fixture(scope="module")
def tokenizer() -> WordPieces:
    return WordPieces((SHIPPED / "tokenizer.json").read_bytes(), max_tokens=512)


def read(tokenizer: WordPieces, text: str) -> tuple[list[int], bool]:
    """The numbers of one pass over a text, and whether some were left out."""
    reading = cut(text)
    head, tail = tokenizer.encoded([reading.head, reading.tail], placed=False)
    ids, truncated = tokenizer.fitted(head.ids, tail.ids if reading.tail else None)
    return tokenizer.marked(ids), truncated


def test_a_short_text_is_read_whole_between_its_markers(tokenizer: WordPieces) -> None:
    """Neither padding nor the cut at 128 that the published tokenizer asks for is applied."""
    assert read(tokenizer, "hello world") == ([CLS, 7592, 2088, SEP], False)
    assert read(tokenizer, "hello " * 300) == ([CLS, *[7592] * 300, SEP], False)


@pytest.mark.parametrize(
    ("words", "kept", "truncated"), [(510, 510, False), (511, 510, True), (600, 510, True)]
)
def test_the_cut_comes_exactly_at_the_limit(
    tokenizer: WordPieces, words: int, kept: int, *, truncated: bool
) -> None:
    """510 pieces are read whole; of 511 the middle one is not."""
    marked, left_out = read(tokenizer, "a " * words)
    assert (len(marked) - 2, left_out) == (kept, truncated)


@pytest.mark.parametrize("words", [300, 1000])
def test_head_and_tail_are_256_and_254_pieces(tokenizer: WordPieces, words: int) -> None:
    """A long text gives its first 256 pieces and its last 254, whether or not its characters were cut."""
    marked, _ = read(tokenizer, "hello " * words + "world " * words)
    hello, world = 7592, 2088
    assert marked == [CLS, *[hello] * 256, *[world] * 254, SEP]


def test_a_marker_typed_by_a_user_is_text(tokenizer: WordPieces) -> None:
    """'[SEP]' and its kin never become the numbers that structure the input."""
    special = {0, 100, CLS, SEP, 103}
    marked, _ = read(tokenizer, "a [SEP] b [CLS] c [PAD] d [MASK] e [UNK]")
    assert not special & set(marked[1:-1])


@pytest.mark.parametrize(
    ("length", "kept"),
    [
        (2 * CHARACTERS_PER_SIDE, 2 * CHARACTERS_PER_SIDE),
        (2 * CHARACTERS_PER_SIDE + 1, 2 * CHARACTERS_PER_SIDE),
        (10**6, 2 * CHARACTERS_PER_SIDE),
    ],
)
def test_characters_are_cut_before_tokenising(length: int, kept: int) -> None:
    """However long the text, what is tokenised has a fixed upper bound."""
    reading = cut("x" * length)
    assert len(reading.head) + len(reading.tail) == kept


def test_surrogate_pairs_are_joined_and_lone_ones_replaced() -> None:
    """Two halves of an emoji become the emoji; a half alone becomes the replacement character."""
    assert cut("\ud83d\ude00").head == "\U0001f600"
    assert cut("a\ud83db").head == "a\ufffdb"


def test_two_ends_are_not_taken_for_a_text_that_spells_them_out() -> None:
    """The digest of a cut text differs from that of a text made of the same characters."""
    long_text = "a" * CHARACTERS_PER_SIDE + "middle" + "b" * CHARACTERS_PER_SIDE
    spelt_out = "a" * CHARACTERS_PER_SIDE + "b" * CHARACTERS_PER_SIDE
    assert cut(long_text).digest() != cut(spelt_out).digest()


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(codec=None), max_size=3000), repeats=st.integers(1, 4))
def test_any_text_stays_inside_the_limit(tokenizer: WordPieces, text: str, repeats: int) -> None:
    """Every string gives at most 512 numbers, all in the vocabulary, framed by the markers."""
    marked, _ = read(tokenizer, text * repeats)
    assert 2 <= len(marked) <= 512
    assert (marked[0], marked[-1]) == (CLS, SEP)
    assert all(0 <= piece < WORDS for piece in marked)


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(st.characters(max_codepoint=0xFF), max_size=80)
    | st.text(st.sampled_from("aB z[]#.'1\t\r\n\x7f\x00"), max_size=80)
    | st.lists(st.sampled_from(["[SEP]", "[CLS]", "Hello", "##ing", "WORLD", "x" * 120, "don't"])).map(
        " ".join
    )
)
@pytest.mark.parametrize("placed", [True, False])
def test_the_short_way_for_plain_texts_gives_what_the_long_one_does(
    tokenizer: WordPieces, text: str, *, placed: bool
) -> None:
    """Numbers, words and places are those of the tokenizer with its own normaliser."""
    (found,) = tokenizer.encoded([text], placed=placed)
    wanted = tokenizer._tokenizer.encode(text, add_special_tokens=False)
    assert found.ids == wanted.ids
    assert not placed or (found.word_ids, found.offsets) == (wanted.word_ids, wanted.offsets)


def test_another_normaliser_is_left_its_work() -> None:
    """A tokenizer that keeps capitals keeps them for plain texts too."""
    content = json.loads((SHIPPED / "tokenizer.json").read_text())
    content["normalizer"]["lowercase"] = False
    cased = WordPieces(json.dumps(content).encode(), max_tokens=512)
    lower, upper = cased.encoded(["hello", "HELLO"], placed=False)
    assert lower.ids != upper.ids


def test_a_tokenizer_without_markers_is_refused() -> None:
    """A tokenizer of another family is an error that names what it lacks."""
    other = (
        b'{"version":"1.0","model":{"type":"WordPiece","vocab":{"a":0},"unk_token":"a",'
        b'"continuing_subword_prefix":"##","max_input_chars_per_word":100}}'
    )
    with pytest.raises(ModelFilesError, match=r"\[CLS\]"):
        WordPieces(other, max_tokens=512)
