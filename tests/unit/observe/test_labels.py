import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.observe import Labels


def test_values_past_the_limit_are_counted_as_other() -> None:
    """The limit is reached: later values share one series, earlier ones keep theirs."""
    labels = Labels(limit=3)
    assert [labels.fit("model", f"m{n}") for n in range(5)] == ["m0", "m1", "m2", "other", "other"]
    assert labels.fit("model", "m1") == "m1"


def test_each_label_has_its_own_limit() -> None:
    """A label full of values takes nothing from another label."""
    labels = Labels(limit=1)
    assert labels.fit("model", "a") == "a"
    assert labels.fit("model", "b") == "other"
    assert labels.fit("decision", "b") == "b"


def test_long_values_are_cut() -> None:
    """A value keeps its first 120 characters."""
    assert Labels().fit("model", "x" * 500) == "x" * 120


def test_an_empty_value_is_none() -> None:
    """An empty value becomes `none`, and neither that nor `other` uses up the limit."""
    labels = Labels(limit=1)
    assert labels.fit("model", "") == "none"
    assert labels.fit("model", "other") == "other"
    assert labels.fit("model", "a") == "a"


def test_a_limit_below_one_is_refused() -> None:
    """A guard that lets nothing through is a mistake."""
    with pytest.raises(ValueError, match="at least 1"):
        Labels(limit=0)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=())), max_size=50))
def test_any_values_stay_bounded_and_encodable(values: list[str]) -> None:
    """Whatever comes, there are at most limit + `none` + `other` values, each writable as UTF-8."""
    labels = Labels(limit=5, max_length=10)
    seen = {labels.fit("model", value) for value in values}
    assert len(seen) <= 7
    assert all(len(value.encode()) <= 40 for value in seen)
