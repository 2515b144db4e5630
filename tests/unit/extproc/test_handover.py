"""Places for answers that are filtered."""

from hypothesis import given
from hypothesis import strategies as st

from pointsman.core.answer import AnswerFilter
from pointsman.core.request import Head
from pointsman.transports.extproc.handover import Handover, Job


def _never() -> AnswerFilter:
    raise AssertionError("nobody claims it")


_JOB = Job(Head("POST", "/v1/chat/completions", {}), _never)


def test_a_job_is_claimed_once() -> None:
    """A token is good for one claim; after it the place is taken until it is given back."""
    handover = Handover(1)
    token = handover.offer(_JOB)
    assert token is not None
    assert handover.claim(token) is _JOB
    assert (handover.claim(token), handover.size) == (None, 1)
    handover.leave()
    assert handover.size == 0


def test_waiting_and_running_answers_share_the_bound() -> None:
    """With every place taken nothing is offered or entered; a place that is free is used again."""
    handover = Handover(2)
    assert handover.offer(_JOB) is not None
    assert handover.enter()
    assert (handover.offer(_JOB), handover.enter()) == (None, False)
    handover.leave()
    assert handover.enter()


def test_a_job_nobody_comes_for_gives_its_place_back() -> None:
    """A token is worthless after its time, and its place free."""
    now = [0.0]
    handover = Handover(1, patience_s=10, clock=lambda: now[0])
    token = handover.offer(_JOB)
    assert token is not None
    now[0] = 10.0
    assert handover.claim(token) is None
    assert handover.offer(_JOB) is not None


@given(
    st.lists(st.sampled_from(["offer", "claim", "enter", "leave", "wait"]), max_size=60), st.integers(1, 4)
)
def test_the_bound_holds_whatever_happens(turns: list[str], limit: int) -> None:
    """Against a naive count: never more than ``limit``, and a refusal only when there are that many."""
    now = [0.0]
    handover = Handover(limit, patience_s=5, clock=lambda: now[0])
    waiting: list[tuple[float, str]] = []
    running = 0
    for turn in turns:
        waiting = [each for each in waiting if each[0] > now[0]]
        full = len(waiting) + running >= limit
        if turn == "offer":
            token = handover.offer(_JOB)
            assert (token is None) == full
            waiting += [(now[0] + 5, token)] if token else []
        elif turn == "enter":
            assert handover.enter() != full
            running += not full
        elif turn == "claim" and waiting:
            assert handover.claim(waiting.pop()[1]) is _JOB
            running += 1
        elif turn == "leave" and running:
            handover.leave()
            running -= 1
        elif turn == "wait":
            now[0] += 2
        assert handover.size <= limit
