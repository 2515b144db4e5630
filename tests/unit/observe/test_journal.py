from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.observe import Entry, Journal, Outcome

from .rulings import refusal, ruling


class Clock:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def journal(limit: int = 100) -> tuple[Journal, list[Entry], Clock]:
    """A journal with what it hands on and the clock it reads."""
    entries: list[Entry] = []
    clock = Clock()
    return Journal(entries.append, clock=clock, limit=limit, ttl_s=60, outcome_ttl_s=5), entries, clock


def test_a_ruling_and_its_outcome_become_one_entry() -> None:
    """The usual order: ruled, then ended."""
    book, entries, _ = journal()
    book.ruled(ruling("a"))
    assert entries == []
    book.ended(Outcome("a", status=200))
    assert [(entry.request_id, entry.status, entry.incomplete) for entry in entries] == [("a", 200, "")]
    assert entries[0].summary is not None
    assert book.pending == 0


@pytest.mark.parametrize("order", list(permutations(["rule a", "end a", "rule b", "end b"])))
def test_halves_join_in_any_order(order: tuple[str, ...]) -> None:
    """An access log that is faster than we are, or two requests interleaved, change nothing."""
    book, entries, _ = journal()
    for step in order:
        verb, request_id = step.split()
        if verb == "rule":
            book.ruled(ruling(request_id))
        else:
            book.ended(Outcome(request_id, status=200))
    assert sorted(entry.request_id for entry in entries) == ["a", "b"]
    assert all(entry.summary and entry.outcome and not entry.incomplete for entry in entries)


def test_a_ruling_whose_outcome_never_comes_expires() -> None:
    """After its time the request is handed on with what is known, once."""
    book, entries, clock = journal()
    book.ruled(ruling("a"))
    clock.now = 59.9
    book.expire()
    assert entries == []
    clock.now = 60.0
    book.expire()
    book.expire()
    assert [(entry.request_id, entry.incomplete) for entry in entries] == [("a", "no_outcome")]
    assert book.pending == 0


def test_an_outcome_without_a_ruling_expires_sooner() -> None:
    """A request that was never decided is logged after seconds, not after the time of a long answer."""
    book, entries, clock = journal()
    book.ended(Outcome("a", status=503))
    clock.now = 5.0
    book.expire()
    assert [(entry.status, entry.incomplete) for entry in entries] == [(503, "no_ruling")]


def test_traffic_alone_expires_what_is_due() -> None:
    """Without the periodic call, the next request hands on what is overdue."""
    book, entries, clock = journal()
    book.ruled(ruling("a"))
    clock.now = 61.0
    book.ruled(ruling("b"))
    assert [entry.request_id for entry in entries] == ["a"]


def test_the_oldest_gives_way_when_the_journal_is_full() -> None:
    """The bound is reached: the oldest is handed on incomplete, the newest is kept."""
    book, entries, _ = journal(limit=3)
    for n in range(5):
        book.ruled(ruling(f"r{n}"))
    assert [(entry.request_id, entry.incomplete) for entry in entries] == [
        ("r0", "overflow"),
        ("r1", "overflow"),
    ]
    for n in range(9):
        book.ended(Outcome(f"x{n}"))
    assert book.pending == 6


def test_a_reused_id_hands_the_older_half_on() -> None:
    """A client that repeats a request id cannot make the journal keep both, nor lose one silently."""
    book, entries, _ = journal()
    book.ruled(ruling("a"))
    book.ruled(ruling("a", stream=True))
    book.ended(Outcome("a", status=200))
    assert [entry.incomplete for entry in entries] == ["superseded", ""]
    assert entries[1].summary is not None
    assert entries[1].summary.stream


def test_halves_without_an_id_are_handed_on_at_once() -> None:
    """What cannot be joined does not wait."""
    book, entries, _ = journal()
    book.ruled(ruling(""))
    book.ended(Outcome("", status=200))
    assert [entry.incomplete for entry in entries] == ["no_request_id", "no_request_id"]
    assert book.pending == 0


def test_a_final_ruling_does_not_wait() -> None:
    """Our own answer in a foreign data plane, which will report nothing, is complete by itself."""
    book, entries, _ = journal()
    book.ruled(refusal("a", status=400), final=True)
    assert [(entry.status, entry.incomplete) for entry in entries] == [(400, "")]


def test_closing_hands_on_everything() -> None:
    """A stop loses no request."""
    book, entries, _ = journal()
    book.ruled(ruling("a"))
    book.ended(Outcome("b", status=200))
    book.close()
    assert [(entry.request_id, entry.incomplete) for entry in entries] == [
        ("a", "shutdown"),
        ("b", "shutdown"),
    ]
    assert book.pending == 0


def test_bounds_must_make_sense() -> None:
    """A journal that keeps nothing is a mistake."""
    with pytest.raises(ValueError, match="must be positive"):
        Journal(lambda _: None, limit=0)


@given(
    st.lists(
        st.tuples(st.sampled_from(["rule", "end", "wait"]), st.sampled_from(["a", "b", "c", "d", ""])),
        max_size=60,
    )
)
def test_every_half_is_handed_on_exactly_once(steps: list[tuple[str, str]]) -> None:
    """In any history, as many rulings and outcomes leave as came, and what waits stays bounded."""
    book, entries, clock = journal(limit=2)
    for verb, request_id in steps:
        if verb == "rule":
            book.ruled(ruling(request_id))
        elif verb == "end":
            book.ended(Outcome(request_id, status=200))
        else:
            clock.now += 3
        assert book.pending <= 4
    book.close()
    came = [verb for verb, _ in steps]
    assert sum(entry.summary is not None for entry in entries) == came.count("rule")
    assert sum(entry.outcome is not None for entry in entries) == came.count("end")


def test_a_lost_ruling_is_handed_on_without_an_outcome() -> None:
    """One by its id, or all of them when the data plane is gone; what comes late is an outcome alone."""
    seen: list[Entry] = []
    journal = Journal(seen.append)
    for request_id in ("1", "2", "3"):
        journal.ruled(ruling(request_id))
    journal.lost("2")
    journal.lost("unknown")
    journal.lost_all()
    assert [(entry.request_id, entry.incomplete) for entry in seen] == [
        ("2", "no_outcome"),
        ("1", "no_outcome"),
        ("3", "no_outcome"),
    ]
    assert journal.pending == 0
