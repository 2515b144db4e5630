"""The sliding window against a list of everything that ever passed."""

from hypothesis import given
from hypothesis import strategies as st

from pointsman.quota.rule import SECONDS, Rule
from pointsman.quota.window import SLOTS, Window

Steps = st.lists(st.tuples(st.floats(0, 90), st.integers(1, 5)), max_size=60)
Units = st.sampled_from(sorted(SECONDS))


@given(Steps, st.integers(1, 12), Units)
def test_no_unit_of_time_holds_more_than_the_limit(
    steps: list[tuple[float, int]], limit: int, unit: str
) -> None:
    """In no stretch of one unit, wherever it begins, is more admitted than the limit; nor less without need."""
    rule, window = Rule("r", unit=unit), Window()
    passed: list[tuple[float, int]] = []
    now = 0.0
    for wait, amount in steps:
        now += wait * rule.unit_s / 60
        counted = sum(size for at, size in passed if rule.slot(at) >= rule.slot(now) - SLOTS)
        total = window.total(rule.slot(now))
        assert total == counted
        if total + amount <= limit:
            window.add(rule.slot(now), amount)
            passed.append((now, amount))
        elif amount <= limit:
            slot = window.room_at(amount, limit)
            assert slot is not None
            later = sum(size for at, size in passed if rule.slot(at) >= slot - SLOTS)
            before = sum(size for at, size in passed if rule.slot(at) >= slot - 1 - SLOTS)
            assert later + amount <= limit < before + amount
    for begin, _ in passed:
        within = sum(size for at, size in passed if begin <= at < begin + rule.unit_s)
        assert within <= limit


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 9), st.integers(-12, 12)), max_size=40))
def test_corrections_change_what_still_counts(steps: list[tuple[int, int, int]]) -> None:
    """A correction reaches its slot while that counts, is nothing afterwards, and no slot goes below zero."""
    window = Window()
    oracle: dict[int, int] = {}
    slot = 0
    for move, amount, difference in steps:
        slot += move
        window.add(slot, amount)
        oracle[slot] = oracle.get(slot, 0) + amount
        target = slot - move
        if target in oracle and target >= slot - SLOTS:
            window.correct(target, difference)
            oracle[target] = max(0, oracle[target] + difference)
        assert window.total(slot) == sum(size for at, size in oracle.items() if at >= slot - SLOTS)
