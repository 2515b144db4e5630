from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pointsman.encoder.groups import PADDED, SHORT, TEXTS, grouped
from pointsman.encoder.windows import BODY, sliced, spread, windows, within


@given(lengths=st.lists(st.integers(0, 700), min_size=1, max_size=5))
def test_windows_cover_every_piece(lengths: list[int]) -> None:
    """Every piece of every slice is in a window, neighbours overlap, and none is too long."""
    for number, length in enumerate(lengths):
        mine = [window for window in windows(lengths) if window.slice == number]
        assert mine[0].start == 0
        assert mine[-1].end == length
        assert all(window.end - window.start == min(BODY, length) for window in mine)
        assert all(right.start < left.end < right.end for left, right in pairwise(mine))


@given(length=st.integers(0, 50_000), tokens=st.integers(1, 5000))
def test_the_budget_holds_and_both_ends_stay(length: int, tokens: int) -> None:
    """What is kept costs no more than the budget (or two windows), in order, with first and last."""
    found = windows([length])
    kept = within(found, tokens=tokens)
    assert len(kept) <= max(2, tokens // 64)
    assert (kept[0], kept[-1]) == (found[0], found[-1])
    assert sorted(kept, key=lambda window: window.start) == list(kept)


@given(length=st.integers(0, 300_000), tokens=st.integers(1, 5000))
def test_a_long_text_is_sliced_with_both_ends_kept(length: int, tokens: int) -> None:
    """Characters are bounded before tokenising; slices are the text at the places they name."""
    text = ("0123456789" * (length // 10 + 1))[:length]
    slices = sliced(text, tokens=tokens)
    assert sum(len(each.text) for each in slices) <= tokens * 8
    assert all(text.startswith(each.text, each.start) for each in slices)
    assert slices[0].start == 0
    assert slices[-1].start + len(slices[-1].text) == length


@given(size=st.integers(1, 10_000), count=st.integers(2, 100))
def test_spread_places_differ_and_reach_both_ends(size: int, count: int) -> None:
    """The places are different, in order, and include the first and the last."""
    places = spread(size, count)
    assert places == sorted(set(places))
    assert len(places) == min(size, count)
    assert places[0] == 0
    assert places[-1] == (size - 1 if len(places) > 1 else 0)


@given(lengths=st.lists(st.integers(2, 512), max_size=80))
def test_every_text_is_in_one_pass_and_every_pass_within_its_bounds(lengths: list[int]) -> None:
    """Short texts share passes of bounded padded size; a longer text is alone."""
    groups = grouped(lengths)
    assert sorted(place for group in groups for place in group) == list(range(len(lengths)))
    for group in groups:
        sizes = [lengths[place] for place in group]
        assert len(group) == 1 or max(sizes) <= SHORT
        assert len(group) == 1 or (len(group) * max(sizes) <= PADDED and len(group) <= TEXTS)
