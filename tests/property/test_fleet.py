"""The observed fleet against what a list and a sum would say, in any order of events."""

import math
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.model import Candidate, Selection, Target
from pointsman.core.trace import Ruling, Trace
from pointsman.core.verdict import Forward
from pointsman.fleet.ending import Ending
from pointsman.fleet.observed import ObservedFleet
from pointsman.fleet.window import Window
from pointsman.observe.journal import Entry, Journal
from pointsman.observe.outcome import Outcome

IDS = st.sampled_from(["", "1", "2", "3", "4"])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("ruled"), IDS, st.sampled_from(["a", "b"])),
        st.tuples(st.just("ended"), IDS, st.sampled_from([200, 503, 0])),
        st.tuples(st.just("lost"), IDS, st.just(0)),
        st.tuples(st.just("lost_all"), IDS, st.just(0)),
        st.tuples(st.just("time"), IDS, st.integers(0, 100)),
    ),
    max_size=60,
)


class Joined:
    """A fleet fed as the gateway feeds it: beginnings from rulings, ends from the journal."""

    def __init__(self) -> None:
        self.now = 0.0
        self.fleet = ObservedFleet(clock=lambda: self.now)
        self.journal = Journal(self.ended, clock=lambda: self.now, limit=3, ttl_s=50.0, outcome_ttl_s=5.0)
        self.open = 0

    def ruled(self, request_id: str, model: str) -> None:
        self.fleet.began(request_id, "pool", model)
        self.open += 1
        selection = Selection(Candidate(Target(model, model, "pool")), "static")
        self.journal.ruled(Ruling(Forward("pool"), Trace(request_id=request_id, selection=selection)))

    def ended(self, entry: Entry) -> None:
        if entry.summary is not None:
            ending = Ending(status=entry.outcome.status) if entry.outcome else None
            self.fleet.ended(entry.request_id, entry.summary.pool, entry.summary.model, ending)
            self.open -= 1

    def happen(self, kind: str, request_id: str, value: Any) -> None:
        steps: dict[str, Callable[[], None]] = {
            "ruled": lambda: self.ruled(request_id, value),
            "ended": lambda: self.journal.ended(Outcome(request_id, status=value)),
            "lost": lambda: self.journal.lost(request_id),
            "lost_all": self.journal.lost_all,
        }
        if kind == "time":
            self.now += value
            self.journal.expire()
        else:
            steps[kind]()


@given(EVENTS)
def test_what_is_in_flight_returns_to_zero(events: list[tuple[str, str, Any]]) -> None:
    """Outcomes missing, early or doubled, ids used twice, overflow, expiry, a lost data plane, shutdown."""
    joined = Joined()
    for event in events:
        joined.happen(*event)
        assert joined.fleet.in_flight("a") + joined.fleet.in_flight("b") == joined.open
    joined.journal.close()
    assert joined.open == 0
    assert not any(view.in_flight for view in joined.fleet.pools().values())


@given(
    st.lists(st.tuples(st.floats(0, 30), st.floats(0, 1e4)), max_size=40),
    st.integers(1, 100),
    st.integers(1, 10),
)
def test_percentiles_are_those_of_a_sorted_list(
    values: list[tuple[float, float]], percentile: int, size: int
) -> None:
    """The nearest rank among the newest values that are not too old."""
    window, now, kept = Window(size=size, age_s=60.0), 0.0, []
    for passed, value in values:
        now += passed
        window.add(value, now)
        kept.append((now, value))
    fresh = sorted(value for when, value in kept[-size:] if when > now - 60.0)
    expected = fresh[math.ceil(percentile / 100 * len(fresh)) - 1] if fresh else None
    assert window.percentile(percentile, now) == expected
